/*
 * alive: see alive.h. Run by the supervisor, by a timer of its loop, so that a loop that hangs is
 * silent. Must never send for another reason.
 */
#include "supervisor/alive.h"

#include "base/clock.h"
#include "base/notify.h"

/* A manager that wants to hear from us more often has made a mistake. */
#define PAUSE_MIN_NS NSEC_PER_MSEC

static void
tell(void *arg)
{
	struct alive *a = arg;
	uint64_t half_ns = notify_watchdog_ns() / 2;

	if (half_ns == 0)
		return;
	notify_send("WATCHDOG=1");
	half_ns = half_ns < PAUSE_MIN_NS ? PAUSE_MIN_NS : half_ns;
	timer_arm(&a->loop->timers, &a->timer, clock_add_ns(clock_mono_ns(), half_ns));
}

void
alive_start(struct alive *a, struct loop *loop)
{
	a->loop = loop;
	timer_init(&a->timer, tell, a);
	tell(a);
}
