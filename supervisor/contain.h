/*
 * contain: what holds a job's tree together beyond its process group, so that nobody leaves it by
 * setsid(2) or a double fork:
 *
 * cgroup      a cgroup v2 directory for each job, made before its clone, which puts the child there;
 *             cgroup.kill ends all at once, cgroup.events says when nobody is left. Where a directory
 *             may be made and the kernel has cgroup.kill (Linux 5.14); no controller is needed.
 * subreaper   orphans of the tree become children of the supervisor; the mark tells whose they are.
 * group       the process group alone.
 *
 * The mark is a random number in the soft limit RLIMIT_LOCKS of each process of the job (prlimit(2)):
 * the kernel has enforced nothing by it since Linux 2.4.25, every child inherits it, and execve(2),
 * setsid(2) and an empty environment leave it alone. It is set whatever the containment: who
 * signals a process by its number checks it after pidfd_open(2).
 *
 * Documentation/admin-guide/cgroup-v2.rst, getrlimit(2), prctl(2) PR_SET_CHILD_SUBREAPER.
 */
#ifndef SUPERVISOR_CONTAIN_H
#define SUPERVISOR_CONTAIN_H

#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct contain {
	int base_fd; /* the cgroup in which those of the jobs are, held by a lock; -1: there is none */
	int children_fd; /* this process's children, proc_pid_children(5); -1: the kernel tells none */
	uint64_t mark_limit;  /* marks lie from WIRE_MARK_LEAST on below this; 0: none can be set */
	uint64_t controllers; /* CONTAIN_ bits: what the jobs' cgroups can limit */
	char base_path[512];  /* to remove it at the end */
};

#define CONTAIN_MEMORY 0x1u
#define CONTAIN_PIDS 0x2u

/*
 * Finds out what can be had, and makes the base cgroup, named by instance; cannot fail. To be called
 * before there are other processes than this one.
 */
void contain_init(struct contain *c, uint64_t instance);

/* Removes the base cgroup if nobody is left in it. */
void contain_fini(struct contain *c);

/* What a wish comes to: a fact, or -ENOTSUP if it is for a cgroup and there is none. */
int contain_choose(const struct contain *c, enum wire_containment wish);

/*
 * Makes the job's cgroup with its limits, and writes the mark of the job's processes (0: none) on it; *ret_fd (O_PATH,
 * close-on-exec) is the caller's, for proc_clone(). 0 or -errno, with nothing left behind.
 */
int contain_open(const struct contain *c, uint64_t job, uint64_t mark, const struct limits *limits,
    int *ret_fd);

/*
 * The base of an earlier supervisor in which the cgroup of this job is, as pid, a process of it, tells.
 * *ret_base_fd (O_PATH, close-on-exec) is the caller's. 0, -ENOENT (it is in no such cgroup), or
 * -errno.
 */
int contain_find(pid_t pid, uint64_t job, int *ret_base_fd);

/*
 * The same by the mark on the job's cgroup, whoever still lives there: among the bases beside our own. 0, -ENOENT (there
 * is none; or no base of our own, or mark is 0), or -errno.
 */
int contain_find_marked(const struct contain *c, uint64_t job, uint64_t mark, int *ret_base_fd);

/* The following take the base that the job's cgroup is in. */

/* Kills everybody in the job's cgroup and below it. 0 or -errno. */
int contain_kill(int base_fd, uint64_t job);

/* 1: somebody lives in the job's cgroup or below it; 0: nobody; or -errno. */
int contain_is_populated(int base_fd, uint64_t job);

/*
 * Removes the job's cgroup and those that it made below, as far as nobody lives there. 0: it is gone; -EBUSY: somebody
 * does; -EAGAIN: there are more than are removed at once; or another -errno. Except for 0, call it again later.
 */
int contain_remove(int base_fd, uint64_t job);

/* A pass over the base, in steps. */
struct contain_sweep {
	int fd;       /* owned, -1: no pass is under way */
	bool is_left; /* this pass has left something */
	bool
	    is_unfinished; /* and not only because somebody lives there: another pass would remove more */
};

/*
 * Removes some of the cgroups of jobs that is_wanted() does not want, as contain_remove(). 1: the pass goes
 * on; 0: it is over; or -errno, and it is over. Never takes longer than a few milliseconds.
 */
int contain_remove_step(struct contain_sweep *sweep, const struct contain *c,
    bool (*is_wanted)(void *arg, uint64_t job), void *arg);
void contain_remove_stop(struct contain_sweep *sweep);

/* For a child between clone and exec: takes the mark. 0 or -errno. */
int contain_set_mark(uint64_t mark);

/*
 * The mark of a process and, where it runs below another spawnd, of that one's job (0: none).
 * 0; -ESRCH; or -errno: nobody can tell. A zombie has its mark until it is reaped.
 */
int contain_read_mark(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer);

/*
 * Calls visit(arg, pid) for each child of this process, living or zombie, until it returns false; those
 * that come while it reads come last and are seen. 0 or -errno (-EAGAIN: as visit() wished; -ENOTSUP); after an
 * error not all were seen.
 */
int contain_children(const struct contain *c, bool (*visit)(void *arg, pid_t pid), void *arg);

#endif
