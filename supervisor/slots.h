/*
 * slots: where the supervisor keeps what it knows of each job, from SPAWN to FORGET. All of it is
 * reserved before the supervisor is ready and touched only when used; taking a slot cannot fail for
 * want of memory. The lines of heartbeat pipes lie apart: a quiet job does not touch them.
 *
 * Besides slot_count slots for jobs there are a few for refusals, so that a SPAWN that cannot be
 * granted has an answer that is kept like any other.
 */
#ifndef SUPERVISOR_SLOTS_H
#define SUPERVISOR_SLOTS_H

#include "base/loop.h"
#include "base/timer.h"
#include "supervisor/child.h"
#include "supervisor/proc.h"
#include "watchdog/heartbeat.h"
#include "watchdog/watchdog.h"
#include "wire/wire.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SLOTS_REFUSALS 64

struct brood;
struct report;
struct slots;

/* What has not been told yet: bits of slot.to_tell. */
#define SLOT_TELL_STANDING 0x1u
#define SLOT_TELL_LOOKED 0x2u
#define SLOT_TELL_ENDED 0x4u
#define SLOT_TELL_PROGRESS 0x8u
#define SLOT_TELL_IDLE 0x10u

struct slot {
	struct slots *slots; /* that it belongs to */
	uint64_t job;
	RB_ENTRY(slot) by_job;
	RB_ENTRY(slot) by_pid;        /* while has_pid */
	RB_ENTRY(slot) by_mark;       /* while mark is not 0 */
	TAILQ_ENTRY(slot) telling;    /* while to_tell is not 0 */
	TAILQ_ENTRY(slot) newsworthy; /* while news is not 0 */
	TAILQ_ENTRY(slot) lingering;  /* while is_lingering */
	TAILQ_ENTRY(slot) hunted;     /* while hunt_signal or hunted_by is not 0 */
	STAILQ_ENTRY(slot) next;      /* while free, or among the refusals */

	struct child child;
	struct proc proc;
	uint64_t mark; /* of its processes; 0: none. slots_set_mark() */
	enum wire_containment containment;
	int base_fd; /* of an adopted job in a cgroup: the base that this is in; owned, -1: our own */
	bool has_pid;      /* the leader is our child, not reaped, and known by its number */
	bool has_exited;   /* the leader has; end.wait_status is known */
	bool is_lingering; /* its leader has exited, its group may not be empty */
	bool has_lines;    /* its heartbeat was written to; until then it is not even read */
	bool is_awaited;   /* SYNCED must wait until it is known whether this one started */
	bool has_verdict;  /* idle_ns is that of the verdict */
	bool was_killed;
	bool
	    is_foreign; /* adopted from a supervisor that has gone: others reap it, orphans do not come here */
	bool is_by_mark; /* so is its group, which cannot be signalled by number then */
	bool
	    is_doubted; /* while it lingers: only a pass over /proc can tell whether anybody is left */
	bool is_scanned;     /* and the one under way does */
	bool is_seen;        /* and has found somebody */
	uint8_t empty_looks; /* so often in a row it did not, and might have missed somebody */
	uint8_t to_tell;
	uint8_t news; /* of SLOT_TELL_PROGRESS and _IDLE, what is to be told, but not in a hurry */
	bool is_despaired;   /* SIGKILL has not helped for long: after the next pass it is stuck */
	unsigned probes;     /* since SIGKILL */
	uint64_t scanned_ns; /* the last pass over /proc for it since then */
	enum proc_group group; /* what the last look found, while is_lingering */
	int hunt_signal;       /* the next pass over /proc is to send; 0: none */
	int hunted_by;         /* the pass that is under way sends; 0: none */

	struct watchdog watchdog;
	struct timer deadline; /* of the watchdog, later of the grace period */
	struct timer unmute;
	struct loop_io report_io; /* spawn_outcome(); owned */
	struct loop_io exit_io;   /* of a foreign leader: its pidfd, which is proc's */
	struct loop_io beats_io;
	uint32_t lines;        /* that came and were not told */
	int64_t lines_wall_ms; /* when the last of them came */
	uint64_t read_ns;      /* when the pipe was last read because it was ready */
	uint64_t flood_ns;     /* and when that was much, or soon after the read before */
	uint32_t burst;        /* how much came in such reads, one soon after the other */
	int beats_fd;          /* owned */
	int output_fd;         /* owned */
	off_t output_size;
	uint64_t looked_ns; /* when output_size was looked at */
	int64_t ahead_ns;   /* by how much the wall clock was ahead of ours then */

