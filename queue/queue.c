/*
 * queue: see queue.h. Runs in the server. queue/roster.h finds jobs and parents, queue/line.h has
 * the order in which they get room. Makes no system call.
 */
#include "queue/queue.h"

#include "queue/pools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct queue {
	struct queue_room room;
	struct roster roster;
	struct pools pools;
	struct dues dues;
	struct line_turns turns;
	size_t queued;
	size_t waiting; /* of the queued ones, for others */
	size_t working; /* starting or running, and takes room */
	size_t lent;
	size_t suspended;
};

struct queue *
queue_new(const struct queue_room *room)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	if (pools_init(&q->pools) < 0) {
		free(q);
		return NULL;
	}
	dues_init(&q->dues);
	q->room = *room;
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	queue_clear(q);
	pools_fini(&q->pools);
	free(q);
}

static void
look_at_parent(struct queue *q, struct queue_parent *p)
{
	line_set_full(&p->owner, p->working >= q->room.max_running_per_parent);
}

void
queue_set_room(struct queue *q, const struct queue_room *room)
{
	struct queue_parent *p;

	q->room = *room;
	for (p = roster_next_parent(&q->roster, NULL); p != NULL;
	     p = roster_next_parent(&q->roster, p))
		look_at_parent(q, p);
}

int
queue_set_pools(struct queue *q, const struct queue_pool *pools, size_t count)
{
	pools_forget(&q->pools);
	for (size_t i = 0; i < count; i++) {
		if (pools_set(&q->pools, pools[i].name, pools[i].max_running) < 0)
			return -ENOMEM;
	}
	return 0;
}

const struct line_pool *
queue_find_pool(const struct queue *q, const char *name)
{
	return pools_find(&q->pools, name);
}

void
queue_list_pools(const struct queue *q, bool is_known, char *text, size_t size)
{
	pools_list(&q->pools, is_known, text, size);
}

void
queue_clear(struct queue *q)
{
	struct queue_job *j;

	while ((j = roster_next(&q->roster, NULL)) != NULL)
		queue_remove(q, j);
}

struct queue_parent *
queue_find_parent(struct queue *q, const char *name)
{
	return roster_find_parent(&q->roster, name);
}

/* It takes room: everybody's, its parent's and its pool's. */
static void
take_room(struct queue *q, struct queue_job *j)
{
	q->working++;
	j->pool->running++;
	j->parent->working++;
	look_at_parent(q, j->parent);
}

static void
give_room(struct queue *q, struct queue_job *j)
{
	q->working--;
	j->pool->running--;
	j->parent->working--;
	look_at_parent(q, j->parent);
}

/* Holds of a queued job. */
static void
set_holds(struct queue *q, struct queue_job *j, uint32_t holds)
{
	if ((j->holds & QUEUE_HOLD_WAIT) != 0)
		q->waiting--;
	if ((holds & QUEUE_HOLD_WAIT) != 0)
		q->waiting++;
	j->holds = holds;
}

static void
line_up(struct queue *q, struct queue_job *j)
{
	if (j->holds != 0)
		return;
	j->place.order = (uint64_t)j->number;
	line_join(&q->turns, j->line, &j->place);
}

/* It leaves the status that it has, for none. */
static void
leave_status(struct queue *q, struct queue_job *j)
{
	line_leave(&j->place);
	due_leave(&q->dues, &j->due);
	set_holds(q, j, 0);
	if (queue_is_live(j))
		j->parent->running--;
	if (j->status == STATUS_QUEUED)
		q->queued--;
	else if (j->status == STATUS_SUSPENDED)
		q->suspended--;
	else if (j->is_lent)
		q->lent--;
	else
		give_room(q, j);
	j->is_lent = false;
}

