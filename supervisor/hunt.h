/*
 * hunt: signals to those of a job's tree that are not in its process group any more. They are found by
 * their marks in passes over /proc, one pass for all jobs that are hunted, in slices between which the
 * loop turns: no deadline waits for it. While nobody is hunted nothing is read.
 */
#ifndef SUPERVISOR_HUNT_H
#define SUPERVISOR_HUNT_H

#include "base/loop.h"
#include "base/timer.h"
#include "supervisor/contain.h"
#include "supervisor/proc.h"
#include "supervisor/slots.h"

#include <bsd/sys/queue.h>

TAILQ_HEAD(hunt_slots, slot);

struct hunt {
	struct loop *loop;
	struct slots *slots;
	const struct contain *contain;
	struct hunt_slots waiting; /* for the next pass */
	struct hunt_slots hunted;  /* by the pass that is under way */
	struct timer slice;
	struct proc_scan scan;
	uint64_t strike_until_ns;
	unsigned struck; /* children that were met in this round, dead ones included */
	/* A pass that sent SIGKILL is over: the slot's survivors are counted. May forget this slot, and no other. */
	void (*passed)(struct slot *slot);
};

void hunt_init(struct hunt *h, struct loop *loop, struct slots *slots,
    const struct contain *contain, void (*passed)(struct slot *slot));
void hunt_fini(struct hunt *h);

/*
 * The next pass sends signo, then SIGCONT unless that is SIGSTOP, SIGCONT or SIGKILL, to everybody with
 * the slot's mark. Those in its process group were signalled by the caller and are passed over, except
 * for SIGKILL; of a job that is its group alone only those in it are sent that. A later signal replaces one
 * that waits, and goes to those whom the pass under way has not met yet. Not so SIGKILL, whose passes count who survives: each is carried through, and while it waits
 * for its own the one under way signals nobody.
 */
void hunt_signal(struct hunt *h, struct slot *slot, int signo);

/* Whether a signal has not reached all that it is for. */
bool hunt_is_after(const struct slot *slot);

/* The slot goes away. */
void hunt_forget(struct hunt *h, struct slot *slot);

#endif
