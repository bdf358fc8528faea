/*
 * line: who waits for room, in which order. A place is a job that wants to run; a line has the places
 * of one owner (the queue's parents) that have one priority and want room in one pool; a pool has the
 * lines that may move on, the best first. For queue/queue.c alone. Pure, but for the memory of lines.
 *
 * Invariants: (1) a line lives as long as somebody has got it, so that joining it cannot fail; (2) it
 * is among its pool's ready lines if and only if somebody stands in it and its owner is not full;
 * (3) ready lines are ordered by priority, and among equals by turn: who moved on, or came, longest
 * ago is first; (4) no two lines have the same turn.
 */
#ifndef QUEUE_LINE_H
#define QUEUE_LINE_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above all priorities of jobs: its places are ordered, and served, in the order in which they came. */
#define LINE_CLAIMS INT32_MAX

struct line;

/* Of a job; not in a line: all zero. */
struct line_place {
	RB_ENTRY(line_place) in_line;
	struct line *line;
	uint64_t order; /* lower stands before higher; unique in a line */
};

RB_HEAD(line_places, line_place);
RB_HEAD(line_ready, line);
RB_HEAD(line_set, line);

struct line_pool {
	TAILQ_ENTRY(line_pool) in_pools;
	struct line_ready ready;
	size_t running;
	size_t users;         /* lines that are of it */
	uint32_t max_running; /* UINT32_MAX: any number */
	bool is_known;        /* configured; else it lives on for those that wait for it */
	char name[];
};

struct line_owner {
	struct line_set lines;
	bool is_full; /* none of its lines may move on; line_set_full() writes it */
};

struct line {
	RB_ENTRY(line) in_ready;
	RB_ENTRY(line) of_owner;
	struct line_places places;
	struct line_pool *pool;
	struct line_owner *owner;
	uint64_t turn;
	size_t count; /* of its places */
	size_t users;
	int32_t priority;
	bool is_ready;
};

/* The owner's line of that pool and priority, made if need be: line_put() gives it back. NULL: no memory. */
struct line *line_get(struct line_owner *owner, struct line_pool *pool, int32_t priority);
void line_put(struct line *l);

/* Counts the turns of all lines that may meet. */
struct line_turns {
	uint64_t last;
};

/* Joins the line, at its order; a line in which nobody stood has its turn after all others'. */
void line_join(struct line_turns *turns, struct line *l, struct line_place *place);

/* Leaves its line, if it stands in one, and takes no turn. */
void line_leave(struct line_place *place);

/* Leaves its line to run: the line's next turn comes after all others'. */
void line_move_on(struct line_turns *turns, struct line_place *place);

/* Whether the owner's lines may move on. */
void line_set_full(struct line_owner *owner, bool is_full);

/* The first place of a line, or NULL. */
struct line_place *line_first(struct line *l);

/* How many stand before it in its line. O(n). */
size_t line_before(struct line_place *place);

/*
 * How many of another line will have moved on before somebody of l who has `before` others before him there,
 * as things are.
 */
size_t line_ahead(const struct line *other, const struct line *l, size_t before);

/* Which of two lines moves on first: below 0: a. Never 0 but for one and the same. */
int line_compare(const struct line *a, const struct line *b);

/* The best line that may move on; of a pool, whether or not it has room; or NULL. */
struct line *line_best(struct line_pool *pool);

/* The lines of an owner, the highest priority first; line_next() of NULL is the first; NULL ends. */
struct line *line_next(struct line_owner *owner, struct line *l);

/* The ready lines of a pool, likewise, in the order in which they move on. */
struct line *line_next_ready(struct line_pool *pool, struct line *l);

#endif
