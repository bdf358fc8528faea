/*
 * suspension: a job that ends its process to be run again when its children have ended. The wait is stored
 * first, then the process is ended, like one that is cancelled; once nothing of it is left the job is
 * suspended, without process and without room. When its wait is over (settle.h) it is queued again, and held
 * there until the file with its children's results stands. Runs in the server.
 *
 * How the process ended says nothing about the job: it may have exited by itself, been killed, or be gone with the
 * machine. Only what the watchdog did before, and a request to cancel, count.
 */
#ifndef SERVER_SUSPENSION_H
#define SERVER_SUSPENSION_H

#include "server/state.h"
#include "store/waiters.h"
#include "wire/wire.h"

/* To be called once the loop and the paths stand. 0 or -ENOMEM. */
int suspension_init(struct server *s);

/*
 * Registers that the job, which runs, is to be suspended until its children have ended by the policy;
 * *ret_count gets how many they are. Again for one that is registered already: nothing happens.
 * 0; -ENOENT: it has no children; -ELOOP: a child waits for it, *ret_child is its id, which lives until the
 * queue changes; or another -errno with the turn failed.
 */
int suspension_begin(struct server *s, struct queue_job *j, enum waits_policy policy,
    size_t *ret_count, const char **ret_child);

/* After the commit: their processes are ended. */
void suspension_flush(struct server *s);

/* Whether a job that has ended so has ended its process to be suspended. */
bool suspension_is_due(const struct queue_job *j, const struct wire_ended *m);

/* Its process has ended, and nothing is left of it: it is suspended. */
void suspension_enter(struct server *s, struct queue_job *j, const struct limits *limits);

/* Its wait is over: queued again, and its children's records are acknowledged: its file has them. */
void suspension_leave(struct server *s, struct queue_job *j);

/* Fills s->waits from the store, anew, once the queue stands, and goes on with what it says. 0 or -errno. */
int suspension_load(struct server *s);

#endif
