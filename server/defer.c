/*
 * defer: see defer.h.
 */
#include "server/defer.h"

#include "base/clock.h"
#include "server/echo.h"

/* Longer than programs live that do next to nothing, and shorter than anybody would notice. */
#define MOMENT_NS (10 * NSEC_PER_MSEC)

static void
expired(void *arg)
{
	defer_end(arg);
}

void
defer_init(struct server *s, void (*told)(struct server *s, const struct wire_message *m))
{
	s->deferred.told = told;
	timer_init(&s->deferred.timer, expired, s);
}

/* Whether nobody can tell the difference: the first that is heard of a program that runs. */
static bool
is_unheeded(struct server *s, const struct standing *st)
{
	const struct queue_job *j = queue_find(s->queue, (int64_t)st->job);

	return s->is_synced && !s->is_store_down && !feed_is_heard(s->feed) && j != NULL &&
	    j->status == STATUS_STARTING && j->is_told && !j->is_cancelled && !j->is_suspending &&
	    !echo_is_start(j, st);
}

bool
defer_keep(struct server *s, const struct wire_message *m)
{
	struct deferred *d = &s->deferred;

	if (m->type != WIRE_STARTED || d->count == DEFERRED_MAX || s->store == NULL ||
	    !is_unheeded(s, &m->started))
		return false;
	/* Should the supervisor die, how the job ends is known by this alone. */
	leaders_keep(&s->leaders, &m->started);
	d->starts[d->count++] = m->started;
	if (!d->timer.is_armed)
		timer_arm(&s->loop.timers, &d->timer, clock_add_ns(s->loop.now_ns, MOMENT_NS));
	return true;
}

void
defer_end(struct server *s)
{
	struct deferred *d = &s->deferred;
	struct wire_message m = {.type = WIRE_STARTED};

	for (size_t i = 0; i < d->count; i++) {
		m.started = d->starts[i];
		d->told(s, &m);
	}
	d->count = 0;
	timer_disarm(&s->loop.timers, &d->timer);
}
