/*
 * queue: the jobs that have not ended, and which of them runs next. Pure: no system call, no store,
 * no clock. The server fills it from the store and does what it says.
 *
 * Order: whoever wants back what it lent comes before everybody who is to be started. Then the higher
 * priority is first. Within a priority and a pool (those without a pool are like one more) the parents
 * take turns, and so do the pools where room is short for all: what moved on longest ago is first, and
 * who comes anew is behind no more than one turn of each other. Within a parent, priority and pool the
 * lower number is first, also after a job was put back or released. A turn taken in one pool costs the
 * parent none in another: else one whose jobs without a pool start all the time would never get the
 * pool for which others wait.
 *
 * Invariants: (1) a job number and a child id each stand at most once; (2) no start by queue_next(), and
 * no job by queue_next_claim(), makes starting and running jobs that have not lent their room more than
 * max_running, nor those of a parent more than max_running_per_parent, nor those of a pool more than its
 * own; (3) a parent exists as long as it has a job, a pool that is not known any more as long as a job is
 * of it; (4) a job stands in a line if and only if it is queued without a hold, or claims.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/id.h"
#include "base/status.h"
#include "queue/due.h"
#include "queue/line.h"
#include "queue/roster.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a queued job stands in no line. */
#define QUEUE_HOLD_TIME (1u << 0) /* its time has not come */
#define QUEUE_HOLD_WAIT (1u << 1) /* it waits for others */

struct queue;

/* Room: how many jobs may run at once, and may wait. UINT32_MAX: any number. */
struct queue_room {
	uint32_t max_running;
	uint32_t max_running_per_parent;
	uint32_t queue_limit; /* queue_is_full() says of whom */
};

/* A pool: at most so many of its jobs run at once. */
struct queue_pool {
	const char *name;
	uint32_t max_running;
};

/* NULL if memory is short. */
struct queue *queue_new(const struct queue_room *room);
void queue_free(struct queue *q);

/* New limits. What runs beyond them runs on. */
void queue_set_room(struct queue *q, const struct queue_room *room);

/*
 * The pools from now on. Jobs of one that is not among them any more wait until it is again. 0, or
 * -ENOMEM with some of them set.
 */
int queue_set_pools(struct queue *q, const struct queue_pool *pools, size_t count);

/* The pool of that name, or NULL. It may be one that is not known any more. */
const struct line_pool *queue_find_pool(const struct queue *q, const char *name);

/* The names of those that are known, or of those that are not any more, with commas between, cut to size. */
void queue_list_pools(const struct queue *q, bool is_known, char *text, size_t size);

/* Forgets all jobs. */
void queue_clear(struct queue *q);

/* What a job is added with. */
struct queue_new {
	int64_t number;
	const char *parent;
	const char *child;
	const char *pool; /* NULL: none */
	int64_t depth;
	int32_t priority;
	enum status status; /* one of the four */
	uint32_t holds;     /* of a queued one */
};

/*
 * Adds a job; a queued one without holds to the line of its parent, pool and priority. The queue owns
 * it. A pool that is not known is made, without room. NULL with errno ENOMEM, or EEXIST where number or
 * child stand already.
 */
struct queue_job *queue_add(struct queue *q, const struct queue_new *n);

struct queue_job *queue_find(struct queue *q, int64_t number);             /* or NULL */
struct queue_job *queue_find_child(struct queue *q, const char *child);    /* or NULL */
struct queue_parent *queue_find_parent(struct queue *q, const char *name); /* or NULL */

/* All jobs, by number: queue_next_job(q, NULL) is the first; NULL ends. */
struct queue_job *queue_next_job(struct queue *q, struct queue_job *j);

/* Whether it starts or runs: the supervisor has to do with it. */
bool queue_is_live(const struct queue_job *j);

/*
 * Whether no other job may be added under queue_limit. Those that are held because they wait for others do not
 * count: whom they wait for may itself wait to be added.
 */
bool queue_is_full(const struct queue *q);

size_t queue_queued(const struct queue *q); /* those on hold included */
size_t queue_suspended(const struct queue *q);
size_t queue_running(const struct queue *q); /* starting ones, and those that lend, included */
size_t queue_working(const struct queue *q); /* the same without those that lend */

/* Whether more have room than there is, with this one among them: of all, of its parent, or of its pool. */
bool queue_is_over(const struct queue *q, const struct queue_job *j);

/*
 * The job that is to run next, or NULL: no job, no room, or a claim is to be served first. Costs
 * O(pools + log n), whatever the queue's length.
 */
struct queue_job *queue_next(struct queue *q);

/* Where room is short for a queued job, first of these that is so. */
enum queue_shortage {
	QUEUE_SHORT_POOL_UNKNOWN, /* its pool is not known any more */
	QUEUE_SHORT_OF_PARENT,    /* max_running_per_parent */
	QUEUE_SHORT_OF_POOL,
	QUEUE_SHORT_OF_ALL /* max_running, or it is about to be started */
};

enum queue_shortage queue_shortage_of(const struct queue_job *j);

/* How many are to get that room before it, as things are. O(n): for a single job, not for each. */
size_t queue_ahead(struct queue *q, struct queue_job *j);

/*
 * The ways in which a job changes: queued (without hold) -> starting (the next turn of its line comes
 * after all others'), starting -> running, running -> suspended (it has no process, takes no room), and
 * starting, running or suspended -> queued again, at the place that its number has in its line, with
 * these holds.
 */
void queue_start(struct queue *q, struct queue_job *j);
void queue_run(struct queue *q, struct queue_job *j);
void queue_suspend(struct queue *q, struct queue_job *j);
void queue_put_back(struct queue *q, struct queue_job *j, uint32_t holds);

/* Adds or takes away holds of a queued job, which stands in its line while it has none. */
void queue_hold(struct queue *q, struct queue_job *j, uint32_t holds);
void queue_release(struct queue *q, struct queue_job *j, uint32_t holds);

/*
 * Holds a queued job by QUEUE_HOLD_TIME until that time, in place of an earlier one. queue_next_due() is
 * the earliest of a clock, DUE_NEVER: none; queue_pass() takes that hold from one whose time has come,
 * the earliest first, and returns it; NULL: there is none. O(log n) each.
 */
void queue_hold_until(struct queue *q, struct queue_job *j, enum due_clock clock, uint64_t at);
uint64_t queue_next_due(const struct queue *q, enum due_clock clock);
struct queue_job *queue_pass(struct queue *q, enum due_clock clock, uint64_t now);

/*
 * A starting or running job lends its room to others: everybody's, its parent's and its pool's. Nothing
 * happens if it has done so; a claim is withdrawn. 0, or -ENOMEM: it keeps its room.
 */
int queue_lend(struct queue *q, struct queue_job *j);

/*
 * It wants its room back. Whoever claims is served before any start, and first come, first served
 * among those for whom there is room: queue_next_claim() is the next of them, NULL: none, or no
 * room; queue_regain() gives it its room. Nothing happens if it claims already, or never lent.
 */
void queue_claim(struct queue *q, struct queue_job *j);
struct queue_job *queue_next_claim(struct queue *q);
void queue_regain(struct queue *q, struct queue_job *j);

/* It has ended: frees j, and its parent if that was the last. */
void queue_remove(struct queue *q, struct queue_job *j);

#endif
