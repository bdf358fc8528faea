/*
 * watchdog: limits and signs of life in, a deadline or a verdict out. Pure: no system call, no
 * allocation; the time is an argument (CLOCK_MONOTONIC, nanoseconds). Used by the supervisor;
 * the configuration and the server only carry struct limits around.
 */
#ifndef WATCHDOG_WATCHDOG_H
#define WATCHDOG_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* What counts as a sign of life: bits of limits.activity. */
#define ACTIVITY_HEARTBEAT 0x1u
#define ACTIVITY_OUTPUT 0x2u

enum idle_from {
	IDLE_FROM_START,
	IDLE_FROM_FIRST_BEAT,
	IDLE_FROM_COUNT
};

/* What becomes of those that a job's first process leaves behind. */
enum leftovers {
	LEFTOVERS_KILL,
	LEFTOVERS_WAIT,
	LEFTOVERS_LEAVE,
	LEFTOVERS_COUNT
};

enum on_output_limit {
	ON_OUTPUT_TRIM,
	ON_OUTPUT_KILL,
	ON_OUTPUT_COUNT
};

#define WATCHDOG_OFF UINT64_MAX /* the same value as DURATION_OFF */
#define LIMITS_NICE_INHERIT INT32_MAX

/*
 * All that is decided of a job before it starts. A value: copied into the job, the store and the
 * wire. No padding, so that it may travel as bytes. WATCHDOG_OFF is "no limit" in each uint64_t.
 */
struct limits {
	uint64_t max_total_ns;      /* since the program was executed; WATCHDOG_OFF: none */
	uint64_t max_idle_ns;       /* since the last sign of life; WATCHDOG_OFF: none */
	uint64_t check_interval_ns; /* deadlines are rounded up to multiples of this; 0: exact */
	uint64_t kill_grace_ns; /* from kill_signal to SIGKILL; WATCHDOG_OFF: SIGKILL never comes */
	uint64_t max_extend_ns; /* how much it may add to max_total by itself; 0: nothing */
	uint64_t max_memory; /* bytes of data of one process, RLIMIT_DATA; of the tree by cgroup */
	uint64_t max_processes;  /* of the user, RLIMIT_NPROC; of the tree by cgroup */
	uint64_t max_open_files; /* RLIMIT_NOFILE, soft and hard */
	uint64_t max_cpu_ns;     /* of one process, RLIMIT_CPU */
	uint64_t max_output;     /* bytes of its output that take room on the disk */
	int32_t kill_signal;
	int32_t nice;             /* -20..19; LIMITS_NICE_INHERIT: as the daemon has it */
	uint32_t activity;        /* ACTIVITY_ bits */
	uint32_t idle_from;       /* enum idle_from */
	uint32_t leftovers;       /* enum leftovers */
	uint32_t on_output_limit; /* enum on_output_limit */
};

struct watchdog {
	struct limits limits;
	uint64_t started_ns;   /* moved on by the length of each pause */
	uint64_t last_sign_ns; /* moved on by that, and by the length of each lull */
	uint64_t granted_ns;   /* beyond max_total_ns */
	uint64_t paused_ns;    /* since when; meaningful if is_paused */
	uint64_t lull_ns;      /* since when; meaningful if is_lulled */
	bool has_beaten;
	bool is_paused;
	bool is_lulled;
	bool is_quiet; /* watchdog_mark_quiet() */
};

/* Where another supervisor's watchdog left off; the fields are those of struct watchdog. */
struct watchdog_past {
	uint64_t started_ns;
	uint64_t last_sign_ns; /* 0: not known */
	uint64_t granted_ns;
	uint64_t paused_ns; /* 0: not paused */
	uint64_t lull_ns;   /* 0: not lulled */
	bool has_beaten;
};

enum watchdog_verdict {
	WATCHDOG_ALIVE,
	WATCHDOG_TOTAL,
	WATCHDOG_IDLE,
	WATCHDOG_VERDICT_COUNT
};

/*
 * The defaults of spawnd.ini(5): 1h, 15m, exact, TERM and 10s, heartbeat and output, from the
 * start, nothing granted beyond; leftovers are killed; 64M of output, then trimmed; no other limit.
 */
void limits_default(struct limits *limits);

/* Starts both clocks at now_ns, the moment when the program was executed. */
void watchdog_start(struct watchdog *w, const struct limits *limits, uint64_t now_ns);

/*
 * Goes on where another supervisor's left off. Signs of life that came since are added by
 * watchdog_sign().
 */
void watchdog_restore(struct watchdog *w, const struct limits *limits,
    const struct watchdog_past *past);

/*
 * A sign of life of one kind (one ACTIVITY_ bit) at at_ns, which may be earlier than signs already
 * seen. Kinds that limits.activity does not name are ignored, but for a first heartbeat that the
 * idle clock waits for; no other kind starts that.
 */
void watchdog_sign(struct watchdog *w, uint32_t activity, uint64_t at_ns);

/* From now_ns on both clocks stand still, until watchdog_resume(). Nothing happens if they do. */
void watchdog_pause(struct watchdog *w, uint64_t now_ns);
void watchdog_resume(struct watchdog *w, uint64_t now_ns);

/*
 * From now_ns on the idle clock alone stands still, until watchdog_stir(): the job waits for somebody. It
 * goes on where it stood. Nothing happens if it does. Pauses may begin and end within a lull, and
 * lulls within a pause.
 */
void watchdog_lull(struct watchdog *w, uint64_t now_ns);
void watchdog_stir(struct watchdog *w, uint64_t now_ns);

/*
 * The job asks for by_ns more from now_ns on: its total limit passes then, if that is later than it
 * would, but no later than max_extend_ns beyond max_total_ns. Whether anything was granted.
 * EXTEND_TIMEOUT_USEC of sd_notify(3).
 */
bool watchdog_extend(struct watchdog *w, uint64_t by_ns, uint64_t now_ns);

/* The total limit in force, with what was granted; WATCHDOG_OFF: none. */
uint64_t watchdog_max_total_ns(const struct watchdog *w);

/* Nanoseconds since the start, pauses not counted. */
uint64_t watchdog_elapsed_ns(const struct watchdog *w, uint64_t now_ns);

/*
 * When to look next: the earlier of both limits, rounded up to check_interval; WATCHDOG_OFF if
 * none.
 */
uint64_t watchdog_deadline(const struct watchdog *w);

/*
 * The same, or before that the moment when half of max_idle will have passed without a sign of life,
 * as long as it is not marked; likewise rounded up.
 */
uint64_t watchdog_wake(const struct watchdog *w);

/* Whether half of max_idle has passed without a sign of life, lulls not counted. */
bool watchdog_is_quiet(const struct watchdog *w, uint64_t now_ns);

/* Marks whether it has; returns whether that is another mark than before. */
bool watchdog_mark_quiet(struct watchdog *w, uint64_t now_ns);

/* Total is examined before idle, both with "greater or equal". */
enum watchdog_verdict watchdog_judge(const struct watchdog *w, uint64_t now_ns);

/* Nanoseconds since the last sign of life, as the idle limit counts them. */
uint64_t watchdog_idle_ns(const struct watchdog *w, uint64_t now_ns);

#endif