static void
enter_status(struct queue *q, struct queue_job *j, enum status status, uint32_t holds)
{
	j->status = status;
	if (status == STATUS_QUEUED) {
		q->queued++;
		set_holds(q, j, holds);
		line_up(q, j);
	} else if (status == STATUS_SUSPENDED) {
		q->suspended++;
	} else {
		j->parent->running++;
		take_room(q, j);
	}
}

/* The lines that it may stand in, so that joining them never fails. Frees j if memory is short. */
static struct queue_job *
find_place(struct queue *q, struct queue_job *j, const struct queue_new *n)
{
	j->parent = roster_make_parent(&q->roster, n->parent);
	if (j->parent != NULL)
		look_at_parent(q, j->parent);
	j->pool = pools_get(&q->pools, n->pool != NULL ? n->pool : "");
	if (j->parent != NULL && j->pool != NULL)
		j->line = line_get(&j->parent->owner, j->pool, n->priority);
	if (j->line != NULL)
		return j;
	if (j->pool != NULL)
		pools_drop_if_unused(&q->pools, j->pool);
	if (j->parent != NULL)
		roster_drop_parent(&q->roster, j->parent);
	free(j);
	return NULL;
}

struct queue_job *
queue_add(struct queue *q, const struct queue_new *n)
{
	struct queue_job *j;
	size_t size = strlen(n->child) + 1;

	if (queue_find(q, n->number) != NULL || queue_find_child(q, n->child) != NULL) {
		errno = EEXIST;
		return NULL;
	}
	j = calloc(1, sizeof(*j) + size);
	if (j != NULL)
		j = find_place(q, j, n);
	if (j == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	memcpy(j->child, n->child, size);
	j->number = n->number;
	j->depth = n->depth;
	j->priority = n->priority;
	roster_add(&q->roster, j);
	enter_status(q, j, n->status, n->holds);
	return j;
}

struct queue_job *
queue_find(struct queue *q, int64_t number)
{
	return roster_find(&q->roster, number);
}

struct queue_job *
queue_find_child(struct queue *q, const char *child)
{
	return roster_find_child(&q->roster, child);
}

struct queue_job *
queue_next_job(struct queue *q, struct queue_job *j)
{
	return roster_next(&q->roster, j);
}

bool
queue_is_live(const struct queue_job *j)
{
	return j->status == STATUS_STARTING || j->status == STATUS_RUNNING;
}

bool
queue_is_full(const struct queue *q)
{
	return q->queued - q->waiting >= q->room.queue_limit;
}

size_t
queue_queued(const struct queue *q)
{
	return q->queued;
}

size_t
queue_suspended(const struct queue *q)
{
	return q->suspended;
}

size_t
queue_running(const struct queue *q)
{
	return q->working + q->lent;
}

size_t
queue_working(const struct queue *q)
{
	return q->working;
}

bool
queue_is_over(const struct queue *q, const struct queue_job *j)
{
	return q->working > q->room.max_running ||
	    j->parent->working > q->room.max_running_per_parent ||
	    j->pool->running > j->pool->max_running;
}

/* The line whose first place is to get room next, or NULL. */
static struct line *
best_line(const struct queue *q)
{
	return q->working < q->room.max_running ? pools_best(&q->pools) : NULL;
}

static struct queue_job *
job_of(struct line_place *place)
{
	return (struct queue_job *)((char *)place - offsetof(struct queue_job, place));
}

struct queue_job *
queue_next(struct queue *q)
{
	struct line *l = best_line(q);

	return l == NULL || l->priority == LINE_CLAIMS ? NULL : job_of(line_first(l));
}

enum queue_shortage
queue_shortage_of(const struct queue_job *j)
{
	if (!j->pool->is_known)
		return QUEUE_SHORT_POOL_UNKNOWN;
	if (j->parent->owner.is_full)
		return QUEUE_SHORT_OF_PARENT;
	return j->pool->running >= j->pool->max_running ? QUEUE_SHORT_OF_POOL : QUEUE_SHORT_OF_ALL;
}

size_t
queue_ahead(struct queue *q, struct queue_job *j)
{
	struct line_owner *owner = &j->parent->owner;
	struct line *l;
	size_t before, count;

	if (j->place.line == NULL)
		return 0;
	if (!owner->is_full)
		return pools_ahead(&q->pools, &j->place);
	before = count = line_before(&j->place);
	for (l = line_next(owner, NULL); l != NULL; l = line_next(owner, l)) {
		if (l != j->line)
			count += line_ahead(l, j->line, before);
	}
	return count;
}

void
queue_start(struct queue *q, struct queue_job *j)
{
	line_move_on(&q->turns, &j->place);
	leave_status(q, j);
	enter_status(q, j, STATUS_STARTING, 0);
}

void
queue_run(struct queue *q, struct queue_job *j)
{
	(void)q;
	j->status = STATUS_RUNNING;
}

void
queue_suspend(struct queue *q, struct queue_job *j)
{
	leave_status(q, j);
	enter_status(q, j, STATUS_SUSPENDED, 0);
}

void
queue_put_back(struct queue *q, struct queue_job *j, uint32_t holds)
{
	leave_status(q, j);
	enter_status(q, j, STATUS_QUEUED, holds);
}

void
queue_hold(struct queue *q, struct queue_job *j, uint32_t holds)
{
	set_holds(q, j, j->holds | holds);
	if (j->holds != 0)
		line_leave(&j->place);
}

void
queue_release(struct queue *q, struct queue_job *j, uint32_t holds)
{
	if ((j->holds & holds) == 0)
		return;
	set_holds(q, j, j->holds & ~holds);
	if ((j->holds & QUEUE_HOLD_TIME) == 0)
		due_leave(&q->dues, &j->due);
	line_up(q, j);
}

void
queue_hold_until(struct queue *q, struct queue_job *j, enum due_clock clock, uint64_t at)
{
	queue_hold(q, j, QUEUE_HOLD_TIME);
	due_wait(&q->dues, &j->due, clock, at, (uint64_t)j->number);
}

uint64_t
queue_next_due(const struct queue *q, enum due_clock clock)
{
	return due_next(&q->dues, clock);
}

struct queue_job *
queue_pass(struct queue *q, enum due_clock clock, uint64_t now)
{
	struct due_place *due = due_pass(&q->dues, clock, now);
	struct queue_job *j;

	if (due == NULL)
		return NULL;
	j = (struct queue_job *)((char *)due - offsetof(struct queue_job, due));
	queue_release(q, j, QUEUE_HOLD_TIME);
	return j;
}

int
queue_lend(struct queue *q, struct queue_job *j)
{
	if (j->claims == NULL)
		j->claims = line_get(&j->parent->owner, j->pool, LINE_CLAIMS);
	if (j->claims == NULL)
		return -ENOMEM;
	if (j->is_lent) {
		line_leave(&j->place);
		return 0;
	}
	give_room(q, j);
	j->is_lent = true;
	q->lent++;
	return 0;
}

void
queue_claim(struct queue *q, struct queue_job *j)
{
	if (!j->is_lent || j->place.line != NULL)
		return;
	j->place.order = ++q->turns.last;
	line_join(&q->turns, j->claims, &j->place);
}

struct queue_job *
queue_next_claim(struct queue *q)
{
	struct line *l = best_line(q);

	return l != NULL && l->priority == LINE_CLAIMS ? job_of(line_first(l)) : NULL;
}

void
queue_regain(struct queue *q, struct queue_job *j)
{
	line_leave(&j->place);
	q->lent--;
	j->is_lent = false;
	take_room(q, j);
}

void
queue_remove(struct queue *q, struct queue_job *j)
{
	leave_status(q, j);
	line_put(j->line);
	line_put(j->claims);
	pools_drop_if_unused(&q->pools, j->pool);
	roster_remove(&q->roster, j);
	free(j);
}
