/*
 * state: what the supervisor knows, in one place, for the rooms that see to it: talk, reaper, supervisor.
 */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include "base/loop.h"
#include "supervisor/adopt.h"
#include "supervisor/alive.h"
#include "supervisor/brood.h"
#include "supervisor/keeper.h"
#include "supervisor/notices.h"
#include "supervisor/writers.h"
#include "wire/lifeboat.h"

#include <stdbool.h>
#include <stdint.h>

struct supervisor {
	struct loop loop;
	struct brood brood;
	struct lifeboat lifeboat;
	struct adopt adopt;
	struct keeper keeper;
	struct writers writers;
	struct notices notices;
	struct loop_io signal_io;
	struct proc_scan scan;  /* for exits, while some that are kept hide the others */
	struct timer again;     /* what could not be done for want of something */
	uint64_t nofile_before; /* the soft limit that children get */
	struct alive alive;
	int signal_fd;
	int ready_fd;
	bool is_blocked;  /* the wire takes no more until EPOLLOUT */
	bool is_starved;  /* no memory to read the wire: it wakes nobody up until `again` */
	bool is_deaf;     /* no SPAWN could be answered: the wire is not read */
	bool has_served;  /* a server has been ready */
	bool is_quitting; /* the server has been told to go, by closing the wire */
	bool has_program; /* to give way to */
	bool is_yielding; /* to another program, once all is stored */
	bool has_yielded; /* all is stored, and the server has ended */
	bool is_boarding; /* what the last program started may exit before it is adopted */
	bool is_done;
	int exit_code;
};

/* What could not be done now, for want of something, is tried a moment later. */
void state_arm_again(struct supervisor *s);

#endif
