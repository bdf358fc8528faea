/*
 * linger: jobs whose leader has exited, until it is known that nobody is left of their trees. They are
 * looked at when somebody asks (after each SIGCHLD), and, while they are being ended, by a timer that
 * backs off.
 *
 * Nobody is left when the process group is empty, the cgroup too where there is one, and no child of
 * this process carries the mark (cgroup and subreaper). The latter suffices: whoever lives outside of
 * the group has a parent that lives outside of it, or is an orphan, and orphans come to this process. A
 * zombie that carries the mark counts as alive, for its orphans may not have been seen. It is asked
 * where there is a cgroup as well, for whoever may write to another can leave his own.
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
	uint64_t wait_ns;
	/* What a look found; may take this slot off, and no other. */
	void (*found)(struct slot *slot, bool is_empty);
};

void linger_init(struct linger *l, struct loop *loop, struct slots *all,
    const struct proc_abilities *abilities, const struct contain *contain,
    void (*found)(struct slot *slot, bool is_empty));

/* slot's leader has exited. It is looked at within 1 ms. */
void linger_add(struct linger *l, struct slot *slot);

/* Nothing happens if it is not there. */
void linger_remove(struct linger *l, struct slot *slot);

/* Looks at all of them now. */
void linger_look(struct linger *l);

#endif
