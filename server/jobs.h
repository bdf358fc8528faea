/*
 * jobs: the life of a job, from accepted to ended: each change goes to the store and the queue
 * together. Runs in the server. Nothing leaves the process from here before the turn's commit,
 * but for requests to cancel, which harm nobody when they are repeated or forgotten.
 */
#ifndef SERVER_JOBS_H
#define SERVER_JOBS_H

#include "server/state.h"
#include "wire/wire.h"

/* All that a new job is made of; job and run of `job` are filled in on success. */
struct jobs_new {
	struct store_job job;
	const char *token;  /* or NULL */
	int64_t parent_job; /* kin_find() */
	int policy;         /* its own, enum policy, -1: none; job->policy is what comes of it */
	int caller_policy;  /* that of the job that enqueues it, -1: none */
	const void *block;
	size_t block_len;
};

/*
 * Adds a queued job. 0; -EEXIST where the token made job->job before; -EINVAL where a child of
 * that id has not ended; or another -errno, with the turn failed.
 */
int jobs_add(struct server *s, struct jobs_new *n);

/* Takes as many jobs out of the queue as there is room for; they are started after the commit. */
void jobs_schedule(struct server *s);

/*
 * After the commit: hands them to the supervisor. What cannot be opened ends its job, or puts it
 * back.
 */
void jobs_launch(struct server *s);

/*
 * Ends a job, and that one alone (server/cancel.h: all below it): a queued one at once, one that runs
 * by the
 * supervisor. Returns how many.
 */
size_t jobs_cancel(struct server *s, struct queue_job *j);

/* All that run or are being started, and nothing else; queued jobs stay. */
void jobs_cancel_running(struct server *s);

/*
 * Has the supervisor stop a job that runs, and its clocks, or let it go on. Like a request to cancel
 * this harms nobody when it is repeated or forgotten.
 */
void jobs_pause(struct server *s, const struct queue_job *j, bool is_paused);

/*
 * Asks the supervisor how a job is that it was told of, unless an answer is still to come. So where
 * none was, the next one knows of all that was sent before.
 */
void jobs_look(struct server *s, struct queue_job *j);

/* What the supervisor says. Started: -ENOENT if there is no such unfinished job. */
int jobs_started(struct server *s, const struct standing *st);
void jobs_ended(struct server *s, const struct wire_ended *m);
void jobs_looked(struct server *s, const struct wire_looked *m);

/* How a job ended, as far as it is known. */
struct ending {
	enum status status;
	const char *error;
	const char *stage; /* NULL: it was executed, or never got so far */
	int start_error;
	const struct wire_ended *ended; /* or NULL */
};

/*
 * The end of a job, however it came; or of a run of it, if it is to be run again (server/retry.h).
 * -ENOENT if the store knows of no such unfinished job; or -errno.
 */
int jobs_end(struct server *s, int64_t number, const struct ending *e);

#endif
