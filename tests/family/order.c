/*
 * order: whose turn it is: what the queue says is next is compared with what all of its jobs say, by going over
 * them one by one. The linker puts it around the queue's functions. The simulator of queue and family.
 *
 * Starvation is counted: of lines with the same pool and priority none is started from more than once while another
 * of them waits and could run.
 */
#include "queue/queue.h"
#include "tests/family/promises.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One turn, and one more: whoever is put back has had a turn that came to nothing. */
#define TURNS_MAX 2
#define LINES_MAX 256

/* Of this process: a server that begins knows nothing of whose turn it was, and nor do we. */
static struct {
	size_t count;
	struct waiting {
		const struct line *line;
		int64_t first; /* the job that waits; if that is gone, nothing is owed */
		unsigned passed[LINES_MAX]; /* by whom */
	} of[LINES_MAX];
} order;

void
promises_server_begins(void)
{
	memset(&order, 0, sizeof(order));
}

static bool
has_room(const struct queue *q, const struct queue_job *j)
{
	const struct promises_room *room = promises_room();

	return queue_working(q) < room->max_running &&
	    j->parent->working < room->max_running_per_parent &&
	    j->pool->running < j->pool->max_running;
}

static bool
could_run(const struct queue *q, const struct queue_job *j)
{
	return j->status == STATUS_QUEUED && j->holds == 0 && has_room(q, j);
}

struct queue_job *__real_queue_next(struct queue *q);
struct queue_job *__wrap_queue_next(struct queue *q);
struct queue_job *
__wrap_queue_next(struct queue *q)
{
	struct queue_job *next = __real_queue_next(q), *j;

	if (next != NULL && !could_run(q, next))
		world_broken(0, "limits are never exceeded", "job %" PRId64 " is to run",
		    next->number);
	if (next == NULL && queue_next_claim(q) != NULL)
		return NULL;
	for (j = queue_next_job(q, NULL); j != NULL; j = queue_next_job(q, j)) {
		if (!could_run(q, j))
			continue;
		if (next == NULL)
			world_broken(0, "no room is left empty while a job could run",
			    "job %" PRId64 " could", j->number);
		if (j->priority > next->priority)
			world_broken(0, "the higher priority is first",
			    "job %" PRId64 " comes before job %" PRId64, next->number, j->number);
		if (j->parent == next->parent && j->pool == next->pool &&
		    j->priority == next->priority && j->number < next->number)
			world_broken(0, "within a parent, first in, first out",
			    "job %" PRId64 " comes before job %" PRId64, next->number, j->number);
	}
	return next;
}

static struct waiting *
find(const struct line *line)
{
	size_t i;

	for (i = 0; i < order.count && order.of[i].line != line; i++)
		continue;
	if (i == LINES_MAX) {
		promises_server_begins();
		i = 0;
	}
	if (i == order.count)
		order.of[order.count++].line = line;
	return &order.of[i];
}

/* The line of o, whose first job that is, sees another being started. */
static void
pass(struct queue *q, const struct queue_job *o, const struct queue_job *j)
{
	size_t by = (size_t)(find(j->line) - order.of);
	struct waiting *w = find(o->line);
	const struct queue_job *first = queue_find(q, w->first);

	if (first == NULL || first->status != STATUS_QUEUED || first->line != o->line) {
		memset(w->passed, 0, sizeof(w->passed));
		w->first = o->number;
	}
	if (++w->passed[by] > TURNS_MAX)
		world_broken(0, "the parents take turns",
		    "job %" PRId64 " of %s waits, and %s has had %u turns", o->number,
		    o->parent->name, j->parent->name, w->passed[by]);
}

void __real_queue_start(struct queue *q, struct queue_job *j);
void __wrap_queue_start(struct queue *q, struct queue_job *j);
void
__wrap_queue_start(struct queue *q, struct queue_job *j)
{
	const struct line *seen[LINES_MAX];
	size_t count = 0, i;
	struct queue_job *o;

	for (o = queue_next_job(q, NULL); o != NULL; o = queue_next_job(q, o)) {
		if (!could_run(q, o) || o->line == j->line || o->pool != j->pool ||
		    o->priority != j->priority)
			continue;
		for (i = 0; i < count && seen[i] != o->line; i++)
			continue;
		if (i < count || count == LINES_MAX)
			continue;
		seen[count++] = o->line;
		pass(q, o, j);
	}
	find(j->line)->first = 0;
	__real_queue_start(q, j);
}
