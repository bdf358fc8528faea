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
#include <time.h>

/* How many things may come in one turn. */
#define BATCH_MAX 12

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
	(void)l;
	(void)events;
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
	if (next_ns == WORLD_NEVER)
		world_broken(0, "the world comes to an end", "nothing happens any more");
	if (next_ns > world_now() && !is_polling)
		world_pass(next_ns - world_now());
	while (left-- > 0 && world_next() <= world_now())
		world_step();
	l->now_ns = world_now();
	timers_expire(&l->timers, l->now_ns);
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts)
{
	uint64_t ns = world_now();

	if (clock == CLOCK_REALTIME)
		ns += (uint64_t)PROMISES_WALL_AHEAD_MS * NSEC_PER_MSEC;
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
