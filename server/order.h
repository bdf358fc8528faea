/*
 * order: what Enqueue is told of a job's place in the queue, and what Status tells of it. Runs in the
 * server.
 */
#ifndef SERVER_ORDER_H
#define SERVER_ORDER_H

#include "server/call.h"
#include "server/state.h"
#include "store/store.h"

/* Parameters of Enqueue. */
struct order_parameters {
	int64_t priority; /* ORDER_NO_PRIORITY: not given */
	const char *pool;
	const char *delay, *at;
	int64_t retries;
	const char *retry_delay, *retry_on;
};

/* How many parameters these are. */
#define ORDER_FIELDS 7

#define ORDER_NO_PRIORITY INT64_MIN

/* Fills fields, ORDER_FIELDS of them, for a struct order_parameters `offset` bytes into the target. */
void order_fields(struct api_field *fields, size_t offset);

/*
 * Fills *ret_order, whose strings stay p's; a wait in it, delay_ns, has yet to begin. False where it has
 * answered the call, because something is wrong.
 */
bool order_check(struct call *call, const struct order_parameters *p,
    struct store_order *ret_order);

/* What was not given is taken from the profile. The strings stay that one's. */
void order_inherit(struct order_parameters *p, const struct sections *sections,
    const struct section *profile);

/* Adds what Status and List show of it to a job. */
void order_show(const struct server *s, json_t *o, const struct store_job *job);

#endif
