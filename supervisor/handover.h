/*
 * handover: the supervisor gives way to another program in its own process: a newer spawnd. It waits
 * until all that it has to tell is stored and every start is settled, lets the server end, and
 * executes the program, which adopts from the store what runs (supervisor/adopt.h). Its children stay
 * its children, the lock, the sockets and the writing ends of FIFOs stay open.
 */
#ifndef SUPERVISOR_HANDOVER_H
#define SUPERVISOR_HANDOVER_H

#include "supervisor/brood.h"
#include "supervisor/keeper.h"
#include "supervisor/writers.h"

#include <stdbool.h>
#include <stdint.h>

/* What the next program gets. */
struct handover {
	const char *program;
	bool is_managed; /* as the daemon was told */
	const struct keeper_fds *fds;
	uint64_t nofile_limit; /* the soft limit that the daemon was started with */
};

/*
 * Whether nothing would be lost now: no end that is not stored, no start that is not settled, no leader of whose exit
 * the server does not know yet, nothing to tell.
 */
bool handover_is_due(const struct brood *b);

/*
 * Executes h->program; this one anew if that fails. The server has ended, and nobody was reaped since.
 * Signals stay blocked, so that one that comes meanwhile is the next program's. Returns -errno if both fail: then
 * descriptors have moved, and the process must end.
 */
int handover_exec(const struct handover *h, const struct writers *w);

#endif
