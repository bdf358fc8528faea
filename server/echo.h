/*
 * echo: what the supervisor tells of an earlier start of a job. It tells each slot until the server has let it
 * forget that; where a server dies between a commit and its WIRE_FORGET, the next one hears of a start and of
 * an end that the store has had already, while the job waits to be run again or is. Each start has a mark
 * of its own, which tells them apart; where none can be set, the time of the start has to. Pure.
 */
#ifndef SERVER_ECHO_H
#define SERVER_ECHO_H

#include "queue/queue.h"
#include "wire/wire.h"

/* Whether it is of a start before the one that j stands for. One that runs although it is queued is not: the
 * store is older than the supervisor, and it is not to run twice. */
bool echo_is_start(const struct queue_job *j, const struct standing *st);

/* Likewise of an end. started_ms: when the row says that the job was started last; 0: never. */
bool echo_is_end(const struct queue_job *j, const struct wire_ended *m, int64_t started_ms);

#endif
