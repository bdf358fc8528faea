/*
 * proc: see proc.h. Run by the supervisor. Makes system calls and nothing else; never allocates,
 * never signals a number that could have been reused.
 */
#include "supervisor/proc.h"

#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1UL << 2)
#endif
/* Bytes of names in one step over /proc: some seventy processes. */
#define STEP_SIZE 2048

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/*
 * The first version of struct pidfd_info, and how to ask for it: include/uapi/linux/pidfd.h of Linux 6.15, newer
 * than the headers that spawnd is built with.
 */
struct exit_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t numbers[11]; /* pid, tgid, ppid, and eight of users and groups */
	int32_t exit_code;    /* a wait status */
};
_Static_assert(sizeof(struct exit_info) == 64, "PIDFD_INFO_SIZE_VER0");
#undef PIDFD_GET_INFO
#define PIDFD_GET_INFO _IOWR(0xff, 11, struct exit_info)
#undef PIDFD_INFO_EXIT
#define PIDFD_INFO_EXIT (UINT64_C(1) << 3)

/* include/linux/sched.h: "Forked but didn't exec". */
#define PF_FORKNOEXEC 0x40u

/* For glibc's waitid() gives no rusage. */
static int
wait_raw(idtype_t type, id_t id, siginfo_t *ret_info, int options, struct rusage *ret_usage)
{
	int rc;

	ret_info->si_pid = 0;
	do
		rc = (int)syscall(SYS_waitid, type, id, ret_info, options, ret_usage);
	while (rc == -1 && errno == EINTR);
	return rc == -1 ? -errno : 0;
}

static int
pidfd_signal(int pidfd, int signo, unsigned long flags)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, flags) == -1 ? -errno : 0;
}

static bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word), next;

	for (; words != NULL && *words != '\0'; words += next + strspn(words + next, " ")) {
		next = strcspn(words, " ");
		if (next == len && strncmp(words, word, len) == 0)
			return true;
	}
	return false;
}

int
proc_abilities_detect(struct proc_abilities *ret_a, const char *without)
{
	FD_CLEANUP int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self == -1)
		return -errno;
	/* We may lead no group, which gives ESRCH; a kernel that does not know the flag says EINVAL. */
	ret_a->has_group_pidfd = pidfd_signal(self, 0, PIDFD_SIGNAL_PROCESS_GROUP) != -EINVAL &&
	    !has_word(without, "group-pidfd");
	/* Until they are asked for. */
	ret_a->has_clone3 = !has_word(without, "clone3");
	ret_a->has_exit_info = !has_word(without, "exit-info");
	return 0;
}

static int
clone_plain(struct proc *ret_p)
{
	pid_t pid = fork();
	int error;

	if (pid <= 0)
		return pid == 0 ? 0 : -errno;
	ret_p->pid = pid;
	/* It is not reaped, so this is the right one, dead or alive. */
	ret_p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret_p->pidfd != -1)
		return 1;
	error = -errno;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR)
		continue;
	return error;
}

int
proc_clone(struct proc_abilities *a, int cgroup_fd, struct proc *ret_p)
{
	int pidfd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD | (cgroup_fd != -1 ? CLONE_INTO_CGROUP : 0),
	    .pidfd = (uint64_t)(uintptr_t)&pidfd,
	    .exit_signal = SIGCHLD,
	    .cgroup = cgroup_fd != -1 ? (uint64_t)cgroup_fd : 0};
	long pid = -1;

	if (a->has_clone3) {
		pid = syscall(SYS_clone3, &args, sizeof(args));
		/* A sandbox that does not know it says EPERM or ENOSYS. */
		if (pid == -1 && errno != ENOSYS && errno != EPERM)
			return -errno;
		a->has_clone3 = pid != -1;
	}
	if (pid == -1)
		return cgroup_fd == -1 ? clone_plain(ret_p) : -ENOTSUP;
	if (pid == 0)
		return 0;
	*ret_p = (struct proc){.pid = (pid_t)pid, .pidfd = pidfd};
	return 1;
}

