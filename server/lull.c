/*
 * lull: see lull.h.
 */
#include "server/lull.h"

#include "base/clock.h"

/* How long one that nobody wishes for is left alone: an earlier server's clients may come back. */
#define PATIENCE_NS (5 * NSEC_PER_SEC)

/* A supervisor that does not know the job tells when it has started. */
static void
say(struct server *s, int64_t job, bool is_lulled)
{
	const struct queue_job *j = queue_find(s->queue, job);

	if (j != NULL && j->is_told)
		link_lull(s->link, (uint64_t)job, is_lulled);
}

int
lull_begin(struct server *s, int64_t job)
{
	bool is_first;
	int r = lulls_add(&s->lulls, job, &is_first);

	if (r == 0 && is_first)
		say(s, job, true);
	return r;
}

void
lull_end(struct server *s, int64_t job)
{
	if (lulls_remove(&s->lulls, job))
		say(s, job, false);
}

void
lull_told(struct server *s, const struct standing *st)
{
	bool is_wished = lulls_has(&s->lulls, (int64_t)st->job);

	if (is_wished && st->lull_ns == 0) {
		link_lull(s->link, st->job, true);
	} else if (!is_wished && st->lull_ns != 0) {
		server_check(s, lulls_doubt(&s->lulls, (int64_t)st->job));
		if (!s->lull_doubts.is_armed)
			timer_arm(&s->loop.timers, &s->lull_doubts,
			    clock_add_ns(s->loop.now_ns, PATIENCE_NS));
	}
}

static void
go_on(void *arg, int64_t job)
{
	say(arg, job, false);
}

static void
doubts_expired(void *arg)
{
	struct server *s = arg;

	lulls_sweep(&s->lulls, go_on, s);
}

void
lull_init(struct server *s)
{
	lulls_init(&s->lulls);
	timer_init(&s->lull_doubts, doubts_expired, s);
}
