/*
 * after: for whose ends a new job waits before it is started, as its request names them. Runs in the server.
 */
#ifndef SERVER_AFTER_H
#define SERVER_AFTER_H

#include "queue/waits.h"
#include "server/call.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a request; all NULL: it waits for nobody. Names are joined by commas. */
struct after_names {
	const char *after;    /* however they end */
	const char *after_ok; /* they must complete */
	const char *policy;
};

struct after {
	enum waits_policy policy;
	struct waits_edge *edges; /* owned */
	size_t count;
};

/*
 * Finds the jobs: of a child id the latest, else by number. A child that never was, the new child itself, and
 * whoever it is below, or who waits for such a one, are refused: the call is answered then, and false
 * returned. *ret_after, all zero at first, may hold an earlier answer; it is to be released by after_fini().
 */
bool after_read(struct call *call, const struct after_names *names, const char *parent,
    int64_t parent_job, const char *child, struct after *ret_after);
void after_fini(struct after *after);

/* The job that was just added waits for them. 0, or -errno with the turn failed. */
int after_add(struct server *s, int64_t job, const struct after *after);

#endif
