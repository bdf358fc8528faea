/*
 * caller: of which job a client is: by the process that made the connection (SO_PEERCRED, unix(7)), not by
 * what it says. Runs in the server.
 *
 * The job's mark in it tells (base/mark.h). A process without one may be of a job all the same, which
 * has taken it off: as long as it has not left the supervisor's tree either, its ancestors tell. A mark may
 * be another job's: for leave to be given, the job's first process must be above it, or be the leader of
 * its session. What this does not see: who takes off its mark and leaves the tree, or has somebody else
 * speak for it. All of them are the same user's.
 */
#ifndef SERVER_CALLER_H
#define SERVER_CALLER_H

#include "server/state.h"

/*
 * *ret_job: the job that has not ended of which the client is; 0: of none. 0; -ESRCH where it cannot be told:
 * it is of a job that is not known, or has gone, or cannot be seen from here, or has the mark of another; or
 * -errno of the store. *ret_is_certain: not only its mark says so.
 */
int caller_find(struct server *s, const struct conn *c, int64_t *ret_job, bool *ret_is_certain);

/* The same, for who gives leave; -ESRCH also where it is not certain. */
int caller_prove(struct server *s, const struct conn *c, int64_t *ret_job);

/*
 * The job that the client says it is part of, if its process carries that job's mark, and is below the job's first
 * process, or in its session, and the job has a process. Else 0. So nobody lends the room of a job but the
 * job itself. A client whose mark cannot be read, or that runs where there are none, is part of nothing.
 */
int64_t caller_job(struct server *s, const struct conn *c, int64_t claimed);

/*
 * What a job that the client enqueues may decide for itself at the most, enum policy: what the client's own job
 * may; -1: it is of none. Where that cannot be told, it is to ask. 0 or -errno.
 */
int caller_policy(struct server *s, struct conn *c, int64_t claimed, int *ret_policy);

#endif
