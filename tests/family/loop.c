/*
 * loop: base/loop.h in virtual time, linked in place of base/loop.c, with the clock and the few other things that
 * a server would ask the machine for. Descriptors that it watches never become ready: nobody reads FIFOs here, no job
 * writes, no file vanishes. The simulator of queue and family.
 */
#include "base/loop.h"

#include "server/runtime.h"
#include "tests/family/crash.h"
#include "tests/family/promises.h"
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

/* How many things may come in one turn. */
#define BATCH_MAX 12
#define TIMER_FILES_MAX 4

/* The timers of the server in this process, by their descriptors. */
static struct timer_file {
	int fd;
	clockid_t clock;
	uint64_t at_ns; /* of the world */
	struct loop_io *io;
} timer_files[TIMER_FILES_MAX];
static size_t timer_file_count;

static uint64_t
ahead_ns(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? (uint64_t)PROMISES_WALL_AHEAD_MS * NSEC_PER_MSEC : 0;
}

static struct timer_file *
find_timer(int fd)
{
	for (size_t i = 0; i < timer_file_count; i++) {
		if (timer_files[i].fd == fd)
			return &timer_files[i];
	}
	return NULL;
}

int __real_timerfd_create(clockid_t clock, int flags);
int __wrap_timerfd_create(clockid_t clock, int flags);
int
__wrap_timerfd_create(clockid_t clock, int flags)
{
	int fd = __real_timerfd_create(clock, flags);

	if (fd < 0 || timer_file_count == TIMER_FILES_MAX)
		abort();
	timer_files[timer_file_count++] =
	    (struct timer_file){.fd = fd, .clock = clock, .at_ns = WORLD_NEVER};
	return fd;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int
__wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	struct timer_file *t = find_timer(fd);
	uint64_t at_ns =
	    (uint64_t) new->it_value.tv_sec *NSEC_PER_SEC + (uint64_t) new->it_value.tv_nsec;

	(void)old;
	if ((flags & TFD_TIMER_ABSTIME) == 0 && at_ns != 0)
		world_broken(0, "the simulator knows its timers", "one is relative");
	if (at_ns == 0)
		t->at_ns = WORLD_NEVER;
	else
		t->at_ns = at_ns < ahead_ns(t->clock) ? 0 : at_ns - ahead_ns(t->clock);
	return 0;
}

/* A user may have so many of them and no more, and others on this machine may have them all. */
int __wrap_inotify_init1(int flags);
int
__wrap_inotify_init1(int flags)
{
	(void)flags;
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int
__wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	static int last;

	(void)fd;
	(void)path;
	(void)mask;
	return ++last;
}

int __wrap_inotify_rm_watch(int fd, int watch);
int
__wrap_inotify_rm_watch(int fd, int watch)
{
	(void)fd;
	(void)watch;
	return 0;
}

static uint64_t
next_timer_file(void)
{
	uint64_t next_ns = WORLD_NEVER;

	for (size_t i = 0; i < timer_file_count; i++) {
		if (timer_files[i].at_ns < next_ns)
			next_ns = timer_files[i].at_ns;
	}
	return next_ns;
}

static void
expire_timer_files(void)
{
	for (size_t i = 0; i < timer_file_count; i++) {
		struct timer_file *t = &timer_files[i];

		if (t->at_ns > world_now() || t->io == NULL)
			continue;
		t->at_ns = WORLD_NEVER;
		t->io->ready(t->io->arg, EPOLLIN);
	}
}

int
loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	l->epoll_fd = l->timer_fd = -1;
	l->now_ns = world_now();
	timers_init(&l->timers);
	return 0;
}

void
loop_fini(struct loop *l)
{
	(void)l;
}

int
loop_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct timer_file *t = find_timer(fd);

	(void)l;
	(void)events;
	if (t != NULL)
		t->io = io;
	*io = (struct loop_io){.fd = fd, .ready = ready, .arg = arg};
	return 0;
}

int
loop_change(struct loop *l, struct loop_io *io, uint32_t events)
{
	(void)l;
	(void)io;
	(void)events;
	return 0;
}

void
loop_remove(struct loop *l, struct loop_io *io)
{
	(void)l;
	io->fd = -1;
}

int
loop_turn(struct loop *l, bool is_polling)
{
	uint64_t next_ns = timers_next(&l->timers), left = world_between(1, BATCH_MAX);

	promises_turn();
	crash_here("the server dies between two turns", 600);
	if (world_next() < next_ns)
		next_ns = world_next();
	if (next_timer_file() < next_ns)
		next_ns = next_timer_file();
	if (next_ns == WORLD_NEVER)
		world_broken(0, "the world comes to an end", "nothing happens any more");
	if (next_ns > world_now() && !is_polling)
		world_pass(next_ns - world_now());
	while (left-- > 0 && world_next() <= world_now())
		world_step();
	l->now_ns = world_now();
	expire_timer_files();
	timers_expire(&l->timers, l->now_ns);
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts)
{
	uint64_t ns = world_now() + ahead_ns(clock);

	ret_ts->tv_sec = (time_t)(ns / NSEC_PER_SEC);
	ret_ts->tv_nsec = (long)(ns % NSEC_PER_SEC);
	return 0;
}

void __wrap_arc4random_buf(void *bytes, size_t len);
void
__wrap_arc4random_buf(void *bytes, size_t len)
{
	unsigned char *b = bytes;

	while (len-- > 0)
		*b++ = (unsigned char)world_random();
}

/* SPAWND_SIM_LOG=1: what the servers say. */
void __wrap_log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void
__wrap_log_line(const char *format, ...)
{
	va_list ap;

	if (getenv("SPAWND_SIM_LOG") == NULL)
		return;
	fprintf(stderr, "%17.9f  ", (double)world_now() / 1e9);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
runtime_new(struct loop *l, const struct paths *p, const struct runtime_handlers *h,
    struct runtime **ret_runtime)
{
	(void)l;
	(void)p;
	(void)h;
	*ret_runtime = NULL;
	return 0;
}

void
runtime_free(struct runtime *r)
{
	(void)r;
}
