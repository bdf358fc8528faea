/*
 * waits: who waits for the ends of which jobs. Pure: no system call, no store, no clock. The server
 * fills it from the store, tells it of ends, and does what it says.
 *
 * A waiter stands here from waits_add() to waits_remove(). Its verdict goes from WAITS_OPEN to one of the
 * others at most once. What a call costs grows with those that it concerns, never with all that wait.
 */
#ifndef QUEUE_WAITS_H
#define QUEUE_WAITS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When a waiter's wait is over. */
enum waits_policy {
	WAITS_ALL,         /* all have ended */
	WAITS_ANY,         /* one has */
	WAITS_FIRST_ERROR, /* all have ended, or one otherwise than completed */
	WAITS_POLICY_COUNT
};

/* One job that is waited for. */
struct waits_edge {
	int64_t after;
	/*
	 * It must have completed. Where it ended otherwise, WAITS_ALL and WAITS_FIRST_ERROR are never met, and
	 * for WAITS_ANY it does not count.
	 */
	bool is_strict;
	enum status status; /* how it ended; not a final one: it has not */
};

enum waits_verdict {
	WAITS_OPEN,
	WAITS_MET,
	WAITS_NEVER, /* it cannot be met any more */
	WAITS_VERDICT_COUNT
};

struct waits;

/* "all", "any", "first_error"; the second is -EINVAL for another word. */
const char *waits_policy_name(enum waits_policy policy);
int waits_policy_parse(const char *name);

/* NULL if memory is short. */
struct waits *waits_new(void);
void waits_free(struct waits *w); /* NULL is fine */

/* Forgets all waiters. */
void waits_clear(struct waits *w);

/*
 * Adds a waiter that waits for count > 0 jobs, each of them once; it may be settled at once. 0, -EEXIST where the
 * waiter stands already, -EINVAL for one that waits for itself, or twice for the same, or -ENOMEM.
 */
int waits_add(struct waits *w, int64_t waiter, enum waits_policy policy,
    const struct waits_edge *edges, size_t count);

/* Forgets a waiter: it has ended, or goes on. Nothing happens if it is none. */
void waits_remove(struct waits *w, int64_t waiter);

/* Whether this one waits, or has and was not removed. */
bool waits_has(const struct waits *w, int64_t waiter);

/* Whether anybody waits for this job. */
bool waits_has_waiters(const struct waits *w, int64_t job);

/* A job has ended with a final status: settles whose wait is over by that. */
void waits_end(struct waits *w, int64_t job, enum status status);

/*
 * Takes the next that was settled, in the order in which they were, and stays there; false: there is
 * none.
 */
bool waits_next_settled(struct waits *w, int64_t *ret_waiter);

/* One that was settled and taken comes once more; nothing happens if its wait is open. */
void waits_remind(struct waits *w, int64_t waiter);

/*
 * How it stands with a waiter; WAITS_MET for one that is none. *ret_cause (may be NULL) gets, with WAITS_NEVER,
 * the job whose end decided it.
 */
enum waits_verdict waits_verdict(const struct waits *w, int64_t waiter, int64_t *ret_cause);

/* The policy of a waiter that stands here. */
enum waits_policy waits_policy(const struct waits *w, int64_t waiter);

/*
 * How many jobs a waiter still waits for, and the first of them, as they were given, in *ret_first. 0 for
 * one that is none, or is settled.
 */
size_t waits_open(const struct waits *w, int64_t waiter, int64_t *ret_first);

/*
 * Whether one of `among` waits for `job`, itself or by way of others that wait. Then *ret_found is that one.
 * 1, 0 or -ENOMEM.
 */
int waits_find_circle(struct waits *w, int64_t job, const int64_t *among, size_t count,
    int64_t *ret_found);

/*
 * Looks for all that cannot be met before this job has ended, by themselves or by way of others that wait. Until
 * the next search, waits_is_behind() says whether a waiter is one of them, and *ret_via gets the one for which it
 * waits on the shortest way to the job. Where one end of several is enough, it is behind the job if all that
 * are open are.
 */
void waits_search(struct waits *w, int64_t job);
/* The search goes on: another job, of which the caller knows that it cannot end before the first. */
void waits_search_on(struct waits *w, int64_t job);
bool waits_is_behind(const struct waits *w, int64_t waiter, int64_t *ret_via);

#endif
