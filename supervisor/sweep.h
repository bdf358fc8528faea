/*
 * sweep: cgroups of jobs that are over and that could not be removed at once: because somebody still lives
 * there (leftovers = leave), or because there are too many below. Passes over the base remove them, in small
 * steps; when nothing can be removed until somebody exits, no timer is armed.
 */
#ifndef SUPERVISOR_SWEEP_H
#define SUPERVISOR_SWEEP_H

#include "base/loop.h"
#include "base/timer.h"
#include "supervisor/contain.h"
#include "supervisor/slots.h"

#include <stdbool.h>

struct sweep {
	struct loop *loop;
	struct slots *slots;
	const struct contain *contain;
	struct contain_sweep pass;
	struct timer timer;
	bool is_due;    /* something was left */
	bool has_exits; /* somebody has exited since the timer was armed */
};

void sweep_init(struct sweep *w, struct loop *loop, struct slots *slots,
    const struct contain *contain);
void sweep_fini(struct sweep *w);

/* The cgroup of a job was not removed. */
void sweep_left(struct sweep *w);

/* Somebody has exited who may have been the last in one that was left. Costs nothing if there is none. */
void sweep_exited(struct sweep *w);

#endif
