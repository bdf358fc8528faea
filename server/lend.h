/*
 * lend: the room of a job that sits in a call which waits is others' meanwhile. Runs in the server.
 *
 * A job lends from the first of its calls that waits to the last: before that one is answered, the job has its
 * room again. So jobs that wait for each other's children do not block each other, and no more work at once
 * than there is room for. A job of which one process waits while another works is taken for one that waits; there is no
 * telling them apart.
 *
 * All of it is in memory. A new server takes every job for one that has its room, and starts nothing beyond it;
 * the clients repeat their calls, and these lend again. Where these may be answered at once, and more have room
 * than there is, nobody knows whose it was: then whoever calls lends and claims, and is answered with his room.
 */
#ifndef SERVER_LEND_H
#define SERVER_LEND_H

#include "server/state.h"

#include <stdbool.h>
#include <stdint.h>

/* One call's part in it. Zeroed, with job 0: it lends nothing. */
struct lender {
	int64_t job;
	bool is_lending;
};

/* The call waits, or still does. */
void lender_wait(struct server *s, struct lender *l);

/* Whether the job counts as one that has its room, for want of better knowledge, and there is too little. */
bool lender_is_doubtful(const struct server *s, int64_t job);

/* It wants to be answered; whether it may be. To be asked again where not. */
bool lender_settle(struct server *s, struct lender *l);

/* The call is over. */
void lender_fini(struct server *s, struct lender *l);

#endif
