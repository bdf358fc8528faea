/*
 * reason: why a job waits, in words for people: what `waits_for` says in Status and List. Runs in the
 * server.
 */
#ifndef SERVER_REASON_H
#define SERVER_REASON_H

#include "server/state.h"

#define REASON_SIZE 256

/*
 * Writes why the job waits; j is it in the queue, or NULL. is_counted: with how many are ahead of it,
 * which costs O(n). False: it does not wait.
 */
bool reason_to_wait(struct server *s, const struct store_job *job, struct queue_job *j,
    bool is_counted, char reason[REASON_SIZE]);

#endif
