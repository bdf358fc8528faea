/*
 * timer: an ordered tree of deadlines. Pure: makes no system call; the time is an argument.
 * The loop keeps one such tree behind one timerfd.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	RB_ENTRY(timer) entry;
	uint64_t at_ns; /* CLOCK_MONOTONIC; meaningful while armed */
	bool is_armed;
	void (*expired)(void *arg);
	void *arg;
};

RB_HEAD(timer_tree, timer);

struct timers {
	struct timer_tree tree;
};

void timers_init(struct timers *ts);

/* expired(arg) is called once after each arming. The timer belongs to the caller. */
void timer_init(struct timer *t, void (*expired)(void *arg), void *arg);

/* Arms t for at_ns, in place of an earlier deadline; TIMER_NEVER disarms. O(log n). */
void timer_arm(struct timers *ts, struct timer *t, uint64_t at_ns);
void timer_disarm(struct timers *ts, struct timer *t);

/* The earliest deadline, or TIMER_NEVER. */
uint64_t timers_next(const struct timers *ts);

/*
 * Disarms and calls, earliest first, every timer whose deadline is at or before now_ns. A
 * callback may arm, disarm and free any timer; one armed for a time that has passed is called in
 * the same sweep.
 */
void timers_expire(struct timers *ts, uint64_t now_ns);

#endif
