/*
 * spawn: from the descriptors of a WIRE_SPAWN to a process that executes the job's program. The
 * parent's half never waits: whether the program was executed comes through a pipe, later.
 */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include "supervisor/proc.h"
#include "wire/wire.h"

#include <stdint.h>

/* Where a program is looked for if the job's environment has no PATH. */
#define SPAWN_DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

/* A launch block larger than this is not believed; no kernel would execute it. */
#define SPAWN_LAUNCH_MAX (64u * 1024 * 1024)

struct spawn_request {
	int fds[WIRE_FD_COUNT]; /* the caller's; all close-on-exec */
	int cgroup_fd;          /* of contain_open(); -1: none. The caller's */
	uint64_t mark;          /* contain.h; 0: none */
	uint64_t nofile_limit;  /* the child's soft RLIMIT_NOFILE, if it has no max_open_files */
	struct limits limits;   /* those that it sets itself: nice to max_cpu_ns */
};

/*
 * The pipe through which a child tells that it could not execute its program: ret_ends[0], not
 * blocking, for spawn_outcome(); ret_ends[1] for spawn_child(). Close-on-exec. 0 or -errno.
 */
int spawn_report_pipe(int ret_ends[2]);

/*
 * Starts the child: a session and group of its own, a lock on its heartbeat pipe (fcntl(2), the whole of it), default signals, umask, directory, standard
 * descriptors, heartbeat pipe at 3, and its limits. The caller closes report_fd, its writing end, after that. request
 * must not lie in memory that children do not have. 0, or -errno of clone(2): then there is no child.
 */
int spawn_child(struct proc_abilities *a, const struct spawn_request *request, int report_fd,
    struct proc *ret_p);

/*
 * What came of it: 0 with *ret_stage WIRE_STAGE_NONE if the pipe was closed without a word, which
 * means that the program was executed or that the child died before; another stage and *ret_error
 * (errno) if it could not be. -EAGAIN: not known yet. Another -errno if the pipe cannot be read.
 */
int spawn_outcome(int report_fd, enum wire_stage *ret_stage, int *ret_error);

/*
 * For a child between clone and exec: moves fds[i] to number i, and keeps it across the exec. -1
 * leaves number i alone. *ret_kept is moved out of the way, close-on-exec; may be -1. 0 or -errno.
 */
int spawn_place_fds(int *fds, int count, int *ret_kept);

/* For a child: its soft RLIMIT_NOFILE, as far as the hard one allows. 0 or -errno. */
int spawn_restore_nofile(uint64_t soft);

/* For a child: SIGPIPE, the one signal that the supervisor ignores, as by default; nothing blocked. */
void spawn_reset_signals(void);

#endif
