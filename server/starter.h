/*
 * starter: opens what a job needs, on the server's side: output file, heartbeat FIFO, standard
 * input, directory, and the launch block with the job's own variables. Runs in the server; must
 * not wait for anybody (a FIFO as standard input is opened without a writer).
 */
#ifndef SERVER_STARTER_H
#define SERVER_STARTER_H

#include "base/fault.h"
#include "base/path.h"
#include "store/store.h"
#include "wire/wire.h"

#include <limits.h>
#include <stddef.h>

/* How many bytes the job's own variables may add to its environment. */
#define STARTER_ENV_SPARE (4 * 1024 + 4 * PATH_MAX)

/*
 * Opens all for job j with its stored launch block; is_resumed: it is run again after a suspension. On success returns 0; fds, in the order of
 * enum wire_spawn_fd, are the caller's. Else returns -errno with *ret_stage a constant word
 * ("output", "heartbeat", "stdin", "directory", "launch") and f filled; nothing is left open.
 */
int starter_open(const struct paths *p, const struct store_job *j, bool is_resumed,
    const void *block, size_t len, int fds[WIRE_FD_COUNT], const char **ret_stage, struct fault *f);

/*
 * Opens again what the supervisor watches of a job that runs: its output file, and its heartbeat pipe, as
 * beatpaths_reopen() does. 0, with fds, in the order of enum wire_adopt_fd, the caller's; or -errno
 * with f filled.
 */
int starter_reopen(const struct paths *p, const struct standing *st, int fds[WIRE_ADOPT_FD_COUNT],
    bool *ret_is_deaf, struct fault *f);

/* Whether a failure will pass by itself: out of descriptors, memory, disk. */
int starter_is_temporary(int error);

/* Where the job's output, result and heartbeat FIFO are. 0 or -ENAMETOOLONG. */
int starter_output_path(const struct paths *p, int64_t job, char path[PATH_MAX]);
int starter_result_path(const struct paths *p, int64_t job, char path[PATH_MAX]);
int starter_beats_path(const struct paths *p, int64_t job, char path[PATH_MAX]);

/* Where a job that is resumed finds its children's results (results.h), and where that file is written. */
int starter_results_path(const struct paths *p, int64_t job, char path[PATH_MAX]);
int starter_results_part(const struct paths *p, int64_t job, char path[PATH_MAX]);

#endif
