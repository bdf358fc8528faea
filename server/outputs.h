/*
 * outputs: the output files of running jobs that have max_output, watched and kept to it: the
 * oldest part is freed by punching a hole, fallocate(2). Runs in the server alone: a disk that
 * stalls holds up nothing in the supervisor.
 *
 * A file that does not grow costs nothing: inotify(7) with IN_ONESHOT tells its next write, once;
 * from then on a timer looks at it while it grows. No descriptor is kept: a look opens the file by
 * its path. Must not read what is in it, and never changes a byte that it keeps.
 */
#ifndef SERVER_OUTPUTS_H
#define SERVER_OUTPUTS_H

#include "base/loop.h"
#include "base/path.h"
#include "watchdog/watchdog.h"

#include <stdbool.h>
#include <stdint.h>

enum outputs_action {
	OUTPUTS_TRIM, /* its oldest part is freed from now on */
	OUTPUTS_KILL, /* the same, and it is to be ended */
	OUTPUTS_KEEP, /* nothing: the file system frees no parts of files */
	OUTPUTS_ACTION_COUNT
};

/* A job's output takes more room than it may. */
struct outputs_excess {
	int64_t job;
	enum outputs_action action;
	bool is_new; /* false: an earlier server has freed some of it already, and said so */
	uint64_t max_output;
	uint64_t output_bytes; /* its length, what was freed included */
};

struct outputs_handlers {
	/*
	 * Called once for each job and server. Nothing has been freed yet if is_new, and nothing is
	 * before the loop's next turn, unless the job has ended.
	 */
	void (*exceeded)(void *arg, const struct outputs_excess *x);
	/* Something goes wrong, and what is done about it: one line. */
	void (*trouble)(void *arg, const char *text);
	void *arg;
};

struct outputs;

/*
 * l and p must outlive it. Without inotify it goes on by looking, and says so. 0, or -errno
 * (ENOMEM, EMFILE).
 */
int outputs_new(struct loop *l, const struct paths *p, const struct outputs_handlers *h,
    struct outputs **ret_outputs);
void outputs_free(struct outputs *all);

/*
 * Watches the output of a job that is being started, or runs, by its limits; nothing happens if it
 * has no max_output or is watched already. 0 or -ENOMEM.
 */
int outputs_watch(struct outputs *all, int64_t job, const struct limits *limits);

/* It was not started after all. */
void outputs_forget(struct outputs *all, int64_t job);

/* Forgets all jobs. */
void outputs_clear(struct outputs *all);

/*
 * The job has ended: keeps its file to the limit for the last time, and forgets it. Returns how many
 * bytes of its output have been freed, from its beginning, since it was started.
 */
uint64_t outputs_finish(struct outputs *all, int64_t job, const struct limits *limits);

/* Whether a job that has ended wrote so much that it is to be ended for that, had it been seen in time. */
bool outputs_is_fatal(const struct outputs *all, int64_t job, const struct limits *limits);

#endif
