/*
 * calls: system calls on simulated descriptors, but for those of the loop's waiting, which are kernel.c's.
 * The linker puts them in place of libc's. The simulator. Must fail as the manual pages say, now and then.
 */
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/promises.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* For a few jobs: there are to be too many, often. */
#define NOFILE 160

int __wrap_timerfd_create(int clock, int flags);
int
__wrap_timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	return kernel_open(FILE_TIMER);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int
__wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	(void)flags;
	(void)old;
	kernel_enter();
	kernel_file(fd, FILE_TIMER)->at =
	    (uint64_t) new->it_value.tv_sec *NSEC_PER_SEC + (uint64_t) new->it_value.tv_nsec;
	kernel_wake();
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts)
{
	uint64_t ns;

	kernel_enter();
	ns = world_now() + (clock == CLOCK_REALTIME ? KERNEL_WALL_AHEAD_NS : 0);
	ret_ts->tv_sec = (time_t)(ns / NSEC_PER_SEC);
	ret_ts->tv_nsec = (long)(ns % NSEC_PER_SEC);
	return 0;
}

static ssize_t
read_signal(void *data, size_t len)
{
	struct signalfd_siginfo info = {0};

	info.ssi_signo = (uint32_t)kernel_take_signal();
	if (info.ssi_signo == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(data, &info, len < sizeof(info) ? len : sizeof(info));
	return sizeof(info);
}

static ssize_t
read_report(struct file *f, void *data)
{
	ssize_t n = (ssize_t)f->size;

	if (n == 0 && f->writers > 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(data, f->outcome, f->size);
	f->size = 0;
	return n;
}

ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	struct file *f = kernel_any_file(fd);
	uint64_t fired = 1;

	kernel_enter();
	if (kernel_fails()) {
		errno = f->kind == FILE_SIGNALS || f->kind == FILE_TIMER ? EAGAIN : EINTR;
		return -1;
	}
	if (f->kind == FILE_SIGNALS)
		return read_signal(data, len);
	if (f->kind == FILE_REPORT)
		return read_report(f, data);
	if (f->kind == FILE_BEATS)
		return children_read_beats(f, data, len);
	kernel_file(fd, FILE_TIMER);
	if (f->at == 0 || f->at > world_now()) {
		errno = EAGAIN;
		return -1;
	}
	f->at = 0;
	memcpy(data, &fired, sizeof(fired));
	return sizeof(fired);
}

int __wrap_close(int fd);
int
__wrap_close(int fd)
{
	struct file *f = kernel_any_file(fd);

	kernel_enter();
	if (f->kind == FILE_REPORT && f->job != 0)
		promises_settled(f->job);
	if (f->kind == FILE_WIRE)
		server_closed(f->number);
	kernel_close(fd);
	return 0;
}

int __wrap_pipe2(int ends[2], int flags);
int
__wrap_pipe2(int ends[2], int flags)
{
	struct file *f;

	(void)flags;
	kernel_enter();
	if (kernel_fails()) {
		errno = EMFILE;
		return -1;
	}
	ends[0] = kernel_open(FILE_REPORT);
	ends[1] = kernel_open(FILE_REPORT_WRITER);
	f = kernel_file(ends[0], FILE_REPORT);
	f->writers = 1;
	kernel_file(ends[1], FILE_REPORT_WRITER)->peer = ends[0];
	kernel_file(ends[1], FILE_REPORT_WRITER)->at = f->number;
	kernel_set_last_pipe(ends[0]);
	return 0;
}

/*
 * A file may grow while it is asked about. The kernel copies the size first, generic_fillattr() in
 * fs/stat.c, and a write(2) sets the mtime first: with a size goes its own mtime or a later one.
 */
int __wrap_fstat(int fd, struct stat *ret_st);
int
__wrap_fstat(int fd, struct stat *ret_st)
{
	struct file *f = kernel_file(fd, FILE_OUTPUT);
	uint64_t wall_ns;

	memset(ret_st, 0, sizeof(*ret_st));
	ret_st->st_size = (off_t)f->size;
	ret_st->st_blocks = (blkcnt_t)(f->size / 512);
	children_output_seen(f);
	kernel_enter();
	wall_ns = f->grown_ns + KERNEL_WALL_AHEAD_NS;
	ret_st->st_mtim.tv_sec = (time_t)(wall_ns / NSEC_PER_SEC);
	ret_st->st_mtim.tv_nsec = (long)(wall_ns % NSEC_PER_SEC);
	return 0;
}

int __wrap_fcntl(int fd, int op, ...);
int
__wrap_fcntl(int fd, int op, ...)
{
	kernel_enter();
	return op == F_GETFL && kernel_any_file(fd)->kind == FILE_BEATS ? O_RDWR | O_NONBLOCK : 0;
}

int __wrap_open(const char *path, int flags, ...);
int
__wrap_open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	kernel_enter();
	return kernel_open(FILE_PLAIN);
}

int __wrap_signalfd(int fd, const sigset_t *mask, int flags);
int
__wrap_signalfd(int fd, const sigset_t *mask, int flags)
{
	(void)fd;
	(void)mask;
	(void)flags;
	return kernel_open(FILE_SIGNALS);
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int
__wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	(void)how;
	(void)set;
	(void)old;
	return 0;
}

/* The simulator's own watchdog is a signal. */
long __wrap_syscall(long number, ...);
long
__wrap_syscall(long number, ...)
{
	if (number != SYS_rt_sigaction)
		abort();
	return 0;
}

sighandler_t __wrap_signal(int signo, sighandler_t handler);
sighandler_t
__wrap_signal(int signo, sighandler_t handler)
{
	(void)signo;
	return handler;
}

int __wrap_prctl(int option, ...);
int
__wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

int __wrap_getrlimit(int resource, struct rlimit *ret_limit);
int
__wrap_getrlimit(int resource, struct rlimit *ret_limit)
{
	(void)resource;
	*ret_limit = (struct rlimit){.rlim_cur = NOFILE, .rlim_max = NOFILE};
	return 0;
}

int __wrap_setrlimit(int resource, const struct rlimit *limit);
int
__wrap_setrlimit(int resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t
__wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
	unsigned char *bytes = buffer;
	size_t i;

	(void)flags;
	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)world_random();
	return (ssize_t)size;
}

/* Of what the supervisor logs nothing is shown: world_note() tells more. */
void __wrap_log_line(const char *format, ...);
void
__wrap_log_line(const char *format, ...)
{
	(void)format;
}

void __wrap_notify_send(const char *state);
void
__wrap_notify_send(const char *state)
{
	(void)state;
}
