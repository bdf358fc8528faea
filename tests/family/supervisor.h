/*
 * supervisor: the other end of the wire, with the processes that it holds; linked in place of server/link.c.
 * What is told takes its time, survives the server, and is lost with the supervisor; processes survive both.
 * The simulator of queue and family.
 */
#ifndef FAMILY_SUPERVISOR_H
#define FAMILY_SUPERVISOR_H

#include "tests/family/plans.h"

#include <stdbool.h>
#include <stdint.h>

/* What is done when a process begins, and when it is gone. */
struct supervisor_handlers {
	void (*begun)(struct plan *p);
	void (*gone)(struct plan *p);
};

/* is_mortal: it may die. */
void supervisor_init(const struct supervisor_handlers *h, uint32_t slot_count, bool is_mortal);

/* The process of p exits by itself, with that wait status. */
void supervisor_exit(struct plan *p, int wait_status);

/* It dies, if it may, and the server with it: this call does not come back. */
void supervisor_die(void);

/* From here on the kernel refuses nothing, and nobody dies. */
void supervisor_calm_down(void);

#endif
