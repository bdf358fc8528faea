/*
 * hold: see hold.h. A tree by sequence number. Makes no system call.
 */
#include "server/hold.h"

#include <bsd/sys/tree.h>
#include <stdlib.h>
#include <string.h>

struct hold {
	RB_ENTRY(hold) by_seq;
	int64_t seq;
	const void *owner;
	char parent[];
};

RB_HEAD(hold_tree, hold);

struct holds {
	struct hold_tree tree;
};

static int
compare(const struct hold *a, const struct hold *b)
{
	return (a->seq > b->seq) - (a->seq < b->seq);
}

RB_GENERATE_INTERNAL(hold_tree, hold, by_seq, compare, static __attribute__((unused)))

static struct hold *
find(struct holds *h, int64_t seq)
{
	struct hold key = {.seq = seq};

	return RB_FIND(hold_tree, &h->tree, &key);
}

struct holds *
holds_new(void)
{
	struct holds *h = calloc(1, sizeof(*h));

	if (h != NULL)
		RB_INIT(&h->tree);
	return h;
}

static void
drop(struct holds *h, struct hold *hold)
{
	RB_REMOVE(hold_tree, &h->tree, hold);
	free(hold);
}

void
holds_free(struct holds *h)
{
	struct hold *hold;

	if (h == NULL)
		return;
	while ((hold = RB_MIN(hold_tree, &h->tree)) != NULL)
		drop(h, hold);
	free(h);
}

bool
holds_add(struct holds *h, int64_t seq, const char *parent, const void *owner)
{
	size_t size = strlen(parent) + 1;
	struct hold *hold;

	if (find(h, seq) != NULL)
		return false;
	hold = calloc(1, sizeof(*hold) + size);
	if (hold == NULL)
		return false;
	hold->seq = seq;
	hold->owner = owner;
	memcpy(hold->parent, parent, size);
	RB_INSERT(hold_tree, &h->tree, hold);
	return true;
}

const void *
holds_owner(struct holds *h, int64_t seq)
{
	struct hold *hold = find(h, seq);

	return hold == NULL ? NULL : hold->owner;
}

bool
holds_are_none(const struct holds *h)
{
	return RB_EMPTY(&h->tree);
}

void
holds_remove(struct holds *h, int64_t seq)
{
	struct hold *hold = find(h, seq);

	if (hold != NULL)
		drop(h, hold);
}

void
holds_release(struct holds *h, const void *owner, void (*released)(void *arg, const char *parent),
    void *arg)
{
	struct hold *hold, *next;

	RB_FOREACH_SAFE (hold, hold_tree, &h->tree, next) {
		if (hold->owner != owner)
			continue;
		released(arg, hold->parent);
		drop(h, hold);
	}
}
