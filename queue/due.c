/*
 * due: see due.h. Run by the server, by way of the queue. Makes no system call.
 */
#include "queue/due.h"

#include <stddef.h>

static int
compare(const struct due_place *a, const struct due_place *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(due_tree, due_place, in_tree, compare, static __attribute__((unused)))

void
dues_init(struct dues *dues)
{
	for (int clock = 0; clock < DUE_CLOCKS; clock++)
		RB_INIT(&dues->trees[clock]);
}

void
due_wait(struct dues *dues, struct due_place *place, enum due_clock clock, uint64_t at,
    uint64_t order)
{
	due_leave(dues, place);
	place->clock = clock;
	place->at = at;
	place->order = order;
	place->is_waiting = true;
	RB_INSERT(due_tree, &dues->trees[clock], place);
}

void
due_leave(struct dues *dues, struct due_place *place)
{
	if (place->is_waiting)
		RB_REMOVE(due_tree, &dues->trees[place->clock], place);
	place->is_waiting = false;
}

uint64_t
due_next(const struct dues *dues, enum due_clock clock)
{
	struct due_tree tree = dues->trees[clock];
	const struct due_place *first = RB_MIN(due_tree, &tree);

	return first == NULL ? DUE_NEVER : first->at;
}

struct due_place *
due_pass(struct dues *dues, enum due_clock clock, uint64_t now)
{
	struct due_place *first = RB_MIN(due_tree, &dues->trees[clock]);

	if (first == NULL || first->at > now)
		return NULL;
	due_leave(dues, first);
	return first;
}
