/*
 * loop: see loop.h. The heart of either process. Never allocates after loop_init(), never logs, and
 * waits nowhere but in epoll_wait(2).
 */
#include "base/loop.h"

#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * A deadline that moved later, or is gone, leaves the timer as it is for as long as something happens
 * in each of these spans: setting it each time would cost a system call a beat, and two a job. Then it is
 * set, so that nothing wakes us for what is over.
 */
#define LATE_MS 100

int
loop_init(struct loop *l)
{
	/* The loop's own address stands for the timer: no loop_io can have it. */
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
	int error;

	l->armed_ns = TIMER_NEVER;
	l->now_ns = clock_mono_ns();
	l->batch_count = 0;
	l->batch_next = 0;
	timers_init(&l->timers);
	l->timer_fd = -1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd != -1)
		l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->timer_fd == -1 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &event) == -1) {
		error = -errno;
		loop_fini(l);
		return error;
	}
	return 0;
}

void
loop_fini(struct loop *l)
{
	fd_close(&l->timer_fd);
	fd_close(&l->epoll_fd);
}

int
loop_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct epoll_event event = {.events = events, .data.ptr = io};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		return -errno;
	*io = (struct loop_io){.fd = fd, .ready = ready, .arg = arg};
	return 0;
}

int
loop_change(struct loop *l, struct loop_io *io, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = io};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == -1 ? -errno : 0;
}

void
loop_remove(struct loop *l, struct loop_io *io)
{
	int i;

	if (io->fd == -1)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->fd = -1;
	/* The caller may free io right now; what epoll has said about it already must not reach it. */
	for (i = l->batch_next; i < l->batch_count; i++)
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
}

/* For next_ns, or TIMER_NEVER: disarms it. timerfd_create(2). */
static int
set_timer(struct loop *l, uint64_t next_ns)
{
	struct itimerspec when = {0};

	if (next_ns != TIMER_NEVER) {
		when.it_value.tv_sec = (time_t)(next_ns / NSEC_PER_SEC);
		when.it_value.tv_nsec = (long)(next_ns % NSEC_PER_SEC);
	}
	/* Zero would disarm it. */
	if (next_ns == 0)
		when.it_value.tv_nsec = 1;
	if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == -1)
		return -errno;
	l->armed_ns = next_ns;
	return 0;
}

static void
timer_fired(struct loop *l)
{
	uint64_t count;

	if (read(l->timer_fd, &count, sizeof(count)) == sizeof(count))
		l->armed_ns = TIMER_NEVER;
}

static void
dispatch(struct loop *l)
{
	struct epoll_event *event;
	struct loop_io *io;

	while (l->batch_next < l->batch_count) {
		event = &l->batch[l->batch_next++];
		if (event->data.ptr == l) {
			timer_fired(l);
		} else if (event->data.ptr != NULL) {
			io = event->data.ptr;
			/* One that could not be taken out of epoll, and that a child of ours still has open. */
			if (io->fd != -1)
				io->ready(io->arg, event->events);
		}
	}
}

int
loop_turn(struct loop *l, bool is_polling)
{
	uint64_t next_ns = timers_next(&l->timers);
	int count, error = 0, wait_ms = is_polling ? 0 : -1;

	if (next_ns < l->armed_ns)
		error = set_timer(l, next_ns);
	else if (next_ns > l->armed_ns && !is_polling)
		wait_ms = LATE_MS;
	if (error != 0)
		return error;
	count = epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, wait_ms);
	if (count == -1 && errno != EINTR)
		return -errno;
	/* Where it cannot be set it stays too early, which is tried again. */
	if (count == 0 && wait_ms == LATE_MS)
		set_timer(l, next_ns);
	l->now_ns = clock_mono_ns();
	l->batch_count = count == -1 ? 0 : count;
	l->batch_next = 0;
	dispatch(l);
	timers_expire(&l->timers, l->now_ns);
	return 0;
}
