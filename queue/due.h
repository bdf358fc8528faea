/*
 * due: when the time of held jobs comes, on two clocks. For queue/queue.c alone. Pure: the time is an
 * argument.
 */
#ifndef QUEUE_DUE_H
#define QUEUE_DUE_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

enum due_clock {
	DUE_BOOT, /* goes on whatever the wall clock is set to: nanoseconds of CLOCK_BOOTTIME */
	DUE_WALL, /* milliseconds since 1970 */
	DUE_CLOCKS
};

#define DUE_NEVER UINT64_MAX

/* Of a job; waits for nothing: all zero. */
struct due_place {
	RB_ENTRY(due_place) in_tree;
	uint64_t at;
	uint64_t order; /* unique among those with the same time */
	enum due_clock clock;
	bool is_waiting;
};

RB_HEAD(due_tree, due_place);

struct dues {
	struct due_tree trees[DUE_CLOCKS];
};

void dues_init(struct dues *dues);

/* Waits for that time, instead of an earlier one. O(log n), as all here. */
void due_wait(struct dues *dues, struct due_place *place, enum due_clock clock, uint64_t at,
    uint64_t order);
void due_leave(struct dues *dues, struct due_place *place);

/* The earliest time of a clock, or DUE_NEVER. */
uint64_t due_next(const struct dues *dues, enum due_clock clock);

/* Takes out one whose time is at or before now, the earliest first; NULL: none. */
struct due_place *due_pass(struct dues *dues, enum due_clock clock, uint64_t now);

#endif
