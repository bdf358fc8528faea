/*
 * waiting: jobs that wait for others, in the store and in memory together. Runs in the server. What comes of
 * it when a wait is over is decided in settle.h.
 */
#ifndef SERVER_WAITING_H
#define SERVER_WAITING_H

#include "server/state.h"
#include "store/waiters.h"

#include <stddef.h>

#define WAITING_TEXT_SIZE (ID_SIZE + 80)

/*
 * The job waits from now on, as row says, for count > 0 others. Of kind WAITERS_AFTER it is held in the
 * queue. 0, or -errno with the turn failed.
 */
int waiting_add(struct server *s, struct queue_job *j, const struct waiters_row *row,
    const struct waits_edge *edges, size_t count);

/* A job has ended: whoever waits for it is to know. */
void waiting_tell(struct server *s, int64_t job, enum status status);

/* It waits for nobody any more. */
void waiting_drop(struct server *s, struct queue_job *j);

/*
 * "after lint, which runs, and 2 others": what a job waits for, for people; false: for nobody.
 */
bool waiting_describe(struct server *s, const struct queue_job *j, char text[WAITING_TEXT_SIZE]);

#endif
