/*
 * standing: how a job that was started stands: what another supervisor needs to take it over where this
 * one left off. The supervisor tells it when the program was executed and each time that something
 * in it changes; the server stores it, believes it, and gives it back with WIRE_ADOPT.
 *
 * Instants are nanoseconds of CLOCK_MONOTONIC, which goes on from process to process as long as the
 * machine runs; 0 is never. No padding: it travels as bytes.
 */
#ifndef WIRE_STANDING_H
#define WIRE_STANDING_H

#include <stdint.h>

/* Bits of standing.flags. */
#define STANDING_HAS_BEATEN 0x1u /* its idle clock may have waited for that */
#define STANDING_WAS_KILLED 0x2u /* SIGKILL was sent to it */

struct standing {
	uint64_t job;
	uint64_t
	    started_ns; /* the exec, moved on by the length of each pause that is over; 0: not known */
	uint64_t paused_ns; /* since when it is paused; 0: it is not */
	uint64_t lull_ns;   /* since when its idle clock stands still; 0: it does not */
	uint64_t
	    sign_ns; /* the last sign of life when this was told, as the idle clock counts it: moved
				on by the length of each pause and lull that is over; 0: not known */
	uint64_t granted_ns; /* beyond max_total */
	uint64_t ending_ns;  /* when kill_signal was sent: the grace period runs since then */
	uint64_t verdict_ns; /* from the exec to the watchdog's verdict; 0: there was none */
	uint64_t idle_ns;    /* since the last sign of life, at the verdict */
	uint64_t start_time; /* field 22 of proc_pid_stat(5), 0 where it could not be read */
	uint64_t mark;       /* of its processes, supervisor/contain.h; 0: none */
	uint64_t cpu_ns;     /* of the leader, once it has exited; STANDING_UNKNOWN */
	uint64_t max_rss_kb; /* likewise */
	int64_t started_wall_ms;
	int32_t pid;          /* of the leader; 0: not known */
	int32_t wait_status;  /* wait(2) of the leader, or WIRE_WAIT_UNKNOWN while it lives */
	uint32_t revision;    /* counts the changes of this job's standing, from 1 */
	uint32_t containment; /* enum wire_containment */
	uint32_t cause;       /* enum wire_cause: why it is being ended */
	uint32_t flags;       /* STANDING_ bits */
};

/* An amount that cannot be known any more. */
#define STANDING_UNKNOWN UINT64_MAX

#endif
