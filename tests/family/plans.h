/*
 * plans: the books of the simulator of queue and family: each job that somebody meant to have, who meant it, and
 * what became of it in truth, to which what the server says is compared. Must know nothing from the server but what
 * clients and the supervisor are told.
 */
#ifndef FAMILY_PLANS_H
#define FAMILY_PLANS_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLANS_MAX 2000
#define PLAN_ID_SIZE 16
#define PLAN_AFTER_MAX 3

struct plan {
	unsigned number; /* from 1 on; its child id is c and that */
	struct plan *above;
	char parent[PLAN_ID_SIZE], child[PLAN_ID_SIZE];
	unsigned depth;
	int64_t job;   /* 0: not known to have been accepted */
	unsigned pool; /* 0: none */
	uint64_t not_before_ns;
	struct plan *after[PLAN_AFTER_MAX]; /* whom it waits for: all, or any */
	size_t after_count;
	bool is_after_any;
	bool is_after_ok;      /* and these are to have completed */
	unsigned retries;      /* after an error or a timeout, */
	bool is_retry_on_lost; /* or where that is not known */
	bool is_refused;       /* it never will be */
	bool is_cancel_asked;  /* for it or one above it, by whomever; it may have had no effect */
	bool is_cancelled; /* and somebody was told that it is done: it may not begin any more */
	/* What the supervisor's side knows: */
	uint64_t mark;     /* of its processes, whose number is the plan's */
	unsigned spawned;  /* how often it was sent */
	unsigned run;      /* for which of its runs, last; 0: none */
	unsigned unsent;   /* starts since then that never left, and are lost to the server */
	unsigned executed; /* how often it began to run */
	unsigned executed_of_run;
	bool was_suspended; /* it was sent again within a run */
	bool is_sent;       /* to the supervisor, which has not settled that */
	bool is_alive;
	bool is_paused;
	bool is_waiting;    /* in a call, for its own children: it does no work */
	bool is_suspending; /* it has asked to be suspended, since it was executed last */
	bool is_suspended;  /* and was told that it will be */
	bool has_status;    /* what was sent last ended in this way: */
	bool may_be_lost;   /* and nobody may have seen how */
	int wait_status;
	uint32_t cause; /* enum wire_cause */
	bool is_not_executable;
	/* And what the records say: */
	int64_t seq; /* 0: none was seen */
	enum status status;
};

/* are_orphans_ended: the children of a job that has ended are cancelled. */
void plans_init(bool are_orphans_ended);

/* NULL: there are enough. above is NULL for one of a user, whose name is then given. */
struct plan *plans_new(struct plan *above, const char *user);

size_t plans_count(void);
struct plan *plans_at(size_t i); /* i < plans_count() */

/* By what is in a record or in an environment; a promise is broken if there is none. */
struct plan *plans_of_child(const char *child);

/* Enqueue has answered so. */
void plans_accepted(struct plan *p, int64_t job);

/* Whether it was accepted, and is not known to have ended. */
bool plans_is_unfinished(const struct plan *p);

/* Somebody asks for the end of p and all below it; the server says that it is done. */
void plans_ask_cancel(struct plan *p);
void plans_cancelled(struct plan *p);

/* The server is about to have it started, with that number, for that run. */
void plans_spawned(struct plan *p, int64_t job, unsigned run);

/* Its process has begun. */
void plans_executed(struct plan *p);

/* A record came, whoever got it. Returns its plan. */
struct plan *plans_record(const json_t *record);

/* The world is at rest: all that was accepted has its record. */
void plans_check_end(void);

#endif
