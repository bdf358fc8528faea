/*
 * queue: see queue.h. Runs in the server. Two trees find jobs, one finds parents; a ring of the
 * parents that have queued jobs gives each its turn. Makes no system call.
 */
#include "queue/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

RB_HEAD(numbers, queue_job);
RB_HEAD(children, queue_job);
RB_HEAD(parents, queue_parent);
TAILQ_HEAD(ring, queue_parent);

struct queue {
	struct queue_room room;
	struct numbers numbers;
	struct children children;
	struct parents parents;
	struct ring ring;
	size_t queued;
	size_t running;
};

static int
compare_numbers(const struct queue_job *a, const struct queue_job *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare_children(const struct queue_job *a, const struct queue_job *b)
{
	return strcmp(a->child, b->child);
}

static int
compare_parents(const struct queue_parent *a, const struct queue_parent *b)
{
	return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(numbers, queue_job, by_number, compare_numbers, static __attribute__((unused)))
RB_GENERATE_INTERNAL(children, queue_job, by_child, compare_children,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(parents, queue_parent, by_name, compare_parents,
    static __attribute__((unused)))

struct queue *
queue_new(const struct queue_room *room)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	RB_INIT(&q->numbers);
	RB_INIT(&q->children);
	RB_INIT(&q->parents);
	TAILQ_INIT(&q->ring);
	q->room = *room;
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	queue_clear(q);
	free(q);
}

void
queue_set_room(struct queue *q, const struct queue_room *room)
{
	q->room = *room;
}

void
queue_clear(struct queue *q)
{
	struct queue_job *j;

	while ((j = RB_MIN(numbers, &q->numbers)) != NULL)
		queue_remove(q, j);
}

/* Joins the line of its parent, at its head or its tail, and the parent joins the ring. */
static void
line_up(struct queue *q, struct queue_job *j, bool is_first)
{
	struct queue_parent *p = j->parent;

	if (TAILQ_EMPTY(&p->line))
		TAILQ_INSERT_TAIL(&q->ring, p, in_ring);
	if (is_first)
		TAILQ_INSERT_HEAD(&p->line, j, in_line);
	else
		TAILQ_INSERT_TAIL(&p->line, j, in_line);
	q->queued++;
}

static void
leave_line(struct queue *q, struct queue_job *j)
{
	struct queue_parent *p = j->parent;

	TAILQ_REMOVE(&p->line, j, in_line);
	if (TAILQ_EMPTY(&p->line))
		TAILQ_REMOVE(&q->ring, p, in_ring);
	q->queued--;
}

struct queue_parent *
queue_find_parent(struct queue *q, const char *name)
{
	struct queue_parent *p = RB_ROOT(&q->parents);
	int order;

	while (p != NULL && (order = strcmp(name, p->name)) != 0)
		p = order < 0 ? RB_LEFT(p, by_name) : RB_RIGHT(p, by_name);
	return p;
}

static struct queue_parent *
make_parent(struct queue *q, const char *name)
{
	struct queue_parent *p = queue_find_parent(q, name);
	size_t size = strlen(name) + 1;

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p) + size);
	if (p == NULL)
		return NULL;
	memcpy(p->name, name, size);
	TAILQ_INIT(&p->jobs);
	TAILQ_INIT(&p->line);
	RB_INSERT(parents, &q->parents, p);
	return p;
}

static void
drop_parent_if_empty(struct queue *q, struct queue_parent *p)
{
	if (!TAILQ_EMPTY(&p->jobs))
		return;
	RB_REMOVE(parents, &q->parents, p);
	free(p);
}

struct queue_job *
queue_add(struct queue *q, int64_t number, const char *parent, const char *child, int64_t depth,
    enum status status)
{
	struct queue_job *j;
	size_t size = strlen(child) + 1;

	if (queue_find(q, number) != NULL || queue_find_child(q, child) != NULL) {
		errno = EEXIST;
		return NULL;
	}
	j = calloc(1, sizeof(*j) + size);
	if (j == NULL)
		return NULL;
	j->parent = make_parent(q, parent);
	if (j->parent == NULL) {
		free(j);
		return NULL;
	}
	memcpy(j->child, child, size);
	j->number = number;
	j->depth = depth;
	j->status = status;
	RB_INSERT(numbers, &q->numbers, j);
	RB_INSERT(children, &q->children, j);
	TAILQ_INSERT_TAIL(&j->parent->jobs, j, in_parent);
	j->parent->unfinished++;
	if (status == STATUS_QUEUED) {
		line_up(q, j, false);
	} else {
		j->parent->running++;
		q->running++;
	}
	return j;
}

struct queue_job *
queue_find(struct queue *q, int64_t number)
{
	struct queue_job key = {.number = number};

	return RB_FIND(numbers, &q->numbers, &key);
}

struct queue_job *
queue_find_child(struct queue *q, const char *child)
{
	struct queue_job *j = RB_ROOT(&q->children);
	int order;

	while (j != NULL && (order = strcmp(child, j->child)) != 0)
		j = order < 0 ? RB_LEFT(j, by_child) : RB_RIGHT(j, by_child);
	return j;
}

struct queue_job *
queue_next_job(struct queue *q, struct queue_job *j)
{
	return j == NULL ? RB_MIN(numbers, &q->numbers) : RB_NEXT(numbers, &q->numbers, j);
}

bool
queue_is_full(const struct queue *q)
{
	return q->queued >= q->room.queue_limit;
}

size_t
queue_queued(const struct queue *q)
{
	return q->queued;
}

size_t
queue_running(const struct queue *q)
{
	return q->running;
}

struct queue_job *
queue_next(struct queue *q)
{
	struct queue_parent *p;

	if (q->running >= q->room.max_running)
		return NULL;
	TAILQ_FOREACH (p, &q->ring, in_ring) {
		if (p->running < q->room.max_running_per_parent)
			return TAILQ_FIRST(&p->line);
	}
	return NULL;
}

void
queue_start(struct queue *q, struct queue_job *j)
{
	struct queue_parent *p = j->parent;

	leave_line(q, j);
	if (!TAILQ_EMPTY(&p->line)) {
		TAILQ_REMOVE(&q->ring, p, in_ring);
		TAILQ_INSERT_TAIL(&q->ring, p, in_ring);
	}
	j->status = STATUS_STARTING;
	p->running++;
	q->running++;
}

void
queue_run(struct queue *q, struct queue_job *j)
{
	(void)q;
	j->status = STATUS_RUNNING;
}

void
queue_put_back(struct queue *q, struct queue_job *j)
{
	j->parent->running--;
	q->running--;
	j->status = STATUS_QUEUED;
	line_up(q, j, true);
}

void
queue_remove(struct queue *q, struct queue_job *j)
{
	struct queue_parent *p = j->parent;

	if (j->status == STATUS_QUEUED) {
		leave_line(q, j);
	} else {
		p->running--;
		q->running--;
	}
	RB_REMOVE(numbers, &q->numbers, j);
	RB_REMOVE(children, &q->children, j);
	TAILQ_REMOVE(&p->jobs, j, in_parent);
	p->unfinished--;
	free(j);
	drop_parent_if_empty(q, p);
}
