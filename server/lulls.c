/*
 * lulls: see lulls.h.
 */
#include "server/lulls.h"

#include <errno.h>
#include <stdlib.h>

struct lulled {
	RB_ENTRY(lulled) by_job;
	int64_t job;
	uint64_t count; /* 0: doubted */
};

static int
compare(const struct lulled *a, const struct lulled *b)
{
	return a->job < b->job ? -1 : a->job > b->job;
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(lulls, lulled, by_job, compare, static __attribute__((unused)))

static struct lulled *
find(struct lulls *l, int64_t job)
{
	return RB_FIND(lulls, l, &(struct lulled){.job = job});
}

static struct lulled *
make(struct lulls *l, int64_t job)
{
	struct lulled *e = calloc(1, sizeof(*e));

	if (e != NULL) {
		e->job = job;
		RB_INSERT(lulls, l, e);
	}
	return e;
}

static void
drop(struct lulls *l, struct lulled *e)
{
	RB_REMOVE(lulls, l, e);
	free(e);
}

void
lulls_init(struct lulls *l)
{
	RB_INIT(l);
}

void
lulls_clear(struct lulls *l)
{
	struct lulled *e;

	while ((e = RB_ROOT(l)) != NULL)
		drop(l, e);
}

int
lulls_add(struct lulls *l, int64_t job, bool *ret_is_first)
{
	struct lulled *e = find(l, job);

	*ret_is_first = e == NULL || e->count == 0;
	if (e == NULL)
		e = make(l, job);
	if (e == NULL)
		return -ENOMEM;
	e->count++;
	return 0;
}

bool
lulls_remove(struct lulls *l, int64_t job)
{
	struct lulled *e = find(l, job);

	if (e == NULL || e->count == 0 || --e->count > 0)
		return false;
	drop(l, e);
	return true;
}

bool
lulls_has(struct lulls *l, int64_t job)
{
	const struct lulled *e = find(l, job);

	return e != NULL && e->count > 0;
}

int
lulls_doubt(struct lulls *l, int64_t job)
{
	return find(l, job) == NULL && make(l, job) == NULL ? -ENOMEM : 0;
}

void
lulls_sweep(struct lulls *l, void (*unwished)(void *arg, int64_t job), void *arg)
{
	struct lulled *e, *next;

	for (e = RB_MIN(lulls, l); e != NULL; e = next) {
		next = RB_NEXT(lulls, l, e);
		if (e->count > 0)
			continue;
		unwished(arg, e->job);
		drop(l, e);
	}
}
