/*
 * load: what the server keeps in memory of jobs that have not ended, made from the store. Runs in the
 * server.
 */
#ifndef SERVER_LOAD_H
#define SERVER_LOAD_H

#include "server/state.h"

/*
 * Fills the queue from the store, anew. Nothing is believed to run until the supervisor has told
 * so. 0, or -errno: the server cannot go on.
 */
int load_all(struct server *s);

/* The job as the store has it, into the queue; held, if its time has not come. NULL with errno. */
struct queue_job *load_one(struct server *s, const struct store_job *j);

#endif
