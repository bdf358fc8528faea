/*
 * recovery: what becomes of jobs that were started before this server or this supervisor was there. Runs
 * in the server, once the supervisor has told all that it knows.
 *
 * What it was to start and does not know was certainly never started: it is queued again. What ran
 * under a supervisor that has gone, on this machine since it was booted, the new one adopts. All
 * else is lost.
 */
#ifndef SERVER_RECOVERY_H
#define SERVER_RECOVERY_H

#include "server/state.h"
#include "wire/wire.h"

/* The supervisor has told all. */
void recovery_synced(struct server *s);

/* The supervisor tells of a job that is not in the queue: has it ended, or was it never stored? */
void recovery_meet_unknown(struct server *s, const struct standing *st);

#endif