int
proc_open(pid_t pid, struct proc *ret_p)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd == -1)
		return -errno;
	*ret_p = (struct proc){.pid = pid, .pidfd = pidfd};
	return 0;
}

int
proc_find(pid_t pid, uint64_t start_time, struct proc *ret_p)
{
	struct proc_stat st;
	struct proc proc;
	int error = proc_open(pid, &proc);

	if (error != 0)
		return error;
	/* Only now the number stands for one process: is it the one? */
	error = proc_stat_read(pid, &st);
	if (error != 0 || st.start_time != start_time) {
		proc_close(&proc);
		return error == 0 || error == -ENOENT ? -ESRCH : error;
	}
	*ret_p = proc;
	return 0;
}

void
proc_close(struct proc *p)
{
	fd_close(&p->pidfd);
	p->pid = 0;
}

int
proc_signal(const struct proc *p, int signo)
{
	return pidfd_signal(p->pidfd, signo, 0);
}

int
proc_signal_group(const struct proc_abilities *a, const struct proc *p, int signo)
{
	if (a->has_group_pidfd)
		return pidfd_signal(p->pidfd, signo, PIDFD_SIGNAL_PROCESS_GROUP);
	return kill(-p->pid, signo) == -1 ? -errno : 0;
}

enum proc_group
proc_group_look(const struct proc_abilities *a, const struct proc *p)
{
	siginfo_t info;
	int error;

	if (a->has_group_pidfd) {
		error = pidfd_signal(p->pidfd, 0, PIDFD_SIGNAL_PROCESS_GROUP);
		return error == -ESRCH ? PROC_GROUP_EMPTY : PROC_GROUP_LIVE;
	}
	/*
	 * Without WEXITED a zombie does not count, so ECHILD says that no child of ours in the group
	 * lives. Others may, whose parent has left the group.
	 */
	error = wait_raw(P_PGID, (id_t)p->pid, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL, NULL);
	return error == -ECHILD ? PROC_GROUP_UNSURE : PROC_GROUP_LIVE;
}

