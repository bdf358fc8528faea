/*
 * start: from a WIRE_SPAWN to a child that was cloned: everything that can fail comes before the clone
 * and leaves nothing behind.
 */
#ifndef SUPERVISOR_START_H
#define SUPERVISOR_START_H

#include "base/loop.h"
#include "supervisor/contain.h"
#include "supervisor/proc.h"
#include "supervisor/slots.h"

#include <stdbool.h>
#include <stdint.h>

/* What each start needs. */
struct start {
	struct loop *loop;
	struct proc_abilities *abilities;
	const struct contain *contain;
	uint64_t nofile_limit;                            /* what children get */
	void (*report_ready)(void *arg, uint32_t events); /* arg is the slot: see spawn_outcome() */
};

/* Whether the limits are what a job may have; the server is not believed. */
bool start_is_sane(const struct limits *l);

/*
 * Starts the child of a slot that has its number, output_fd and beats_fd; the other descriptors, in the
 * order of enum wire_spawn_fd, stay the caller's. 0: then slot has its process, mark, containment and
 * limits, and listens to its report pipe. Else -errno, with slot->stage the step that failed.
 */
int start_child(const struct start *s, struct slot *slot, const struct wire_spawn *spawn,
    const int *fds);

#endif
