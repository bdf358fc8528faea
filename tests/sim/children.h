/*
 * children: the jobs of the world: what each is like, what its processes do, and what has truly become of
 * it, which is what the supervisor's doings are measured by.
 */
#ifndef SIM_CHILDREN_H
#define SIM_CHILDREN_H

#include "tests/sim/kernel.h"
#include "tests/sim/processes.h"
#include "watchdog/heartbeat.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define JOBS_MAX 256

/* What a job is like, drawn once. */
/* Marks lie below it. */
#define MARK_LIMIT (UINT64_C(1) << 48)

struct habits {
	uint64_t interval_ns; /* between two things that a process of it does */
	uint64_t life_ns;     /* of its first process; UINT64_MAX: until it is ended */
	uint64_t helper_life_ns;
	uint64_t silent_after_ns;
	uint64_t term_delay_ns; /* how long it needs to end when asked */
	unsigned forks;         /* how many processes it makes */
	bool is_deaf;           /* ignores what is not SIGKILL */
	bool is_flooding;
	bool has_beats;
	bool has_output;
	bool is_escaping; /* helpers leave the group */
	bool is_respawning;
	bool is_negligent; /* does not reap */
	bool is_stopping;  /* itself */
	bool is_crashing;
	bool is_getting_stuck; /* in the kernel, for long */
	uint64_t exec_ns;      /* until its program is executed */
	uint32_t exec_stage;   /* where that fails; WIRE_STAGE_NONE: nowhere */
};

/* What the supervisor's answers must agree with. */
struct told {
	bool is_started; /* since the last HELLO or REPORT */
	bool is_ended;
	bool was_started; /* ever */
	bool was_ended;
	bool was_stuck;
	bool was_refused;
	struct standing started;
	struct wire_ended ended;
};

struct job {
	uint64_t id; /* 0: none */
	struct wire_spawn spawn;
	struct habits habits;

	/*
	 * The truth. Times of signs of life are by the job's own clock, children_clock(), and moved on by
	 * children_stir(); the others are by the world's; 0: not yet.
	 */
	uint64_t leader; /* number of its first process */
	int32_t pid;
	int beats_fd; /* what the supervisor was sent, to be found by these numbers */
	int output_fd;
	uint64_t beats_number;
	uint64_t output_number;
	unsigned forked;
	uint64_t mark;
	int leader_status;
	bool is_taken; /* the supervisor has read its SPAWN */
	bool is_cloned;
	bool has_cgroup;
	uint64_t executed_ns;
	uint64_t settled_ns; /* when the supervisor knew */
	uint64_t leader_died_ns;
	uint64_t last_death_ns; /* of any of its processes */
	uint64_t left_ns;       /* when the supervisor knew how it had ended */
	uint64_t beat_ns;       /* last written, and last read */
	uint64_t read_ns;
	uint64_t grown_ns; /* last output, and the last that the supervisor saw */
	uint64_t seen_ns;
	struct heartbeat lines; /* what was read, by the simulator's own reckoning */
	bool is_in_line;        /* the last byte that was read ended none */
	uint64_t
	    granted_ns; /* beyond max_total, for what was read, by the simulator's own reckoning */

	/* What the supervisor was asked, and what it did. */
	uint64_t cancelled_ns;
	bool is_cancelled_early;    /* before it was known to run */
	enum wire_cause sure_cause; /* that it must name */
	bool is_paused;
	uint64_t paused_ns;   /* since when */
	uint64_t pauses_ns;   /* their sum */
	uint64_t unpaused_ns; /* when the last one ended */
	unsigned pause_count;
	bool is_lulled;
	uint64_t lull_ns;  /* since when, by the job's clock */
	uint64_t quiet_ns; /* from when on it is idle, if no sign of life came: as they are */
	unsigned lull_count;
	uint64_t signalled_ns; /* first tried */
	uint64_t killed_ns;
	bool is_ended_by_us; /* its leader lived then */
	bool is_forgotten;   /* the supervisor has read a FORGET that counts */
	struct told told;
	uint64_t progress_ns[2]; /* when lines of it were told last, the older first */
};

void children_init(void);

/* A new job with limits and habits by chance. NULL: no room. */
struct job *children_new_job(void);

/* NULL if there is none. */
struct job *children_find(uint64_t id);

/* The world's time without the job's pauses. */
uint64_t children_clock(const struct job *job);

/* It ends, or its leader did, or it goes on: a pause is over. */
void children_unpause(struct job *job);

/* Its idle clock goes on where it stood: its signs of life are moved on by the length of the lull. */
void children_stir(struct job *job);

/* Takes it out of the table once it is forgotten, nobody of it lives, and its cgroup is removed. */
void children_let_go(struct job *job);

/* In any order; NULL at the end. job may be NULL for the first. */
struct job *children_next(const struct job *job);

/* The supervisor has cloned its first process. */
void children_cloned(struct job *job, struct process *p);

/* What processes tells: a signal has reached it that it may ignore; it has died. */
void children_signalled(struct process *p, int signo);
void children_died(struct process *p);

/* Whether parent reaps p, which has died, at once. */
bool children_reaps(const struct process *parent, const struct process *p);

/* read(2) of a heartbeat pipe. */
ssize_t children_read_beats(struct file *f, void *data, size_t len);

/* fstat(2) of an output. */
void children_output_seen(const struct file *f);

/* From now on all processes come to an end. */
void children_grow_old(void);

#endif
