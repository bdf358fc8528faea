/*
 * pools: see pools.h. Run by the server, by way of the queue. Makes no system call.
 */
#include "queue/pools.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
pools_init(struct pools *pools)
{
	TAILQ_INIT(pools);
	return pools_set(pools, "", UINT32_MAX);
}

void
pools_fini(struct pools *pools)
{
	struct line_pool *pool;

	while ((pool = TAILQ_FIRST(pools)) != NULL) {
		TAILQ_REMOVE(pools, pool, in_pools);
		free(pool);
	}
}

struct line_pool *
pools_find(const struct pools *pools, const char *name)
{
	struct line_pool *pool;

	TAILQ_FOREACH (pool, pools, in_pools) {
		if (strcmp(pool->name, name) == 0)
			return pool;
	}
	return NULL;
}

void
pools_list(const struct pools *pools, bool is_known, char *text, size_t size)
{
	const struct line_pool *pool;

	text[0] = '\0';
	TAILQ_FOREACH (pool, pools, in_pools) {
		if (pool->is_known != is_known || pool->name[0] == '\0')
			continue;
		strlcat(text, text[0] == '\0' ? "" : ", ", size);
		strlcat(text, pool->name, size);
	}
}

struct line_pool *
pools_get(struct pools *pools, const char *name)
{
	struct line_pool *pool = pools_find(pools, name);
	size_t size = strlen(name) + 1;

	if (pool != NULL)
		return pool;
	pool = calloc(1, sizeof(*pool) + size);
	if (pool == NULL)
		return NULL;
	memcpy(pool->name, name, size);
	RB_INIT(&pool->ready);
	TAILQ_INSERT_TAIL(pools, pool, in_pools);
	return pool;
}

void
pools_drop_if_unused(struct pools *pools, struct line_pool *pool)
{
	if (pool->is_known || pool->users > 0)
		return;
	TAILQ_REMOVE(pools, pool, in_pools);
	free(pool);
}

void
pools_forget(struct pools *pools)
{
	struct line_pool *pool, *next;

	for (pool = TAILQ_NEXT(TAILQ_FIRST(pools), in_pools); pool != NULL; pool = next) {
		next = TAILQ_NEXT(pool, in_pools);
		pool->is_known = false;
		pool->max_running = 0;
		pools_drop_if_unused(pools, pool);
	}
}

int
pools_set(struct pools *pools, const char *name, uint32_t max_running)
{
	struct line_pool *pool = pools_get(pools, name);

	if (pool == NULL)
		return -ENOMEM;
	pool->is_known = true;
	pool->max_running = max_running;
	return 0;
}

static bool
has_room(const struct line_pool *pool)
{
	return pool->running < pool->max_running;
}

size_t
pools_ahead(const struct pools *pools, struct line_place *place)
{
	struct line *mine = place->line, *l;
	size_t before = line_before(place), count = before;
	struct line_pool *pool;

	TAILQ_FOREACH (pool, pools, in_pools) {
		if (pool != mine->pool && !(has_room(pool) && has_room(mine->pool)))
			continue;
		for (l = line_next_ready(pool, NULL); l != NULL; l = line_next_ready(pool, l)) {
			if (l != mine)
				count += line_ahead(l, mine, before);
		}
	}
	return count;
}

struct line *
pools_best(const struct pools *pools)
{
	struct line_pool *pool;
	struct line *best = NULL, *l;

	TAILQ_FOREACH (pool, pools, in_pools) {
		l = has_room(pool) ? line_best(pool) : NULL;
		if (l != NULL && (best == NULL || line_compare(l, best) < 0))
			best = l;
	}
	return best;
}
