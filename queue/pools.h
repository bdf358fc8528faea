/*
 * pools: all pools of a queue. The first is that of the jobs without one: it is always there, has no
 * name, and room for any number. One that is not known any more lives on, without room, as long as a
 * line is of it. For queue/queue.c alone. Pure, but for memory.
 */
#ifndef QUEUE_POOLS_H
#define QUEUE_POOLS_H

#include "queue/line.h"

TAILQ_HEAD(pools, line_pool);

/* 0 or -ENOMEM. */
int pools_init(struct pools *pools);
void pools_fini(struct pools *pools);

struct line_pool *pools_find(const struct pools *pools, const char *name); /* or NULL */

/* The names of those that are known, or of those that are not, with commas between, cut to size. */
void pools_list(const struct pools *pools, bool is_known, char *text, size_t size);

/* The pool of that name, made if need be, without room. NULL: no memory. */
struct line_pool *pools_get(struct pools *pools, const char *name);

/* To be called when a line is put, and when none was taken. */
void pools_drop_if_unused(struct pools *pools, struct line_pool *pool);

/* None is known any more; and one that is. 0 or -ENOMEM. */
void pools_forget(struct pools *pools);
int pools_set(struct pools *pools, const char *name, uint32_t max_running);

/*
 * How many will get room before the place, as things are: of its pool alone where that is full, else of all
 * that have room. O(n).
 */
size_t pools_ahead(const struct pools *pools, struct line_place *place);

/* The best line of all pools that have room, or NULL. */
struct line *pools_best(const struct pools *pools);

#endif
