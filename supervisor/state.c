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

bool
state_is_giving_way(const struct supervisor *s)
{
	return s->is_yielding && keeper_wire(&s->keeper) == -1;
}
