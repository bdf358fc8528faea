/*
 * brood: the jobs. What happens to each, from SPAWN to FORGET: carries out what its table of states asks
 * for. Messages, exits, deadlines and looks at its group come in; signals and reports go out.
 */
#ifndef SUPERVISOR_BROOD_H
#define SUPERVISOR_BROOD_H

#include "base/loop.h"
#include "supervisor/contain.h"
#include "supervisor/hunt.h"
#include "supervisor/linger.h"
#include "supervisor/proc.h"
#include "supervisor/report.h"
#include "supervisor/slots.h"
#include "supervisor/start.h"
#include "supervisor/sweep.h"
#include "watchdog/notice.h"

#include <stdint.h>

struct adopt;

struct brood {
	struct loop *loop;
	struct slots slots;
	struct report report;
	struct contain contain;
	struct linger linger;
	struct hunt hunt;
	struct sweep sweep;
	struct start start;
	struct proc_abilities abilities;
	uint32_t stuck;      /* slots in CHILD_STUCK */
	struct adopt *adopt; /* adopt_init() sets it */
	void (*last_look)(
	    void *arg); /* before a verdict: signs of life from elsewhere; NULL: none */
	void *last_look_arg;
};

/* What brood_fini() may be called with, too. */
#define BROOD_NONE \
	(struct brood) \
	{ \
		.contain = {.base_fd = -1, .children_fd = -1}, .hunt.scan.fd = -1, \
		.linger.scan.fd = -1, .sweep.pass.fd = -1 \
	}

enum brood_exit {
	BROOD_EXIT_NOT_OURS, /* no job's leader */
	BROOD_EXIT_REAPED,
	BROOD_EXIT_KEPT,  /* a leader that stays a zombie until its group is empty */
	BROOD_EXIT_AGAIN, /* it is not known how it ended: to be asked a moment later */
	BROOD_EXIT_COUNT
};

/* 0 or -ENOMEM. After that nothing here allocates. */
int brood_init(struct brood *b, struct loop *loop, const struct proc_abilities *abilities,
    uint32_t slot_count, uint64_t nofile_limit);

void brood_fini(struct brood *b);

/*
 * Starts a job; takes the WIRE_FD_COUNT descriptors over. Whatever goes wrong ends as that job's
 * ENDED, except where the job is there already: then nothing happens.
 */
void brood_spawn(struct brood *b, const struct wire_spawn *spawn, int *fds);

/* A job that cannot be started here and now: its answer is ENDED with stage WIRE_STAGE_SLOT and error. */
void brood_refuse(struct brood *b, uint64_t job, int error);

/* Something has happened to the job: its next state, and all that it asks for. The slot may be free then. */
void brood_event(struct slot *slot, enum child_event event);

/* The leader has exited, and slot->end says how. */
void brood_leader_exited(struct slot *slot);

/* What slot->deadline, a timer, calls; arg is the slot. */
void brood_deadline_passed(void *arg);

/* Whether any job is not over and forgotten; what survives SIGKILL is nothing to wait for. */
bool brood_is_busy(const struct brood *b);

/* What a process of the job has said by sd_notify(3). A job that is over hears nothing. */
void brood_notice(struct brood *b, struct slot *slot, const struct notice *notice);

/* The child with this number has exited and was not reaped. linger_look() is due after it. */
enum brood_exit brood_exited(struct brood *b, pid_t pid);

#endif
