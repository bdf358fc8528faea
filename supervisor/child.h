/*
 * child: the states of one job's process tree, as a const table of states and events. Pure: no
 * system call, no time, no allocation. child_step() alone changes a state, so that what belongs to
 * a change cannot be forgotten: the caller carries out the actions that it returns.
 */
#ifndef SUPERVISOR_CHILD_H
#define SUPERVISOR_CHILD_H

#include <stdbool.h>

enum child_state {
	CHILD_FREE,
	CHILD_STARTING, /* cloned; not known yet whether its program was executed */
	CHILD_RUNNING,  /* its program runs, or what that left (leftovers = wait); the clocks run */
	CHILD_PAUSED,   /* SIGSTOP was sent, the clocks stand still */
	CHILD_LEAVING, /* its leader goes or went by itself; not known yet whether anybody is left */
	CHILD_ENDING,  /* kill_signal was sent, the grace period runs */
	CHILD_KILLING, /* SIGKILL was sent */
	CHILD_STUCK,   /* SIGKILL did not help; the end was told all the same */
	CHILD_OVER,    /* nothing is left of it; kept until the server has stored the end */
	CHILD_STATE_COUNT
};

enum child_event {
	CHILD_CLONED,
	CHILD_ADOPTED,        /* an earlier supervisor started it: it runs */
	CHILD_ADOPTED_PAUSED, /* the same, and it is paused */
	CHILD_ADOPTED_ENDING, /* the same, and it was sent kill_signal */
	CHILD_EXECUTED,
	CHILD_NOT_EXECUTED, /* in CHILD_FREE: not even cloned */
	CHILD_LEADER_EXITED,
	CHILD_LEFTOVERS,       /* the leader has exited, others live, who are to be ended */
	CHILD_LEFTOVERS_WAIT,  /* the same, and they may finish */
	CHILD_LEFTOVERS_LEAVE, /* the same, and they are nobody's concern any more */
	CHILD_TREE_EMPTY,      /* the leader has exited, and nobody of its tree lives */
	CHILD_TOTAL_PASSED,
	CHILD_IDLE_PASSED,
	CHILD_TRIGGERED,     /* it asked the watchdog to end it: WATCHDOG=trigger, sd_notify(3) */
	CHILD_OUTPUT_PASSED, /* it wrote more than it may, and the server says so */
	CHILD_CANCEL,
	CHILD_PAUSE,
	CHILD_UNPAUSE,
	CHILD_GRACE_PASSED,
	CHILD_NOTHING_HELPS, /* long after SIGKILL somebody still lives */
	CHILD_FORGET,        /* the server has stored the end */
	CHILD_EVENT_COUNT
};

/* What a step asks for, as bits. */
#define CHILD_TELL_STANDING 0x001u /* that it runs, and how it stands: that has changed */
#define CHILD_TELL_ENDED 0x002u
#define CHILD_WATCH 0x004u         /* arm the watchdog */
#define CHILD_SIGNAL 0x008u        /* kill_signal and SIGCONT to the tree */
#define CHILD_ARM_GRACE 0x010u     /* CHILD_GRACE_PASSED shall come after kill_grace */
#define CHILD_KILL 0x020u          /* SIGKILL to the tree */
#define CHILD_KILL_LEADER 0x040u   /* SIGKILL to the leader: it may have no group yet */
#define CHILD_PROBE 0x080u         /* find out: CHILD_LEFTOVERS or CHILD_TREE_EMPTY */
#define CHILD_RELEASE 0x100u       /* the slot is free */
#define CHILD_COMPLAIN 0x200u      /* the event has no place in this state and was ignored */
#define CHILD_BLAME 0x400u         /* the event was noted as the cause of the end */
#define CHILD_STOP 0x800u          /* SIGSTOP to the tree; the clocks stand still */
#define CHILD_CONTINUE 0x1000u     /* SIGCONT to the tree; the clocks go on */
#define CHILD_ARM_PATIENCE 0x2000u /* CHILD_NOTHING_HELPS shall come after 30 s */

struct child {
	enum child_state state;
	enum child_event
	    cause; /* why we ended it; the first stands. CHILD_EVENT_COUNT: we did not */
};

/* Makes c free, without a cause. */
void child_init(struct child *c);

/* Takes one event. Returns the actions to carry out, each once, in the order of their bits. */
unsigned child_step(struct child *c, enum child_event event);

/* Whether any process of it may exist. */
bool child_is_live(const struct child *c);

/* For people: "starting" and so on. */
const char *child_state_name(enum child_state state);
const char *child_event_name(enum child_event event);

#endif
