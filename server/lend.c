/*
 * lend: see lend.h.
 */
#include "server/lend.h"

/* To be said in each turn, for the queue may have been read anew from the store. */
static void
lend_go_on(struct server *s, int64_t job)
{
	struct queue_job *j = queue_find(s->queue, job);

	if (j == NULL || !queue_is_live(j) || (j->is_lent && j->place.line == NULL))
		return;
	j->is_doubtful = false;
	if (queue_lend(s->queue, j) == 0)
		s->has_news = true; /* there is room */
}

static int
lend_begin(struct server *s, int64_t job)
{
	bool is_first;
	int r = lulls_add(&s->lends, job, &is_first);

	if (r == 0)
		lend_go_on(s, job);
	return r;
}

/* With the last call the job claims its room. */
static void
lend_end(struct server *s, int64_t job)
{
	struct queue_job *j = queue_find(s->queue, job);

	if (!lulls_remove(&s->lends, job) || j == NULL)
		return;
	queue_claim(s->queue, j);
	s->has_news = true;
}

/* It may have no room, though it counts as one that has: it gets some, when there is. */
static void
lend_settle_doubt(struct server *s, int64_t job)
{
	struct queue_job *j = queue_find(s->queue, job);

	if (j == NULL || !lender_is_doubtful(s, job))
		return;
	j->is_doubtful = false;
	if (queue_lend(s->queue, j) < 0)
		return;
	queue_claim(s->queue, j);
	s->has_news = true;
}

static bool
lend_is_settled(struct server *s, int64_t job)
{
	const struct queue_job *j = queue_find(s->queue, job);

	return j == NULL || !j->is_lent || lulls_has(&s->lends, job);
}

bool
lender_is_doubtful(const struct server *s, int64_t job)
{
	const struct queue_job *j = job <= 0 ? NULL : queue_find(s->queue, job);

	return j != NULL && j->is_doubtful && queue_is_live(j) && queue_is_over(s->queue, j);
}

void
lender_wait(struct server *s, struct lender *l)
{
	if (l->job == 0)
		return;
	if (l->is_lending)
		lend_go_on(s, l->job);
	else
		l->is_lending = lend_begin(s, l->job) == 0;
}

void
lender_fini(struct server *s, struct lender *l)
{
	if (l->is_lending)
		lend_end(s, l->job);
	l->is_lending = false;
}

bool
lender_settle(struct server *s, struct lender *l)
{
	lender_fini(s, l);
	if (l->job != 0)
		lend_settle_doubt(s, l->job);
	return l->job == 0 || lend_is_settled(s, l->job);
}
