/*
 * processes: the table of processes: numbers that are reused as soon as the kernel would, groups,
 * parents, zombies, signals. Jobs' trees, the server, and strangers who must not feel anything.
 */
#ifndef SIM_PROCESSES_H
#define SIM_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESSES_MAX 1024 /* a power of two */
#define PID_MAX 900

/* Who a parent is, if not a process of the table. */
#define PARENT_INIT 0
#define PARENT_US 1

struct process {
	uint64_t number; /* no other process had it; 0: none */
	uint64_t group;  /* number of the process that founded its group */
	uint64_t parent; /* number of its parent, or PARENT_ */
	pid_t pid;
	pid_t pgid;
	uint64_t job; /* 0: none */
	uint64_t mark;
	bool is_server;
	bool is_in_cgroup; /* the one of its job */
	bool is_leader;    /* the job's first process */
	bool has_executed;
	bool is_zombie;
	bool is_stopped;
	bool is_stopped_by_us;
	bool is_missed; /* the kernel has refused a signal, or a handle, for it */
	uint64_t born_ns;
	bool is_dying;          /* SIGKILL has come */
	int caught;             /* a signal that waits until it goes on; 0: none */
	uint64_t busy_until_ns; /* in the kernel, where no signal reaches it (D) */
	int wait_status;        /* a zombie's */
	int report_fd; /* the reading end of the pipe that it holds until it executes; -1 */
	uint64_t report_number;
};

void processes_init(void);

/* NULL if there is none, or it has been reaped. By what cannot be reused, or by what can. */
struct process *processes_find(uint64_t number);
struct process *processes_find_pid(pid_t pid);

/* In the order of the table; NULL at the end. p may be NULL for the first. */
struct process *processes_next(const struct process *p);

/*
 * A new process: parent's child, in its group or in one of its own, with its job and mark. NULL: no room.
 * With parent NULL it is nobody's: its parent is given, and what else it is.
 */
struct process *processes_fork(const struct process *parent, uint64_t parent_number,
    bool is_own_group);

/* It leads a group of its own from now on. setsid(2). */
void processes_lead(struct process *p);

/* It ends: reported, orphaned, a zombie or gone. */
void processes_die(struct process *p, int wait_status);

/* Takes a zombie out of the table. */
void processes_reap(struct process *p);

/* The supervisor signals it. */
void processes_signal(struct process *p, int signo);

/* How many of a job live; zombies do not count. */
unsigned processes_living(uint64_t job);

/* Whether anybody lives in the cgroup of the job. */
bool processes_has_cgroup_member(uint64_t job);

/* The one with this number ends now, if it belongs to a job, and a stranger may get the number. */
void processes_replace(pid_t pid);

/* Bystanders come and go from now on. */
void processes_stranger_comes(void *arg, uint64_t tag);

#endif
