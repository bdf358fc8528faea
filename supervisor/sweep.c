/*
 * sweep: see sweep.h. Run by the supervisor. Never allocates; removes only cgroups of jobs that are over, in
 * which nobody lives.
 */
#include "supervisor/sweep.h"

#include "base/clock.h"

/* A cgroup may be found empty a little later than its last process was reaped; and exits come in crowds. */
#define WAIT_NS (100 * NSEC_PER_MSEC)
/* Between the steps of a pass. */
#define STEP_NS (10 * NSEC_PER_MSEC)

static bool
is_wanted(void *arg, uint64_t job)
{
	struct sweep *w = arg;
	const struct slot *slot = slots_find(w->slots, job);

	return slot != NULL && child_is_live(&slot->child);
}

static void
arm(struct sweep *w, uint64_t wait_ns)
{
	timer_arm(&w->loop->timers, &w->timer, clock_add_ns(w->loop->now_ns, wait_ns));
}

static void
step(void *arg)
{
	struct sweep *w = arg;
	int rc = contain_remove_step(&w->pass, w->contain, is_wanted, w);

	if (rc == 1) {
		arm(w, STEP_NS);
		return;
	}
	w->is_due = rc < 0 || w->pass.is_left;
	/* For who lives there somebody will ask; who exited while this pass was due may have been met in it. */
	if (rc < 0 || w->pass.is_unfinished || (w->is_due && w->has_exits))
		arm(w, WAIT_NS);
	w->has_exits = false;
}

void
sweep_init(struct sweep *w, struct loop *loop, struct slots *slots, const struct contain *contain)
{
	*w = (struct sweep){.loop = loop, .slots = slots, .contain = contain, .pass.fd = -1};
	timer_init(&w->timer, step, w);
}

void
sweep_fini(struct sweep *w)
{
	contain_remove_stop(&w->pass);
}

void
sweep_left(struct sweep *w)
{
	w->is_due = true;
	sweep_exited(w);
}

void
sweep_exited(struct sweep *w)
{
	if (w->timer.is_armed)
		w->has_exits = true;
	else if (w->is_due)
		arm(w, WAIT_NS);
}
