/*
 * lend: see lend.h.
 */
#include "server/lend.h"

void
lend_go_on(struct server *s, int64_t job)
{
	struct queue_job *j = queue_find(s->queue, job);

	if (j == NULL || !queue_is_live(j) || (j->is_lent && j->place.line == NULL))
		return;
	if (queue_lend(s->queue, j) == 0)
		s->has_news = true; /* there is room */
}

int
lend_begin(struct server *s, int64_t job)
{
	bool is_first;
	int r = lulls_add(&s->lends, job, &is_first);

	if (r == 0)
		lend_go_on(s, job);
	return r;
}

void
lend_end(struct server *s, int64_t job)
{
	struct queue_job *j = queue_find(s->queue, job);

	if (!lulls_remove(&s->lends, job) || j == NULL)
		return;
	queue_claim(s->queue, j);
	s->has_news = true;
}

bool
lend_is_settled(struct server *s, int64_t job)
{
	const struct queue_job *j = queue_find(s->queue, job);

	return j == NULL || !j->is_lent || lulls_has(&s->lends, job);
}
