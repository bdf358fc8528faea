/*
 * proc: a process, as a rule a child, as one handle, its number and its pidfd, and the process group it leads.
 * Numbers travel no further: groups are signalled through the pidfd where the kernel can (Linux
 * 6.9), otherwise by number while the leader is kept a zombie, so that the number cannot be reused.
 */
#ifndef SUPERVISOR_PROC_H
#define SUPERVISOR_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the running kernel can. A test may set it. */
struct proc_abilities {
	bool has_group_pidfd; /* PIDFD_SIGNAL_PROCESS_GROUP, also after the leader was reaped */
	bool has_clone3;
	bool has_exit_info; /* PIDFD_GET_INFO: how a process that others have reaped ended (6.15) */
};

struct proc {
	pid_t pid; /* 0: none */
	int pidfd; /* owned, -1: none */
};

#define PROC_NONE \
	(struct proc) \
	{ \
		.pid = 0, .pidfd = -1 \
	}

/* How a process ended and what it used. */
struct proc_end {
	int wait_status; /* wait(2) */
	uint64_t cpu_ns; /* user and system, of it and all it waited for */
	uint64_t max_rss_kb;
};

enum proc_group {
	PROC_GROUP_EMPTY, /* proved: nobody is left, not even a zombie */
	PROC_GROUP_LIVE,
	PROC_GROUP_UNSURE, /* has to be looked for by proc_scan() */
	PROC_GROUP_COUNT
};

/*
 * 0, or -errno (ENOSYS) where there are no pidfds at all: then nothing here works. without (NULL: nothing)
 * names, with blanks between, what is to be done without though the kernel has it: "group-pidfd",
 * "clone3", "exit-info".
 */
int proc_abilities_detect(struct proc_abilities *ret_a, const char *without);

/*
 * fork(2) with a pidfd (clone3(2), CLONE_PIDFD; pidfd_open(2) where that is missing), into the cgroup
 * that cgroup_fd stands for (-1: the parent's; CLONE_INTO_CGROUP, only where a->has_clone3). Returns 0
 * in the child, 1 in the parent with *ret_p filled, or -errno (EAGAIN, ENOMEM, EMFILE). The child is
 * a copy with the parent's mask and descriptors and may only exec or _exit.
 */
int proc_clone(struct proc_abilities *a, int cgroup_fd, struct proc *ret_p);

/*
 * A handle for any process. 0 or -errno (ESRCH, EMFILE). What was known of the number before may have
 * been another process: ask again after this. pidfd_open(2).
 */
int proc_open(pid_t pid, struct proc *ret_p);

/*
 * A handle for the process of this number, if it is the one that began at start_time (proc_stat.start_time).
 * 0, -ESRCH (that one has gone), or -errno (EMFILE).
 */
int proc_find(pid_t pid, uint64_t start_time, struct proc *ret_p);

/* Closes the handle; the process is not touched. */
void proc_close(struct proc *p);

/* To the process alone. 0 or -errno (ESRCH). pidfd_send_signal(2). */
int proc_signal(const struct proc *p, int signo);

/*
 * To every member of the group that p leads; p must not have been reaped where
 * a->has_group_pidfd is false. 0 or -errno (ESRCH: no group; EPERM: all its members are another user's).
 */
int proc_signal_group(const struct proc_abilities *a, const struct proc *p, int signo);

/*
 * Whether anybody is left in the group of a leader that has exited: reaped if a->has_group_pidfd, not
 * reaped otherwise. A zombie that its parent does not reap counts as alive here.
 */
enum proc_group proc_group_look(const struct proc_abilities *a, const struct proc *p);

/*
 * The number of one child that has exited and was not reaped, 0 if there is none, in *ret_pid. The child is
 * left as it is: asking again gives the same one until it is reaped. 0 or -errno. waitid(2), WNOWAIT.
 */
int proc_next_exited(pid_t *ret_pid);

/* 1: pid is a child of ours that has exited and was not reaped; 0: it is not; or -errno. */
int proc_has_exited(pid_t pid);

/*
 * How p ended; reaps it if is_reaping, which is when *ret_end's figures are complete. 0; -EAGAIN if
 * it has not exited; -ECHILD if it is no child of ours; or -errno.
 */
int proc_wait(const struct proc *p, bool is_reaping, struct proc_end *ret_end);

/*
 * How p, who began at start_time, is no child of ours and has exited (its pidfd is readable), ended: its wait
 * status. A zombie's stands in proc_pid_stat(5), for those who may know; of one that was reaped
 * PIDFD_GET_INFO tells, include/uapi/linux/pidfd.h. -EAGAIN: it was not reaped yet, ask again; -ESRCH: the
 * kernel does not tell.
 */
int proc_exit_status(struct proc_abilities *a, const struct proc *p, uint64_t start_time,
    int *ret_wait_status);

/* Reaps a child that nobody has a handle for. */
void proc_reap_stray(pid_t pid);

/* A pass over /proc that may be interrupted. */
struct proc_scan {
	int fd; /* owned; -1: none under way */
};

/*
 * Calls visit(arg, pid) for the next few dozen processes in /proc, in the order of their numbers; begins
 * a pass if none is under way. 1: there are more; 0: that was all; or -errno, when not all were seen:
 * the pass is over then, too.
 */
int proc_scan_step(struct proc_scan *scan, void (*visit)(void *arg, pid_t pid), void *arg);

/* Drops the pass. */
void proc_scan_stop(struct proc_scan *scan);

/* A whole pass. 0 or -errno. */
int proc_scan(void (*visit)(void *arg, pid_t pid), void *arg);

/* What the supervisor asks of /proc/PID/stat. */
struct proc_stat {
	uint64_t start_time; /* field 22, in clock ticks since the boot */
	bool has_executed;   /* field 9, PF_FORKNOEXEC is not set */
	bool is_dead;        /* a zombie, with no thread that lives on */
	int exit_code; /* field 52, of a zombie its wait status; 0 as well where we may not know */
};

/* 0, -ESRCH/-ENOENT (no such process), -EBADMSG, or another -errno. */
int proc_stat_read(pid_t pid, struct proc_stat *ret_st);

#endif
