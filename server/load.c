/*
 * load: see load.h.
 */
#include "server/load.h"

#include "server/approvals.h"
#include "server/due.h"
#include "server/kin.h"
#include "server/row.h"
#include "server/suspension.h"

#include <errno.h>

struct queue_job *
load_one(struct server *s, const struct store_job *j)
{
	struct queue_job *added;
	const struct queue_new n = {.number = j->job,
	    .parent = j->parent,
	    .child = j->child,
	    .depth = j->depth,
	    .pool = j->order.pool,
	    .priority = j->order.priority,
	    .status = j->status,
	    .holds = due_is_set(&j->order) ? QUEUE_HOLD_TIME : 0};

	added = queue_add(s->queue, &n);
	if (added == NULL)
		return NULL;
	added->mark = j->standing.mark;
	due_load(s, added, &j->order);
	return added;
}

static int
load_job(void *arg, const struct store_job *j)
{
	struct server *s = arg;
	struct queue_job *q = load_one(s, j);

	if (q == NULL)
		return -errno;
	q->is_cancelled = j->is_cancelled;
	q->is_retry = j->order.retried > 0;
	q->is_doubtful = queue_is_live(q);
	/* Nobody reads the FIFO of a parent whose id was made up. */
	if (j->is_delivered)
		deliver_touch(s->deliver, j->parent);
	return kin_load(s, j);
}

/* Those that wait on a clock of the machine's earlier life. */
static int
load_waits(struct server *s)
{
	struct queue_job *j, *next;
	struct row row;
	int r = 0;

	for (j = queue_next_job(s->queue, NULL); j != NULL && r == 0; j = next) {
		next = queue_next_job(s->queue, j);
		if ((j->holds & QUEUE_HOLD_TIME) == 0 || j->due.is_waiting)
			continue;
		r = store_read_job(s->store, j->number, row_copy, &row);
		if (r == 0)
			r = due_renew(s, j, &row.job.order);
	}
	return r;
}

static int
load_parent(void *arg, const char *parent, int64_t count)
{
	struct server *s = arg;

	(void)count;
	deliver_touch(s->deliver, parent);
	return 0;
}

int
load_all(struct server *s)
{
	int r;

	queue_clear(s->queue);
	family_clear(s->family);
	outputs_clear(s->outputs);
	s->is_synced = false;
	r = store_each_live_job(s->store, load_job, s);
	if (r == 0)
		r = suspension_load(s);
	if (r == 0)
		r = load_waits(s);
	if (r == 0)
		r = store_each_pending_parent(s->store, load_parent, s);
	if (r == 0)
		r = approvals_load(s);
	return r;
}
