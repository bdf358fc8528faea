/*
 * linger: jobs whose leader has exited, until it is known that nobody is left of their trees. They are
 * looked at when somebody asks (after each SIGCHLD), and, while they are being ended, by a timer that
 * backs off.
 *
 * Nobody is left when the process group is empty, the cgroup too where there is one, and no child of
 * this process carries the mark (cgroup and subreaper). The latter suffices: whoever lives outside of
 * the group has a parent that lives outside of it, or is an orphan, and orphans come to this process. A
 * zombie that carries the mark counts as alive, for its orphans may not have been seen. It is asked
 * where there is a cgroup as well, for whoever may write to another can leave his own. Where that list is
 * longer than can be looked at in a turn, or of no use (adopted jobs), passes over /proc tell, in slices.
 */
#ifndef SUPERVISOR_LINGER_H
#define SUPERVISOR_LINGER_H

#include "supervisor/contain.h"
#include "supervisor/slots.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

TAILQ_HEAD(linger_slots, slot);

struct linger {
	struct loop *loop;
	const struct proc_abilities *abilities;
	const struct contain *contain;
	struct slots *all;
	struct linger_slots slots;
	struct timer timer;
	struct timer slice;
	struct proc_scan scan; /* a pass over /proc, while its fd is not -1 */
	uint64_t wait_ns;
	uint64_t until_ns; /* the list of children is looked at */
	bool has_unsure;   /* the pass is about groups, too */
	bool is_sliced;    /* the pass takes more than one turn */
	bool is_list_long; /* that list takes longer than a turn may: a pass has to tell */
	bool is_due;       /* those that SIGKILL was sent to are to have it again */
	/* What a look found; may take this slot off, and no other. */
	void (*found)(struct slot *slot, bool is_empty);
};

void linger_init(struct linger *l, struct loop *loop, struct slots *all,
    const struct proc_abilities *abilities, const struct contain *contain,
    void (*found)(struct slot *slot, bool is_empty));

void linger_fini(struct linger *l);

/* slot's leader has exited. It is looked at within 1 ms. */
void linger_add(struct linger *l, struct slot *slot);

/* Nothing happens if it is not there. */
void linger_remove(struct linger *l, struct slot *slot);

/* Looks at all of them now. What takes longer than a turn may, goes on in later ones. */
void linger_look(struct linger *l);

/* A child that is no job's leader is about to be reaped: its tree was not empty, should a pass not have come to it. */
void linger_reaps(struct linger *l, pid_t pid);

#endif
