/*
 * promises: what the server promises of queue and family, checked at what it sends, after each of its turns, and
 * when the world is at rest. The simulator of queue and family.
 */
#ifndef FAMILY_PROMISES_H
#define FAMILY_PROMISES_H

#include "tests/family/plans.h"

#include <stdbool.h>
#include <stdint.h>

#define PROMISES_WALL_AHEAD_MS INT64_C(1700000000000)

/* What the configuration says. UINT32_MAX: none. */
#define PROMISES_POOLS 2
struct promises_room {
	uint32_t pools[PROMISES_POOLS + 1]; /* from 1 on */
	uint32_t max_running, max_running_per_parent, queue_limit, max_depth;
	bool are_orphans_ended; /* orphans = cancel */
};

void promises_init(const struct promises_room *room);
const struct promises_room *promises_room(void);

/* SPAWN leaves: whose it is, by its launch block, and whether it may. */
struct plan *promises_spawn(int64_t job, int launch_fd);

/* The plan of a job that was spawned before. */
struct plan *promises_of_job(int64_t job);

/* A process that waited for its children goes on. */
void promises_resumes(const struct plan *p);

/* A turn of the server is over. */
void promises_turn(void);

/* Whether the server has no job that has not ended. */
bool promises_is_idle(void);

/* The world has been calm for so long that nothing can be unfinished. */
void promises_rest(void);

/* A server begins: it knows nothing of whose turn it was. */
void promises_server_begins(void);

#endif
