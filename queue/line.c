/*
 * line: see line.h. Run by the server, by way of the queue. Makes no system call.
 */
#include "queue/line.h"

#include <stdlib.h>

static int
compare_places(const struct line_place *a, const struct line_place *b)
{
	return (a->order > b->order) - (a->order < b->order);
}

int
line_compare(const struct line *a, const struct line *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return (a->turn > b->turn) - (a->turn < b->turn);
}

static int
compare_of_owner(const struct line *a, const struct line *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return ((uintptr_t)a->pool > (uintptr_t)b->pool) -
	    ((uintptr_t)a->pool < (uintptr_t)b->pool);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(line_places, line_place, in_line, compare_places,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(line_ready, line, in_ready, line_compare, static __attribute__((unused)))
RB_GENERATE_INTERNAL(line_set, line, of_owner, compare_of_owner, static __attribute__((unused)))

struct line *
line_get(struct line_owner *owner, struct line_pool *pool, int32_t priority)
{
	struct line key = {.pool = pool, .priority = priority};
	struct line *l = RB_FIND(line_set, &owner->lines, &key);

	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			return NULL;
		l->pool = pool;
		l->owner = owner;
		l->priority = priority;
		RB_INIT(&l->places);
		RB_INSERT(line_set, &owner->lines, l);
		pool->users++;
	}
	l->users++;
	return l;
}

void
line_put(struct line *l)
{
	if (l == NULL || --l->users > 0)
		return;
	RB_REMOVE(line_set, &l->owner->lines, l);
	l->pool->users--;
	free(l);
}

struct line_place *
line_first(struct line *l)
{
	return RB_MIN(line_places, &l->places);
}

size_t
line_before(struct line_place *place)
{
	struct line_place *p;
	size_t count = 0;

	for (p = line_first(place->line); p != place; count++)
		p = RB_NEXT(line_places, &place->line->places, p);
	return count;
}

size_t
line_ahead(const struct line *other, const struct line *l, size_t before)
{
	size_t turns = before + (other->turn < l->turn);

	if (other->priority != l->priority)
		return other->priority > l->priority ? other->count : 0;
	return turns < other->count ? turns : other->count;
}

/* Puts the line where it belongs after a change of its places, its turn or its owner. */
static void
settle(struct line *l)
{
	if (l->is_ready)
		RB_REMOVE(line_ready, &l->pool->ready, l);
	l->is_ready = l->count > 0 && !l->owner->is_full;
	/* Claims take no turns: who claimed first is first, whichever line he stands in. */
	if (l->count > 0 && l->priority == LINE_CLAIMS)
		l->turn = line_first(l)->order;
	if (l->is_ready)
		RB_INSERT(line_ready, &l->pool->ready, l);
}

void
line_join(struct line_turns *turns, struct line *l, struct line_place *place)
{
	place->line = l;
	RB_INSERT(line_places, &l->places, place);
	if (l->count++ > 0) /* claims come one behind the other */
		return;
	l->turn = ++turns->last;
	settle(l);
}

static void
leave(struct line_place *place)
{
	struct line *l = place->line;

	RB_REMOVE(line_places, &l->places, place);
	place->line = NULL;
	l->count--;
}

void
line_leave(struct line_place *place)
{
	struct line *l = place->line;

	if (l == NULL)
		return;
	leave(place);
	if (l->count == 0 || l->priority == LINE_CLAIMS)
		settle(l);
}

void
line_move_on(struct line_turns *turns, struct line_place *place)
{
	struct line *l = place->line;

	/* The turn is its key: out of the tree first. */
	if (l->is_ready)
		RB_REMOVE(line_ready, &l->pool->ready, l);
	l->is_ready = false;
	leave(place);
	l->turn = ++turns->last;
	settle(l);
}

void
line_set_full(struct line_owner *owner, bool is_full)
{
	struct line *l;

	if (owner->is_full == is_full)
		return;
	owner->is_full = is_full;
	RB_FOREACH (l, line_set, &owner->lines)
		settle(l);
}

struct line *
line_best(struct line_pool *pool)
{
	return RB_MIN(line_ready, &pool->ready);
}

struct line *
line_next(struct line_owner *owner, struct line *l)
{
	return l == NULL ? RB_MIN(line_set, &owner->lines) : RB_NEXT(line_set, &owner->lines, l);
}

struct line *
line_next_ready(struct line_pool *pool, struct line *l)
{
	return l == NULL ? RB_MIN(line_ready, &pool->ready) : RB_NEXT(line_ready, &pool->ready, l);
}
