/*
 * state: see state.h. Run by the supervisor.
 */
#include "supervisor/state.h"

#include "base/clock.h"

#define AGAIN_NS (10 * NSEC_PER_MSEC)

void
state_arm_again(struct supervisor *s)
{
	timer_arm(&s->loop.timers, &s->again, clock_add_ns(clock_mono_ns(), AGAIN_NS));
}
