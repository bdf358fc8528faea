/*
 * waiters: what jobs that have not ended wait for, in the store. Run by the server only. What is said in
 * store.h about calls that write, and about errors, goes for these as well.
 */
#ifndef STORE_WAITERS_H
#define STORE_WAITERS_H

#include "queue/waits.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum waiters_kind {
	WAITERS_AFTER, /* it is not started before the wait is over */
	WAITERS_SUSPENDING, /* once its process has ended it is suspended, and run again when the wait is over */
	WAITERS_RESUMED, /* it was: its children's records up to `last` are for its next run */
	WAITERS_KIND_COUNT
};

struct waiters_row {
	int64_t job;
	enum waiters_kind kind;
	enum waits_policy policy;
	int64_t
	    since; /* of one that is to be suspended, or was: records of its children up to here are older */
	int64_t last;
};

/* The job waits from now on, for these; what it waited for before is forgotten. 0 or -errno. */
int waiters_add(struct store *s, const struct waiters_row *row, const struct waits_edge *edges,
    size_t count);

/* Whoever waits for job `after` is to know how it ended. */
int waiters_end(struct store *s, int64_t after, enum status status);

/* It waits for nobody any more. */
int waiters_drop(struct store *s, int64_t job);

/*
 * A job that runs has ended its process to wait: suspended, with the event of that name. And back to queued, to
 * be run again, with the event `resumed`. -ENOENT if it has another status.
 */
int waiters_suspend(struct store *s, int64_t job);
int waiters_resume(struct store *s, int64_t job, int64_t last);

/* The row of one job. -ENOENT. */
int waiters_read(struct store *s, int64_t job, struct waiters_row *ret_row);

/*
 * Where the records of a job's children begin that are its own, and none of an earlier run of the same child
 * id: the seq of that run's record, 0 if there was none.
 */
int waiters_first_seq(struct store *s, const char *child, int64_t job, int64_t *ret_seq);

typedef int waiters_cb(void *arg, const struct waiters_row *row, const struct waits_edge *edges,
    size_t count);

/* All of them, by number; rules as for the callbacks of store.h. */
int waiters_each(struct store *s, waiters_cb *cb, void *arg);

#endif
