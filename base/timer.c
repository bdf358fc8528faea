/*
 * timer: see timer.h. Both loops. Pure: makes no system call, allocates nothing.
 */
#include "base/timer.h"

#include <stddef.h>

static int
compare(const struct timer *a, const struct timer *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	/* Any order will do among equals, as long as it is one. */
	if (a != b)
		return (uintptr_t)a < (uintptr_t)b ? -1 : 1;
	return 0;
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(timer_tree, timer, entry, compare, static __attribute__((unused)))

static struct timer *
first(const struct timers *ts)
{
	struct timer *t = RB_ROOT(&ts->tree);

	while (t != NULL && RB_LEFT(t, entry) != NULL)
		t = RB_LEFT(t, entry);
	return t;
}

void
timers_init(struct timers *ts)
{
	RB_INIT(&ts->tree);
}

void
timer_init(struct timer *t, void (*expired)(void *arg), void *arg)
{
	*t = (struct timer){.at_ns = TIMER_NEVER, .expired = expired, .arg = arg};
}

void
timer_arm(struct timers *ts, struct timer *t, uint64_t at_ns)
{
	if (t->is_armed && t->at_ns == at_ns)
		return;
	timer_disarm(ts, t);
	if (at_ns == TIMER_NEVER)
		return;
	t->at_ns = at_ns;
	t->is_armed = true;
	RB_INSERT(timer_tree, &ts->tree, t);
}

void
timer_disarm(struct timers *ts, struct timer *t)
{
	if (!t->is_armed)
		return;
	RB_REMOVE(timer_tree, &ts->tree, t);
	t->is_armed = false;
}

uint64_t
timers_next(const struct timers *ts)
{
	const struct timer *t = first(ts);

	return t == NULL ? TIMER_NEVER : t->at_ns;
}

void
timers_expire(struct timers *ts, uint64_t now_ns)
{
	struct timer *t;

	/* Begins anew each time: a callback may have changed the tree in any way. */
	while ((t = first(ts)) != NULL && t->at_ns <= now_ns) {
		timer_disarm(ts, t);
		t->expired(t->arg);
	}
}