	int32_t pid; /* for the records only: never signalled */
	uint64_t start_time;
	int64_t started_wall_ms; /* 0: never ran */
	int64_t ended_wall_ms;
	uint64_t ended_ns;
	uint64_t idle_ns;
	uint32_t survivor_count; /* of SIGKILL, as the last pass over /proc found them */
	int32_t survivors[WIRE_SURVIVORS_MAX];
	uint64_t verdict_ns; /* from the exec to the watchdog's verdict; 0: none */
	uint64_t ending_ns;  /* when kill_signal was sent; 0: it was not */
	uint64_t
	    exited_ns; /* when a foreign leader did, while it is not known how; 0: known, or it lives */
	uint32_t revision; /* of its standing */
	struct proc_end end;
	enum wire_stage stage;
	int error;
};

RB_HEAD(slots_by_job, slot);
RB_HEAD(slots_by_pid, slot);
RB_HEAD(slots_by_mark, slot);
STAILQ_HEAD(slot_list, slot);
TAILQ_HEAD(slot_news, slot);

struct slots {
	struct loop *loop; /* these three for callbacks; report is the caller's to set */
	struct brood *brood;
	struct report *report;
	struct slot *slots; /* count + SLOTS_REFUSALS of them */
	struct heartbeat *heartbeats;
	uint32_t count;
	uint32_t touched; /* slots below this were in use before */
	uint32_t used;    /* jobs and refusals that are not forgotten */
	struct slot_list free;
	struct slot_list free_refusals;
	struct slot_list refusals; /* those in use, oldest first */
	struct slot_news news;
	struct slots_by_job by_job;
	struct slots_by_pid by_pid;
	struct slots_by_mark by_mark;
};

/*
 * How many jobs may run at once under this RLIMIT_NOFILE: each needs up to four descriptors, and a
 * fifth for the FIFO of its parent (supervisor/writers.h).
 */
uint32_t slots_count_for(uint64_t nofile_limit);

/* 0 or -ENOMEM. loop and brood are only kept. */
int slots_init(struct slots *s, uint32_t count, struct loop *loop, struct brood *brood);
void slots_fini(struct slots *s);

/*
 * A slot for this job, which must not have one: empty but for its number, found by slots_find() from
 * now on. NULL if none is free.
 */
struct slot *slots_take(struct slots *s, uint64_t job);

/*
 * The same from the reserve for refusals; where that is used up, the oldest refusal that has been
 * told gives way. NULL if none has been told yet.
 */
struct slot *slots_take_refusal(struct slots *s, uint64_t job);

/* Whether one of the two above would succeed. */
bool slots_has_room(const struct slots *s);

/* Gives a slot back. Its descriptors are closed and its timers disarmed by then; its state is free. */
void slots_give_back(struct slots *s, struct slot *slot);

/* NULL if there is none. */
struct slot *slots_find(struct slots *s, uint64_t job);

/* The slot whose leader, not reaped, has this number. NULL if there is none. */
struct slot *slots_find_pid(struct slots *s, pid_t pid);

/* The leader's number is valid from slots_set_pid() until slots_drop_pid(), which its reaping calls for. */
void slots_set_pid(struct slots *s, struct slot *slot);
void slots_drop_pid(struct slots *s, struct slot *slot);

/* Its processes carry mark (not 0, and no other slot's) from now on, until the slot is given back. */
void slots_set_mark(struct slots *s, struct slot *slot, uint64_t mark);

/* The slot whose processes carry this mark. NULL if there is none. */
struct slot *slots_find_mark(struct slots *s, uint64_t mark);

/* In order of their jobs; NULL at the end. slot may be NULL for the first. */
struct slot *slots_next(struct slots *s, struct slot *slot);

/* There is news of this kind (SLOT_TELL_PROGRESS or SLOT_TELL_IDLE) for those who watch. */
void slots_note_news(struct slots *s, struct slot *slot, unsigned what);

/* Takes all of its news away: returns what it was. */
unsigned slots_take_news(struct slots *s, struct slot *slot);

/* The lines of its heartbeat pipe. */
struct heartbeat *slots_heartbeat(const struct slots *s, const struct slot *slot);

#endif
