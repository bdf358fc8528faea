/*
 * queue: the jobs that have not ended, and which of them runs next. Pure: no system call, no store,
 * no clock. The server fills it from the store and does what it says.
 *
 * Invariants: (1) a job number and a child id each stand at most once; (2) starting + running jobs
 * never exceed max_running by queue_next(), nor max_running_per_parent for one parent; (3) a parent
 * exists as long as it has a job; (4) a parent is in the ring if and only if it has a queued job.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/id.h"
#include "base/status.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read its fields freely; only the functions below write them, but for the marks. */
struct queue_job {
	RB_ENTRY(queue_job) by_number;
	RB_ENTRY(queue_job) by_child;
	TAILQ_ENTRY(queue_job) in_parent; /* all of the parent's jobs */
	TAILQ_ENTRY(queue_job) in_line;   /* the parent's queued ones, first in first out */
	struct queue_parent *parent;
	int64_t number;
	int64_t depth;
	enum status status; /* STATUS_QUEUED, STATUS_STARTING or STATUS_RUNNING */
	bool is_cancelled;  /* the caller's mark: somebody asked for its end */
	bool is_told;       /* the caller's mark: the supervisor knows of it */
	bool is_paused;     /* the caller's mark: so the supervisor said last */
	bool is_asked;      /* the caller's mark: the supervisor owes an answer about it */
	char child[];
};

TAILQ_HEAD(queue_line, queue_job);

struct queue_parent {
	RB_ENTRY(queue_parent) by_name;
	TAILQ_ENTRY(queue_parent) in_ring;
	struct queue_line jobs;
	struct queue_line line;
	size_t running; /* starting ones included */
	size_t unfinished;
	char name[];
};

struct queue;

/* Room: how many jobs may run at once, and may wait. UINT32_MAX: any number. */
struct queue_room {
	uint32_t max_running;
	uint32_t max_running_per_parent;
	uint32_t queue_limit;
};

/* NULL if memory is short. */
struct queue *queue_new(const struct queue_room *room);
void queue_free(struct queue *q);

/* New limits. What runs beyond them runs on. */
void queue_set_room(struct queue *q, const struct queue_room *room);

/* Forgets all jobs. */
void queue_clear(struct queue *q);

/*
 * Adds a job in one of the three states, at the end of its parent's line if it is queued. The
 * queue owns it. NULL with errno ENOMEM, or EEXIST where number or child stand already.
 */
struct queue_job *queue_add(struct queue *q, int64_t number, const char *parent, const char *child,
    int64_t depth, enum status status);

struct queue_job *queue_find(struct queue *q, int64_t number);             /* or NULL */
struct queue_job *queue_find_child(struct queue *q, const char *child);    /* or NULL */
struct queue_parent *queue_find_parent(struct queue *q, const char *name); /* or NULL */

/* All jobs, by number: queue_next_job(q, NULL) is the first; NULL ends. */
struct queue_job *queue_next_job(struct queue *q, struct queue_job *j);

/* Whether another job may be added under queue_limit. */
bool queue_is_full(const struct queue *q);

size_t queue_queued(const struct queue *q);
size_t queue_running(const struct queue *q); /* starting ones included */

/*
 * The job that is to run next, or NULL: no job, or no room. Parents take turns; within one, first
 * in, first out. O(1), but for parents at their own limit.
 */
struct queue_job *queue_next(struct queue *q);

/*
 * The only three ways in which a job changes: queued -> starting (its parent's next turn comes
 * after all others'), starting -> running, starting -> queued (first in its line).
 */
void queue_start(struct queue *q, struct queue_job *j);
void queue_run(struct queue *q, struct queue_job *j);
void queue_put_back(struct queue *q, struct queue_job *j);

/* It has ended: frees j, and its parent if that was the last. */
void queue_remove(struct queue *q, struct queue_job *j);

#endif
