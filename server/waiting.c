/*
 * waiting: see waiting.h.
 */
#include "server/waiting.h"

#include "server/results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int
waiting_add(struct server *s, struct queue_job *j, const struct waiters_row *row,
    const struct waits_edge *edges, size_t count)
{
	int r = server_check(s, waiters_add(s->store, row, edges, count));

	if (r < 0)
		return r;
	if (waits_add(s->waits, row->job, row->policy, edges, count) < 0)
		return server_check(s, -ENOMEM);
	if (row->kind == WAITERS_AFTER)
		queue_hold(s->queue, j, QUEUE_HOLD_WAIT);
	s->waits_begun++;
	s->has_news = true; /* it may be over already */
	return 0;
}

void
waiting_tell(struct server *s, int64_t job, enum status status)
{
	if (!waits_has_waiters(s->waits, job))
		return;
	if (server_check(s, waiters_end(s->store, job, status)) == 0)
		waits_end(s->waits, job, status);
}

void
waiting_drop(struct server *s, struct queue_job *j)
{
	if (!waits_has(s->waits, j->number) && !j->is_resumed)
		return;
	server_check(s, waiters_drop(s->store, j->number));
	waits_remove(s->waits, j->number);
	j->is_suspending = j->is_resumed = false;
	results_forget(s->results, j->number);
}

static const char *
present(const struct queue_job *j)
{
	if (j->status == STATUS_RUNNING)
		return "runs";
	return j->status == STATUS_SUSPENDED ? "is suspended" : "is queued";
}

bool
waiting_describe(struct server *s, const struct queue_job *j, char text[WAITING_TEXT_SIZE])
{
	int64_t first = 0;
	size_t open = waits_open(s->waits, j->number, &first);
	const struct queue_job *awaited = open == 0 ? NULL : queue_find(s->queue, first);
	int used;

	if (j->is_resumed && (j->holds & QUEUE_HOLD_WAIT))
		return snprintf(text, WAITING_TEXT_SIZE, "the file of its children's results") > 0;
	if (awaited == NULL)
		return false;
	used = snprintf(text, WAITING_TEXT_SIZE, "after %s, which %s", awaited->child,
	    present(awaited));
	if (open > 1)
		snprintf(text + used, WAITING_TEXT_SIZE - (size_t)used, ", %s %zu other%s",
		    waits_policy(s->waits, j->number) == WAITS_ANY ? "or one of" : "and", open - 1,
		    open > 2 ? "s" : "");
	return true;
}
