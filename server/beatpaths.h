/*
 * beatpaths: heartbeat pipes and their paths ($SPAWND_HEARTBEAT) after somebody removed these under jobs
 * that run. Runs in the server; never waits for anybody.
 */
#ifndef SERVER_BEATPATHS_H
#define SERVER_BEATPATHS_H

#include "base/fault.h"
#include "base/path.h"
#include "wire/standing.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * A FIFO that was removed cannot be given a name again, but those that the supervisor reads can be
 * opened by way of its descriptors, proc_pid_fd(5): for each that has no name any more, its path
 * becomes a link to there. What is at such a path already is left alone, but for a link to where
 * the pipe was open before.
 */
void beatpaths_mend(const struct paths *p, pid_t supervisor);

/* The same, where the path of this job is a link that leads elsewhere. */
void beatpaths_mend_job(const struct paths *p, int64_t job, pid_t supervisor);

/*
 * Opens the heartbeat pipe of a job that runs, for the supervisor that is to adopt it: the FIFO at its
 * path; else the one that its first process has as its descriptor 3, whatever became of the path; else
 * a new one, at the path. Returns the descriptor, close-on-exec and non-blocking, or -errno with f filled.
 * *ret_is_deaf: it is a new one, and whether the job still writes to the old one cannot be seen.
 */
int beatpaths_reopen(const struct paths *p, const struct standing *st, bool *ret_is_deaf,
    struct fault *f);

/* Where the job's heartbeat FIFO is. 0 or -ENAMETOOLONG. */
int beatpaths_of(const struct paths *p, int64_t job, char path[PATH_MAX]);

#endif
