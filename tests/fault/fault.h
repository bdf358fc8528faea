/*
 * fault: failures of system calls, planned by a driver and done inside the supervisor.
 *
 * Three programs share one page: the driver (drive.c) plans one failure and starts a supervisor that is
 * linked with --wrap for each function that makes system calls (wrap.c); that one counts its calls, and
 * fails those that the plan means; its server (player.c) plays a scenario and notes what it was told.
 */
#ifndef TESTS_FAULT_FAULT_H
#define TESTS_FAULT_FAULT_H

#include "wire/wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum fault_call {
	FAULT_CLONE3,
	FAULT_CLOSE,
	FAULT_DUP2,
	FAULT_EPOLL_CREATE,
	FAULT_EPOLL_CTL,
	FAULT_EPOLL_WAIT,
	FAULT_EXECVE,
	FAULT_FACCESSAT,
	FAULT_FCHDIR,
	FAULT_FCNTL,
	FAULT_FGETS,
	FAULT_FOPEN,
	FAULT_FORK,
	FAULT_FLOCK,
	FAULT_FSTAT,
	FAULT_GETDENTS,
	FAULT_FUTIMENS,
	FAULT_GETPGID,
	FAULT_GETXATTR,
	FAULT_IOCTL,
	FAULT_KILL,
	FAULT_LSEEK,
	FAULT_MADVISE,
	FAULT_MALLOC,
	FAULT_MKDIR,
	FAULT_MKDIRAT,
	FAULT_MMAP,
	FAULT_MUNMAP,
	FAULT_NANOSLEEP,
	FAULT_OPEN,
	FAULT_OPENAT,
	FAULT_PIDFD_OPEN,
	FAULT_PIDFD_SEND_SIGNAL,
	FAULT_PIPE2,
	FAULT_PRCTL,
	FAULT_PRLIMIT,
	FAULT_READ,
	FAULT_RECVMSG,
	FAULT_RMDIR,
	FAULT_SENDMSG,
	FAULT_SENDTO,
	FAULT_SETPRIORITY,
	FAULT_SETRLIMIT,
	FAULT_SETSID,
	FAULT_SETSOCKOPT,
	FAULT_SETXATTR,
	FAULT_SIGNALFD,
	FAULT_SOCKET,
	FAULT_SOCKETPAIR,
	FAULT_TIMERFD_CREATE,
	FAULT_TIMERFD_SETTIME,
	FAULT_UNLINKAT,
	FAULT_WAITID,
	FAULT_WAITPID,
	FAULT_WRITE,
	FAULT_CALL_COUNT
};

/* In place of an errno: the call does only a part of what it was asked for. */
#define FAULT_SHORT (-1)
#define FAULT_ERRORS_MAX 6

struct fault_kind {
	const char *name;
	bool is_done;                 /* it is done, and fails all the same */
	int errors[FAULT_ERRORS_MAX]; /* that may come of it; 0: no more */
};

const struct fault_kind *fault_kind(enum fault_call call);

enum fault_side {
	FAULT_SUPERVISOR,
	FAULT_CHILD, /* its children up to their exec */
	FAULT_SIDE_COUNT
};

/* Where a call is made: in this binary, which lies at the same address in each run. */
struct fault_site {
	_Atomic uint64_t address; /* where it returns to; 0: no site */
	_Atomic uint32_t count;
	_Atomic uint32_t call;
};

#define FAULT_SITES 256

/* Which calls fail: of those at one site, or of one kind, from the first-th on. */
struct fault_plan {
	enum fault_side side;
	uint64_t address; /* 0: any of that kind */
	enum fault_call call;
	uint32_t first; /* 0: none fails */
	uint32_t times;
	uint64_t for_ns; /* since the first of them; UINT64_MAX: however long */
	int error;
};

#define FAULT_JOBS 14

enum fault_job_state {
	FAULT_JOB_NEW,
	FAULT_JOB_SENT,
	FAULT_JOB_STORED /* its end has come */
};

struct fault_job {
	enum fault_job_state state;
	bool has_started;
	bool was_paused;
	int32_t pid; /* of one that the player has started itself, to have it adopted; 0: none */
	uint64_t start_time;
	uint64_t mark;
	bool was_poked; /* what the scenario does to it once it runs was done */
	struct wire_ended ended;
};

struct fault_page {
	struct fault_plan plan;
	_Atomic uint32_t seen;   /* calls that the plan is about */
	_Atomic uint32_t failed; /* and those that failed */
	_Atomic uint64_t since_ns;
	_Atomic uint32_t calls[FAULT_SIDE_COUNT];
	struct fault_site sites[FAULT_SIDE_COUNT][FAULT_SITES];
	pid_t supervisor;
	uint64_t cpu_ns; /* of the supervisor itself, at its end */
	bool has_begun;  /* a server was told HELLO */
	bool has_ended;  /* supervisor_run() has returned */

	/* The player's, who may be killed. */
	uint64_t instance;
	uint32_t fds_wanted; /* how many descriptors the supervisor may have in the end */
	uint32_t fds_found;
	bool has_crashed;
	bool has_stopped;
	struct fault_job jobs[FAULT_JOBS];
	char violation[256]; /* what the player found wrong; empty: nothing */
};

/* Maps the page from its file. */
struct fault_page *fault_map(const char *path);

/* From here on this process is the supervisor: its calls are counted, and fail as the plan says. */
void fault_begin(struct fault_page *page);

/* No more of that. */
void fault_end(void);

/* What is to become of this call: 0: let it be done; else an errno, or FAULT_SHORT. */
int fault_decide(enum fault_call call, const void *site);

/* The supervisor's process has been cloned, and this is the child. */
void fault_is_child(void);

/* The server: plays the scenario in dir. */
_Noreturn void player_run(struct fault_page *page, const char *dir);

/* How many jobs there are in it. */
unsigned player_job_count(void);

/* What is wrong with the end of a job, or NULL; error: the errno that something failed with, 0: nothing. */
const char *player_judge(unsigned job, const struct wire_ended *ended, int error);

#endif
