/*
 * wrap: what the linker puts in the place of each function with which the supervisor makes system
 * calls (ld(1), --wrap; the list is tests/fault/calls). Run by the supervisor under test and by its
 * children up to their exec.
 */
#include "tests/fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define SITE __builtin_return_address(0)

/* What fails, fails with -1, or MAP_FAILED, which is the same. */
#define WRAP(type, name, call, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		int error = fault_decide(call, SITE); \
		type rc = (type)-1; \
\
		if (error == 0 || fault_kind(call)->is_done) \
			rc = __real_##name arguments; \
		if (error == 0) \
			return rc; \
		errno = error; \
		return (type)-1; \
	}

/* clang-format off */
WRAP(int, close, FAULT_CLOSE, (int fd), (fd))
WRAP(int, dup2, FAULT_DUP2, (int from, int to), (from, to))
WRAP(int, epoll_create1, FAULT_EPOLL_CREATE, (int flags), (flags))
WRAP(int, epoll_ctl, FAULT_EPOLL_CTL, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event))
WRAP(int, epoll_wait, FAULT_EPOLL_WAIT, (int epfd, struct epoll_event *events, int max, int timeout), (epfd, events, max, timeout))
WRAP(int, execve, FAULT_EXECVE, (const char *path, char *const *argv, char *const *env), (path, argv, env))
WRAP(int, faccessat, FAULT_FACCESSAT, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
WRAP(int, fchdir, FAULT_FCHDIR, (int fd), (fd))
WRAP(int, flock, FAULT_FLOCK, (int fd, int operation), (fd, operation))
WRAP(int, fstat, FAULT_FSTAT, (int fd, struct stat *st), (fd, st))
WRAP(pid_t, getpgid, FAULT_GETPGID, (pid_t pid), (pid))
WRAP(ssize_t, getxattr, FAULT_GETXATTR, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
WRAP(int, madvise, FAULT_MADVISE, (void *at, size_t len, int advice), (at, len, advice))
WRAP(int, futimens, FAULT_FUTIMENS, (int fd, const struct timespec *times), (fd, times))
WRAP(int, ioctl, FAULT_IOCTL, (int fd, unsigned long request, void *argument), (fd, request, argument))
WRAP(off_t, lseek, FAULT_LSEEK, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP(int, mkdir, FAULT_MKDIR, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, FAULT_MKDIRAT, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(int, prlimit, FAULT_PRLIMIT, (pid_t pid, int resource, const struct rlimit *limit, struct rlimit *was), (pid, resource, limit, was))
WRAP(int, rmdir, FAULT_RMDIR, (const char *path), (path))
WRAP(int, unlinkat, FAULT_UNLINKAT, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(void *, mmap, FAULT_MMAP, (void *at, size_t len, int prot, int flags, int fd, off_t offset), (at, len, prot, flags, fd, offset))
WRAP(int, munmap, FAULT_MUNMAP, (void *at, size_t len), (at, len))
WRAP(int, nanosleep, FAULT_NANOSLEEP, (const struct timespec *time, struct timespec *left), (time, left))
WRAP(int, pipe2, FAULT_PIPE2, (int *ends, int flags), (ends, flags))
WRAP(ssize_t, recvmsg, FAULT_RECVMSG, (int fd, struct msghdr *packet, int flags), (fd, packet, flags))
WRAP(ssize_t, sendmsg, FAULT_SENDMSG, (int fd, const struct msghdr *packet, int flags), (fd, packet, flags))
WRAP(ssize_t, sendto, FAULT_SENDTO, (int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len), (fd, data, len, flags, to, to_len))
WRAP(int, setpriority, FAULT_SETPRIORITY, (int which, id_t who, int value), (which, who, value))
WRAP(int, setxattr, FAULT_SETXATTR, (const char *path, const char *name, const void *value, size_t size, int flags), (path, name, value, size, flags))
WRAP(int, setrlimit, FAULT_SETRLIMIT, (int resource, const struct rlimit *limit), (resource, limit))
WRAP(pid_t, setsid, FAULT_SETSID, (void), ())
WRAP(int, setsockopt, FAULT_SETSOCKOPT, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len))
WRAP(int, signalfd, FAULT_SIGNALFD, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
WRAP(int, socket, FAULT_SOCKET, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, socketpair, FAULT_SOCKETPAIR, (int domain, int type, int protocol, int *ends), (domain, type, protocol, ends))
WRAP(int, timerfd_create, FAULT_TIMERFD_CREATE, (int clock, int flags), (clock, flags))
WRAP(int, timerfd_settime, FAULT_TIMERFD_SETTIME, (int fd, int flags, const struct itimerspec *when, struct itimerspec *was), (fd, flags, when, was))
WRAP(pid_t, waitpid, FAULT_WAITPID, (pid_t pid, int *status, int options), (pid, status, options))
/* clang-format on */

/* A part of what was asked for, where that is something that can happen: of more than a few bytes. */
static size_t
part_of(int error, size_t len)
{
	return error == FAULT_SHORT && len > 64 ? len / 2 : len;
}

/* And these with NULL. */
#define WRAP_NULL(type, name, call, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		int error = fault_decide(call, SITE); \
\
		if (error == 0) \
			return __real_##name arguments; \
		errno = error; \
		return NULL; \
	}

/* clang-format off */
WRAP_NULL(char *, fgets, FAULT_FGETS, (char *text, int size, FILE *file), (text, size, file))
WRAP_NULL(FILE *, fopen, FAULT_FOPEN, (const char *path, const char *mode), (path, mode))
WRAP_NULL(void *, malloc, FAULT_MALLOC, (size_t size), (size))
WRAP_NULL(void *, reallocarray, FAULT_MALLOC, (void *at, size_t count, size_t size), (at, count, size))
/* clang-format on */

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	int error = fault_decide(FAULT_READ, SITE);

	if (error == 0 || error == FAULT_SHORT)
		return __real_read(fd, data, error == 0 || len <= 128 ? len : 32);
	errno = error;
	return -1;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	int error = fault_decide(FAULT_WRITE, SITE);

	if (error == 0 || error == FAULT_SHORT)
		return __real_write(fd, data, part_of(error, len));
	errno = error;
	return -1;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int
__wrap_open(const char *path, int flags, ...)
{
	int error = fault_decide(FAULT_OPEN, SITE);
	mode_t mode;
	va_list ap;

	if (error != 0) {
		errno = error;
		return -1;
	}
	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return __real_open(path, flags, mode);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

/* Nobody makes a file so. */
int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	int error = fault_decide(FAULT_OPENAT, SITE);

	if (error == 0)
		return __real_openat(dir, path, flags);
	errno = error;
	return -1;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int
__wrap_fcntl(int fd, int command, ...)
{
	int error = fault_decide(FAULT_FCNTL, SITE);
	long argument;
	va_list ap;

	if (error != 0) {
		errno = error;
		return -1;
	}
	va_start(ap, command);
	argument = va_arg(ap, long);
	va_end(ap);
	return __real_fcntl(fd, command, argument);
}

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);

int
__wrap_prctl(int option, ...)
{
	int error = fault_decide(FAULT_PRCTL, SITE);
	unsigned long a[4];
	va_list ap;
	int i;

	if (error != 0) {
		errno = error;
		return -1;
	}
	va_start(ap, option);
	for (i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return __real_prctl(option, a[0], a[1], a[2], a[3]);
}

int __real_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo);

int
__wrap_kill(pid_t pid, int signo)
{
	int error;

	/* Nobody is ever meant by these: everybody, our own group, init. */
	if (pid == -1 || pid == 0 || pid == 1)
		abort();
	error = fault_decide(FAULT_KILL, SITE);
	if (error == 0)
		return __real_kill(pid, signo);
	errno = error;
	return -1;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t
__wrap_fork(void)
{
	int error = fault_decide(FAULT_FORK, SITE);
	pid_t pid;

	if (error != 0) {
		errno = error;
		return -1;
	}
	pid = __real_fork();
	if (pid == 0)
		fault_is_child();
	return pid;
}

/* -1: a call that is not known here: no failure of it would be tried. */
static int
call_of(long number)
{
	switch (number) {
	case SYS_clone3:
		return FAULT_CLONE3;
	case SYS_getdents64:
		return FAULT_GETDENTS;
	case SYS_pidfd_open:
		return FAULT_PIDFD_OPEN;
	case SYS_pidfd_send_signal:
		return FAULT_PIDFD_SEND_SIGNAL;
	case SYS_waitid:
		return FAULT_WAITID;
	}
	return -1;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	int call = call_of(number), error, i;
	long a[6], rc;
	va_list ap;

	/* rt_sigaction(2) fails only for a signal that cannot be set. */
	if (call == -1 && number != SYS_rt_sigaction)
		abort();
	error = call == -1 ? 0 : fault_decide((enum fault_call)call, SITE);
	if (error != 0) {
		errno = error;
		return -1;
	}
	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	rc = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_clone3 && rc == 0)
		fault_is_child();
	return rc;
}
