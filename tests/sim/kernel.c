/*
 * kernel: see kernel.h. The simulator. Must never hand a call on to the real kernel, nor be kinder than
 * that: numbers of descriptors are reused at once, waits end late, and what can fail does.
 */
#include "tests/sim/kernel.h"

#include "tests/sim/promises.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#define FILES_MAX 4096
#define FIRST_FD 3
#define FAILS_ONCE_IN 400

static struct {
	struct file files[FILES_MAX];
	int free[FILES_MAX]; /* a stack: the one closed last is the next one opened */
	int free_count;
	unsigned open_count;
	uint64_t numbers;
	int watched[FILES_MAX];
	int watched_count;
	uint32_t signals; /* pending, by number */
	int last_pipe;
	bool is_changed; /* since it was last asked what is ready */
	bool is_calm;
	uint64_t turns;
	uint64_t turn_ns;
	uint64_t longest_turn_ns;
} kernel;

void
kernel_init(void)
{
	int i;

	memset(&kernel, 0, sizeof(kernel));
	for (i = FILES_MAX - 1; i >= FIRST_FD; i--)
		kernel.free[kernel.free_count++] = i;
	kernel.last_pipe = -1;
	kernel.turn_ns = world_now();
}

int
kernel_open(enum file_kind kind)
{
	int fd;

	if (kernel.free_count == 0)
		world_broken(0, "no descriptor is lost", "%u are open", kernel.open_count);
	fd = kernel.free[--kernel.free_count];
	kernel.files[fd] = (struct file){.kind = kind, .number = ++kernel.numbers, .peer = -1};
	kernel.open_count++;
	return fd;
}

struct file *
kernel_file(int fd, enum file_kind kind)
{
	if (fd < FIRST_FD || fd >= FILES_MAX || kernel.files[fd].kind != kind)
		world_broken(0, "a descriptor is used by its owner only", "%d is %d, not %d", fd,
		    fd < 0 || fd >= FILES_MAX ? -1 : (int)kernel.files[fd].kind, (int)kind);
	return &kernel.files[fd];
}

struct file *
kernel_find(int fd, uint64_t number)
{
	return fd != -1 && kernel.files[fd].number == number && kernel.files[fd].kind != FILE_FREE
	    ? &kernel.files[fd]
	    : NULL;
}

static void
unwatch(int fd)
{
	int i;

	for (i = 0; i < kernel.watched_count && kernel.watched[i] != fd; i++)
		continue;
	kernel.watched[i] = kernel.watched[--kernel.watched_count];
	kernel.files[fd].is_watched = false;
}

void
kernel_close(int fd)
{
	if (fd < FIRST_FD || fd >= FILES_MAX || kernel.files[fd].kind == FILE_FREE)
		world_broken(0, "a descriptor is closed once", "%d is not open", fd);
	if (kernel.files[fd].is_watched)
		unwatch(fd);
	if (kernel.files[fd].kind == FILE_REPORT_WRITER)
		kernel_report(kernel.files[fd].peer, kernel.files[fd].at, 0, 0);
	kernel.files[fd].kind = FILE_FREE;
	kernel.free[kernel.free_count++] = fd;
	kernel.open_count--;
}

unsigned
kernel_open_count(void)
{
	return kernel.open_count;
}

void
kernel_enter(void)
{
	world_pass(world_between(100, 2000));
	world_catch_up();
}

bool
kernel_fails(void)
{
	return !kernel.is_calm && world_once_in(FAILS_ONCE_IN);
}

void
kernel_calm_down(void)
{
	kernel.is_calm = true;
}

bool
kernel_is_calm(void)
{
	return kernel.is_calm;
}

void
kernel_wake(void)
{
	kernel.is_changed = true;
}

void
kernel_signal(int signo)
{
	kernel.signals |= 1u << signo;
	kernel_wake();
}

void
kernel_report(int fd, uint64_t number, uint32_t stage, int outcome_error)
{
	struct file *f = kernel_find(fd, number);

	if (f == NULL)
		return;
	if (outcome_error != 0) {
		f->outcome[0] = stage;
		f->outcome[1] = (uint32_t)outcome_error;
		f->size = sizeof(f->outcome);
	}
	f->writers--;
	kernel_wake();
}

int
kernel_last_pipe(void)
{
	return kernel.last_pipe;
}

uint64_t
kernel_turn_ns(void)
{
	return kernel.turn_ns;
}

uint64_t
kernel_longest_turn_ns(void)
{
	return kernel.longest_turn_ns;
}

uint64_t
kernel_turns(void)
{
	return kernel.turns;
}

struct file *
kernel_any_file(int fd)
{
	if (fd < FIRST_FD || fd >= FILES_MAX || kernel.files[fd].kind == FILE_FREE)
		world_broken(0, "a descriptor is used while it is open", "%d", fd);
	return &kernel.files[fd];
}

void
kernel_set_last_pipe(int fd)
{
	kernel.last_pipe = fd;
}

