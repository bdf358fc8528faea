/*
 * due: see due.h. One timer for each clock, set for the earliest time of all jobs; none is armed while
 * no job waits.
 */
#include "server/due.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static uint64_t
now_of(enum due_clock clock)
{
	return clock == DUE_BOOT ? clock_boot_ns() : (uint64_t)clock_wall_ms();
}

/* All zero, which disarms, for DUE_NEVER. */
static struct itimerspec
spec_of(enum due_clock clock, uint64_t at)
{
	uint64_t unit = clock == DUE_BOOT ? 1 : NSEC_PER_MSEC, per_second = NSEC_PER_SEC / unit;
	struct itimerspec spec = {.it_value.tv_nsec = 0};

	if (at == DUE_NEVER)
		return spec;
	spec.it_value.tv_sec = (time_t)(at / per_second);
	spec.it_value.tv_nsec = at == 0 ? 1 : (long)(at % per_second * unit);
	return spec;
}

/* The time has come, or somebody has set the clock: then read(2) says ECANCELED. */
static void
pass(struct server *s, enum due_clock clock)
{
	struct server_due *d = &s->dues[clock];
	uint64_t expirations, now = now_of(clock);
	ssize_t ignored = read(d->fd, &expirations, sizeof(expirations));

	(void)ignored;
	d->armed = DUE_NEVER;
	while (queue_pass(s->queue, clock, now) != NULL)
		continue;
}

static void
boot_ready(void *arg, uint32_t events)
{
	(void)events;
	pass(arg, DUE_BOOT);
}

static void
wall_ready(void *arg, uint32_t events)
{
	(void)events;
	pass(arg, DUE_WALL);
}

int
due_init(struct server *s)
{
	static const clockid_t clocks[DUE_CLOCKS] = {CLOCK_BOOTTIME, CLOCK_REALTIME};
	int r = 0;

	for (int clock = 0; clock < DUE_CLOCKS && r == 0; clock++) {
		struct server_due *d = &s->dues[clock];

		int fd = timerfd_create(clocks[clock], TFD_CLOEXEC | TFD_NONBLOCK);

		if (fd < 0)
			return -errno;
		d->fd = fd;
		d->armed = DUE_NEVER;
		r = loop_add(&s->loop, &d->io, fd, EPOLLIN,
		    clock == DUE_BOOT ? boot_ready : wall_ready, s);
	}
	return r;
}

void
due_fini(struct server *s)
{
	for (int clock = 0; clock < DUE_CLOCKS; clock++) {
		struct server_due *d = &s->dues[clock];

		if (d->fd > 0) {
			loop_remove(&s->loop, &d->io);
			close(d->fd);
		}
	}
}

void
due_delay(const struct server *s, struct store_order *order)
{
	order->due_ns = clock_add_ns(clock_boot_ns(), order->delay_ns);
	order->due_ms = clock_wall_ms() + (int64_t)(order->delay_ns / NSEC_PER_MSEC);
	order->due_boot = s->boot_id;
}

bool
due_is_set(const struct store_order *order)
{
	return order->due_ms != 0;
}

static bool
is_of_this_boot(const struct server *s, const struct store_order *order)
{
	return order->due_boot != NULL && strcmp(order->due_boot, s->boot_id) == 0;
}

/* What is left of a wait that another boot's clock has counted, by the wall clock. */
static uint64_t
left_of(const struct store_order *order)
{
	int64_t left_ms = order->due_ms - clock_wall_ms();

	if (left_ms <= 0)
		return 0;
	if ((uint64_t)left_ms >= order->delay_ns / NSEC_PER_MSEC)
		return order->delay_ns;
	return (uint64_t)left_ms * NSEC_PER_MSEC;
}

void
due_load(const struct server *s, struct queue_job *j, const struct store_order *order)
{
	bool is_wall = order->due_ns == 0;
	uint64_t at = is_wall ? (uint64_t)order->due_ms : order->due_ns;

	if ((j->holds & QUEUE_HOLD_TIME) == 0 || (!is_wall && !is_of_this_boot(s, order)))
		return;
	if (at > now_of(is_wall ? DUE_WALL : DUE_BOOT))
		queue_hold_until(s->queue, j, is_wall ? DUE_WALL : DUE_BOOT, at);
	else
		queue_release(s->queue, j, QUEUE_HOLD_TIME);
}

int
due_renew(struct server *s, struct queue_job *j, const struct store_order *order)
{
	struct store_order anew = *order;
	int r = 0;

	anew.delay_ns = left_of(order);
	due_delay(s, &anew);
	/* Where nothing can be stored the next server does this again. */
	if (!s->is_store_down)
		r = store_set_due(s->store, j->number, &anew);
	due_load(s, j, &anew);
	return r;
}

void
due_arm(struct server *s)
{
	for (int clock = 0; clock < DUE_CLOCKS; clock++) {
		struct server_due *d = &s->dues[clock];
		uint64_t next = queue_next_due(s->queue, (enum due_clock)clock);
		struct itimerspec spec = spec_of((enum due_clock)clock, next);
		int flags = TFD_TIMER_ABSTIME | (clock == DUE_WALL ? TFD_TIMER_CANCEL_ON_SET : 0);

		if (next == d->armed)
			continue;
		if (timerfd_settime(d->fd, flags, &spec, NULL) < 0)
			log_line("delayed jobs: no timer can be set: %s; they wait",
			    strerror(errno));
		else
			d->armed = next;
	}
}

int64_t
due_wall_ms(const struct server *s, const struct store_order *order)
{
	uint64_t now = clock_boot_ns();
	int64_t left_ms;

	if (order->due_ms == 0 || order->due_ns == 0 || !is_of_this_boot(s, order))
		return order->due_ms;
	left_ms = order->due_ns > now ? (int64_t)((order->due_ns - now) / NSEC_PER_MSEC) : 0;
	return clock_wall_ms() + left_ms;
}
