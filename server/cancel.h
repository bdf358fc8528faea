/*
 * cancel: ends jobs and everything below them. Runs in the server.
 *
 * All of it happens in one turn, and so is on disk at once or not at all: queued jobs are ended, those deepest
 * down first, so that nothing starts in place of what is ended next; then the others, from the top, whom the
 * supervisor is told of. Each of these is marked, and from then on nothing is accepted below it
 * (server/admit.h), so that a tree cannot grow as fast as it is cut down.
 */
#ifndef SERVER_CANCEL_H
#define SERVER_CANCEL_H

#include "server/state.h"

/* The job, if it has not ended, and all below it in any case. Returns how many had not ended. */
size_t cancel_job(struct server *s, int64_t job);

/* All children that the parent has, or had, and what is below them. */
size_t cancel_parent(struct server *s, const char *parent);

/* What is below those that have ended in this turn, where the configuration wants that. */
void cancel_orphans(struct server *s);

#endif