int
kernel_take_signal(void)
{
	int signo = kernel.signals == 0 ? 0 : __builtin_ctz(kernel.signals);

	kernel.signals &= kernel.signals - 1;
	return signo;
}

static uint32_t
readiness(const struct file *f)
{
	switch (f->kind) {
	case FILE_TIMER:
		return f->at != 0 && f->at <= world_now() ? EPOLLIN : 0;
	case FILE_SIGNALS:
		return kernel.signals != 0 ? EPOLLIN : 0;
	case FILE_REPORT:
		return (f->size > 0 ? EPOLLIN : 0) | (f->writers == 0 ? EPOLLHUP : 0);
	case FILE_BEATS:
		return f->size > 0 ? EPOLLIN : 0;
	case FILE_WIRE:
		return server_readiness(f->number);
	case FILE_FREE:
	case FILE_PLAIN:
	case FILE_EPOLL:
	case FILE_REPORT_WRITER:
	case FILE_OUTPUT:
	case FILE_PIDFD:
	case FILE_SCAN:
	case FILE_KIND_COUNT:
		break;
	}
	return 0;
}

/* Fills batch from anywhere in the list, as a kernel may. */
static int
collect(struct epoll_event *batch, int max)
{
	int i, at, count = 0;
	int from = kernel.watched_count == 0 ? 0 : (int)world_below((uint64_t)kernel.watched_count);
	const struct file *f;
	uint32_t ready;

	kernel.is_changed = false;
	for (i = 0; i < kernel.watched_count && count < max; i++) {
		at = i + from < kernel.watched_count ? i + from : i + from - kernel.watched_count;
		f = &kernel.files[kernel.watched[at]];
		ready = readiness(f) & (f->interest | EPOLLERR | EPOLLHUP);
		if (ready == 0)
			continue;
		batch[count].events = ready;
		batch[count++].data.ptr = f->data;
	}
	return count;
}

/* When the one timer of the loop fires. */
static uint64_t
next_timer(void)
{
	uint64_t next = WORLD_NEVER;
	const struct file *f;
	int i;

	for (i = 0; i < kernel.watched_count; i++) {
		f = &kernel.files[kernel.watched[i]];
		if (f->kind == FILE_TIMER && f->at != 0 && f->at < next)
			next = f->at;
	}
	return next;
}

int __wrap_epoll_create1(int flags);
int
__wrap_epoll_create1(int flags)
{
	(void)flags;
	return kernel_open(FILE_EPOLL);
}

int __wrap_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event);
int
__wrap_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
	struct file *f = &kernel.files[fd];

	kernel_file(epoll_fd, FILE_EPOLL);
	kernel_enter();
	if (f->kind == FILE_FREE || f->is_watched != (op != EPOLL_CTL_ADD))
		world_broken(0, "a descriptor is watched while it is open, once", "%d, op %d", fd,
		    op);
	if (op == EPOLL_CTL_DEL) {
		unwatch(fd);
		return 0;
	}
	if (op == EPOLL_CTL_ADD && f->kind == FILE_PLAIN) {
		errno = EPERM;
		return -1;
	}
	if (op == EPOLL_CTL_ADD && f->kind == FILE_REPORT && kernel_fails()) {
		errno = ENOMEM;
		return -1;
	}
	if (op == EPOLL_CTL_ADD) {
		kernel.watched[kernel.watched_count++] = fd;
		f->is_watched = true;
	}
	f->interest = event->events;
	f->data = event->data.ptr;
	kernel_wake();
	return 0;
}

int __wrap_epoll_wait(int epoll_fd, struct epoll_event *batch, int max, int timeout);
int
__wrap_epoll_wait(int epoll_fd, struct epoll_event *batch, int max, int timeout)
{
	uint64_t length_ns = world_now() - kernel.turn_ns, timer_ns, next_ns;
	uint64_t end_ns =
	    timeout < 0 ? WORLD_NEVER : world_now() + (uint64_t)timeout * NSEC_PER_MSEC;
	int count;

	kernel_file(epoll_fd, FILE_EPOLL);
	if (length_ns > kernel.longest_turn_ns)
		kernel.longest_turn_ns = length_ns;
	promises_after_turn();
	if (kernel_fails()) {
		errno = EINTR;
		kernel.turn_ns = world_now();
		return -1;
	}
	while ((count = collect(batch, max)) == 0 && world_now() < end_ns) {
		timer_ns = next_timer();
		if (timer_ns > end_ns)
			timer_ns = end_ns;
		next_ns = world_next();
		if (timer_ns == WORLD_NEVER && next_ns == WORLD_NEVER)
			world_broken(0, "the supervisor never sleeps for ever",
			    "nothing is going to happen");
		if (timer_ns <= next_ns) {
			/* A process gets the processor a moment after its time. */
			world_pass((timer_ns > world_now() ? timer_ns - world_now() : 0) +
			    world_below(20000));
			world_catch_up();
			continue;
		}
		do
			world_step();
		while (!kernel.is_changed && world_next() < timer_ns);
	}
	kernel.turns++;
	kernel_enter();
	kernel.turn_ns = world_now();
	return count;
}
