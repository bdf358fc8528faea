/*
 * order: what Enqueue is told of a job's place in the queue, and what Status tells of it. Runs in the
 * server.
 */
#ifndef SERVER_ORDER_H
#define SERVER_ORDER_H

#include "server/call.h"
#include "store/store.h"

/* Parameters of Enqueue. */
struct order_parameters {
	int64_t priority;
};

/* How many parameters these are. */
#define ORDER_FIELDS 1

/* Fills fields, ORDER_FIELDS of them, for a struct order_parameters `offset` bytes into the target. */
void order_fields(struct api_field *fields, size_t offset);

/*
 * Fills *ret_order, whose strings stay p's. False where it has answered the call, because something is
 * wrong.
 */
bool order_check(struct call *call, const struct order_parameters *p,
    struct store_order *ret_order);

/* Adds what Status and List show of it to the job o. */
void order_show(json_t *o, const struct store_order *order);

#endif
