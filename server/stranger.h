/*
 * stranger: a job that the supervisor runs and that the store does not know, because a new store had to
 * be begun. Runs in the server.
 */
#ifndef SERVER_STRANGER_H
#define SERVER_STRANGER_H

#include "server/state.h"
#include "wire/wire.h"

#include <stdbool.h>

/*
 * A job that the queue does not know runs. True: it was taken into store and queue, by what its process
 * has in its environment, so that its parent gets a record. Else it has ended already, or it is
 * cancelled, because nobody can be told of it, or the turn fails.
 */
bool stranger_meet(struct server *s, const struct standing *m);

/* The end of a job that the queue does not know: where a new store does not either, the log has it. */
void stranger_ended(struct server *s, const struct wire_ended *m);

#endif