int
proc_next_exited(pid_t *ret_pid)
{
	siginfo_t info;
	int error = wait_raw(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	if (error != 0 && error != -ECHILD)
		return error;
	*ret_pid = error == 0 ? info.si_pid : 0;
	return 0;
}

int
proc_has_exited(pid_t pid)
{
	siginfo_t info;
	int error = wait_raw(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	if (error == -ECHILD)
		return 0;
	return error != 0 ? error : info.si_pid == pid;
}

static uint64_t
timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * NSEC_PER_SEC + (uint64_t)tv.tv_usec * 1000;
}

int
proc_wait(const struct proc *p, bool is_reaping, struct proc_end *ret_end)
{
	int options = WEXITED | WNOHANG | __WALL | (is_reaping ? 0 : WNOWAIT);
	siginfo_t info;
	struct rusage usage;
	int error;

	error = wait_raw(P_PIDFD, (id_t)p->pidfd, &info, options, &usage);
	if (error != 0)
		return error;
	if (info.si_pid == 0)
		return -EAGAIN;
	/* The encoding of wait(2): an exit code in the second byte, or a signal and 0x80 for a core. */
	if (info.si_code == CLD_EXITED)
		ret_end->wait_status = (info.si_status & 0xff) << 8;
	else
		ret_end->wait_status = info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
	ret_end->cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	ret_end->max_rss_kb = (uint64_t)usage.ru_maxrss;
	return 0;
}

/* Whether we may know what /proc tells of a process to those who might trace it: ptrace(2), proc_pid_io(5). */
static bool
is_transparent(pid_t pid)
{
	char path[32], byte;
	FD_CLEANUP int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd != -1 && read(fd, &byte, 1) == 1;
}

/* 0 with the status of one that was reaped; -EAGAIN: it was not; -ESRCH: that is not told. */
static int
ask_exit_info(struct proc_abilities *a, const struct proc *p, int *ret_wait_status)
{
	struct exit_info info = {.mask = PIDFD_INFO_EXIT};

	if (!a->has_exit_info)
		return -ESRCH;
	if (ioctl(p->pidfd, PIDFD_GET_INFO, &info) == -1) {
		/* Kernels that have the call, but not this part of it, know nothing of who was reaped. */
		a->has_exit_info = errno != ENOTTY && errno != EINVAL;
		return -ESRCH;
	}
	if ((info.mask & PIDFD_INFO_EXIT) == 0)
		return -EAGAIN;
	*ret_wait_status = info.exit_code;
	return 0;
}

int
proc_exit_status(struct proc_abilities *a, const struct proc *p, uint64_t start_time,
    int *ret_wait_status)
{
	bool is_transparent_to_us = is_transparent(p->pid);
	struct proc_stat st;

	/* In this order: what could be read of it then, it still is, if the number is still its own. */
	if (is_transparent_to_us && proc_stat_read(p->pid, &st) == 0 &&
	    st.start_time == start_time && st.is_dead) {
		*ret_wait_status = st.exit_code;
		return 0;
	}
	return ask_exit_info(a, p, ret_wait_status);
}

void
proc_reap_stray(pid_t pid)
{
	siginfo_t info;

	wait_raw(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WALL, NULL);
}

int
proc_scan_step(struct proc_scan *scan, void (*visit)(void *arg, pid_t pid), void *arg)
{
	_Alignas(struct fd_entry) char buffer[STEP_SIZE];
	const struct fd_entry *entry;
	ssize_t len, at;
	long pid;
	char *end;

	if (scan->fd == -1)
		scan->fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan->fd == -1)
		return -errno;
	len = fd_read_entries(scan->fd, buffer, sizeof(buffer));
	if (len <= 0) {
		proc_scan_stop(scan);
		return (int)len;
	}
	for (at = 0; at < len; at += entry->reclen) {
		entry = (const struct fd_entry *)(buffer + at);
		pid = strtol(entry->name, &end, 10);
		if (pid > 0 && *end == '\0')
			visit(arg, (pid_t)pid);
	}
	return 1;
}

void
proc_scan_stop(struct proc_scan *scan)
{
	fd_close(&scan->fd);
}

int
proc_scan(void (*visit)(void *arg, pid_t pid), void *arg)
{
	struct proc_scan scan = {.fd = -1};
	int rc;

	do
		rc = proc_scan_step(&scan, visit, arg);
	while (rc == 1);
	return rc;
}

/*
 * "PID (COMM) STATE PPID PGRP SESSION TTY TPGID FLAGS ...": COMM may hold anything, so the fields are
 * counted from the last parenthesis.
 */
static int
stat_parse(const char *text, struct proc_stat *ret_st)
{
	const char *p = strrchr(text, ')');
	unsigned long long start_time;
	unsigned flags;
	long threads;
	char state;

	if (p == NULL ||
	    sscanf(p + 1,
		" %c %*d %*d %*d %*d %*d %u %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %*s %llu"
		" %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
		" %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
		&state, &flags, &threads, &start_time, &ret_st->exit_code) != 5)
		return -EBADMSG;
	ret_st->start_time = start_time;
	ret_st->has_executed = (flags & PF_FORKNOEXEC) == 0;
	/* A first thread that has ended looks like a zombie while others live on. */
	ret_st->is_dead = state == 'X' || (state == 'Z' && threads <= 1);
	return 0;
}

int
proc_stat_read(pid_t pid, struct proc_stat *ret_st)
{
	char path[32], text[1024];
	FD_CLEANUP int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n == -1)
		return -errno;
	text[n] = '\0';
	return stat_parse(text, ret_st);
}
