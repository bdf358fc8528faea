/*
 * roster: which jobs have not ended, and which parents have such, by number and by name. Part of the queue; pure.
 *
 * A job number and a child id each stand at most once. A parent exists as long as it has a job.
 */
#ifndef QUEUE_ROSTER_H
#define QUEUE_ROSTER_H

#include "base/status.h"
#include "queue/due.h"
#include "queue/line.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read its fields freely; only those of queue.h write them, but for the marks. */
struct queue_job {
	RB_ENTRY(queue_job) by_number;
	RB_ENTRY(queue_job) by_child;
	TAILQ_ENTRY(queue_job) in_parent; /* all of the parent's jobs */
	struct line_place place;          /* where it waits for room */
	struct due_place due;             /* when its time comes, if that is why it is held */
	struct queue_parent *parent;
	struct line_pool *pool;
	struct line *line;   /* where it waits when it is queued */
	struct line *claims; /* where it waits when it has lent its room, or NULL */
	int64_t number;
	int64_t depth;
	uint64_t mark; /* the caller's: of its start, while it starts or runs; 0: none */
	int32_t priority;
	enum status status; /* STATUS_QUEUED, STATUS_STARTING, STATUS_RUNNING or STATUS_SUSPENDED */
	uint32_t holds;     /* QUEUE_HOLD_..., while it is queued */
	bool is_lent;       /* it runs, and its room is others' */
	bool is_cancelled;  /* the caller's mark: somebody asked for its end */
	bool is_told;       /* the caller's mark: the supervisor knows of it */
	bool is_paused;     /* the caller's mark: so the supervisor said last */
	bool is_asked;      /* the caller's mark: the supervisor owes an answer about it */
	bool
	    is_suspending; /* the caller's mark: its process is being ended, for it to be suspended */
	bool is_retry;     /* the caller's mark: it was run, and is to be run again */
	bool is_resumed;   /* the caller's mark: it was suspended, and is run again */
	bool is_doubtful; /* the caller's mark: nobody knows whether it had lent its room */
	char child[];
};

TAILQ_HEAD(queue_jobs, queue_job);

struct queue_parent {
	RB_ENTRY(queue_parent) by_name;
	struct queue_jobs jobs;
	struct line_owner owner;
	size_t running; /* starting ones included */
	size_t working; /* the same without those that have lent their room */
	size_t unfinished;
	char name[];
};

RB_HEAD(roster_numbers, queue_job);
RB_HEAD(roster_children, queue_job);
RB_HEAD(roster_parents, queue_parent);

/* Empty when it is zeroed. */
struct roster {
	struct roster_numbers numbers;
	struct roster_children children;
	struct roster_parents parents;
};

struct queue_job *roster_find(const struct roster *r, int64_t number);             /* or NULL */
struct queue_job *roster_find_child(const struct roster *r, const char *child);    /* or NULL */
struct queue_parent *roster_find_parent(const struct roster *r, const char *name); /* or NULL */

/* The first after this one, by number and by name; of NULL: the first of all. NULL ends. */
struct queue_job *roster_next(const struct roster *r, struct queue_job *j);
struct queue_parent *roster_next_parent(const struct roster *r, struct queue_parent *p);

/* That parent, made if there is none; NULL if memory is short. */
struct queue_parent *roster_make_parent(struct roster *r, const char *name);

/* Frees a parent that has no jobs. */
void roster_drop_parent(struct roster *r, struct queue_parent *p);

/* A job whose number and child are new, below its parent. */
void roster_add(struct roster *r, struct queue_job *j);

/* Takes it out, and drops its parent if that was the last; j stays the caller's. */
void roster_remove(struct roster *r, struct queue_job *j);

#endif
