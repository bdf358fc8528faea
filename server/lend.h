/*
 * lend: the room of a job that sits in a call which waits is others' meanwhile. Runs in the server.
 *
 * A job lends from the first of its calls that waits to the last: before that one is answered, the job has its
 * room again. So jobs that wait for each other's children do not block each other, and no more work at once
 * than there is room for. A job of which one process waits while another works is taken for one that waits; there is no
 * telling them apart.
 *
 * All of it is in memory. A new server takes every job for one that has its room, and starts nothing beyond it;
 * the clients repeat their calls, and these lend again.
 */
#ifndef SERVER_LEND_H
#define SERVER_LEND_H

#include "server/state.h"

#include <stdbool.h>
#include <stdint.h>

/* A call of the job waits. Each has its lend_end(), also when the job has ended. 0 or -ENOMEM. */
int lend_begin(struct server *s, int64_t job);

/* It still does; to be said in each turn, for the queue may have been read anew from the store. */
void lend_go_on(struct server *s, int64_t job);

/* It does no more, and wants to be answered, or is gone: with the last, the job claims its room. */
void lend_end(struct server *s, int64_t job);

/* After lend_end(): whether the call may be answered. */
bool lend_is_settled(struct server *s, int64_t job);

#endif
