/*
 * adopt: jobs that an earlier supervisor has started and that nobody watches: taken over where they
 * stood. Their processes are, as a rule, foreign: others reap them, and a leader's end comes by its
 * pidfd.
 */
#ifndef SUPERVISOR_ADOPT_H
#define SUPERVISOR_ADOPT_H

#include "supervisor/brood.h"
#include "wire/lifeboat.h"

#include <stdbool.h>
#include <sys/types.h>

struct adopt {
	struct brood *brood;
	struct lifeboat *lifeboat; /* pidfds that were open when the earlier supervisor died */
	struct timer again;        /* how a leader ended, the kernel is asked again */
};

/* lifeboat may be empty; it stays the caller's. */
void adopt_init(struct adopt *a, struct brood *b, struct lifeboat *lifeboat);

/*
 * Takes over a job; takes the WIRE_ADOPT_FD_COUNT descriptors over. Answered by STARTED or, if nothing of
 * it can be found, by ENDED with an unknown wait status. Not at all if there is no slot, or what is
 * told of it makes no sense: that is logged.
 */
void adopt_job(struct adopt *a, const struct wire_adopt *m, int *fds);

#endif
