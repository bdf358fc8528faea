/*
 * waits: see waits.h. Runs in the server. Two trees, of those that wait and of those that are waited for, and
 * an edge for each pair, which hangs on both. Makes no system call.
 */
#include "queue/waits.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct edge {
	LIST_ENTRY(edge) in_awaited; /* while it is open */
	struct waiter *waiter;
	struct awaited *awaited; /* NULL: it has ended */
	int64_t after;
	bool is_strict;
};

LIST_HEAD(edges, edge);

struct waiter {
	RB_ENTRY(waiter) entry;
	TAILQ_ENTRY(waiter) in_settled;
	TAILQ_ENTRY(waiter) in_visit;
	int64_t number;
	enum waits_policy policy;
	enum waits_verdict verdict;
	int64_t cause; /* with WAITS_NEVER */
	bool is_listed;
	uint64_t visit; /* the last search that came by, and what it found: */
	size_t behind;  /* open edges to those that are behind the job that was searched from */
	bool is_behind;
	int64_t via;
	size_t open;   /* edges that are */
	size_t failed; /* strict ones that did not complete */
	size_t count;
	struct edge edges[];
};

/* A job that somebody waits for. */
struct awaited {
	RB_ENTRY(awaited) entry;
	int64_t number;
	struct edges edges;
};

RB_HEAD(waiters, waiter);
RB_HEAD(awaiteds, awaited);
TAILQ_HEAD(waiter_list, waiter);

struct waits {
	struct waiters waiters;
	struct awaiteds awaiteds;
	struct waiter_list settled;
	uint64_t visit;
};

static const char *const policy_names[WAITS_POLICY_COUNT] = {
    [WAITS_ALL] = "all",
    [WAITS_ANY] = "any",
    [WAITS_FIRST_ERROR] = "first_error",
};

static int
compare_waiters(const struct waiter *a, const struct waiter *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare_awaiteds(const struct awaited *a, const struct awaited *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

/* As in roster.c. */
RB_GENERATE_INTERNAL(waiters, waiter, entry, compare_waiters, static __attribute__((unused)))
RB_GENERATE_INTERNAL(awaiteds, awaited, entry, compare_awaiteds, static __attribute__((unused)))

const char *
waits_policy_name(enum waits_policy policy)
{
	return policy_names[policy];
}

int
waits_policy_parse(const char *name)
{
	for (int i = 0; i < WAITS_POLICY_COUNT; i++) {
		if (strcmp(name, policy_names[i]) == 0)
			return i;
	}
	/* As the option of `wait` and `suspend` is spelled. */
	return strcmp(name, "first-error") == 0 ? WAITS_FIRST_ERROR : -EINVAL;
}

struct waits *
waits_new(void)
{
	struct waits *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	RB_INIT(&w->waiters);
	RB_INIT(&w->awaiteds);
	TAILQ_INIT(&w->settled);
	return w;
}

void
waits_free(struct waits *w)
{
	if (w == NULL)
		return;
	waits_clear(w);
	free(w);
}

static struct waiter *
find_waiter(const struct waits *w, int64_t number)
{
	struct waiter key = {.number = number};

	return RB_FIND(waiters, (struct waiters *)(uintptr_t)&w->waiters, &key);
}

static struct awaited *
find_awaited(const struct waits *w, int64_t number)
{
	struct awaited key = {.number = number};

	return RB_FIND(awaiteds, (struct awaiteds *)(uintptr_t)&w->awaiteds, &key);
}

/* Takes an edge off the job that was waited for, and that as well if it was the last. */
static void
close_edge(struct waits *w, struct edge *e)
{
	struct awaited *a = e->awaited;

	LIST_REMOVE(e, in_awaited);
	e->awaited = NULL;
	e->waiter->open--;
	if (!LIST_EMPTY(&a->edges))
		return;
	RB_REMOVE(awaiteds, &w->awaiteds, a);
	free(a);
}

static void
remove_waiter(struct waits *w, struct waiter *waiter)
{
	for (size_t i = 0; i < waiter->count; i++) {
		if (waiter->edges[i].awaited != NULL)
			close_edge(w, &waiter->edges[i]);
	}
	if (waiter->is_listed)
		TAILQ_REMOVE(&w->settled, waiter, in_settled);
	RB_REMOVE(waiters, &w->waiters, waiter);
	free(waiter);
}

void
waits_clear(struct waits *w)
{
	struct waiter *waiter;

	while ((waiter = RB_MIN(waiters, &w->waiters)) != NULL)
		remove_waiter(w, waiter);
}

void
waits_remove(struct waits *w, int64_t number)
{
	struct waiter *waiter = find_waiter(w, number);

	if (waiter != NULL)
		remove_waiter(w, waiter);
}

static void
list_settled(struct waits *w, struct waiter *waiter)
{
	if (waiter->is_listed)
		return;
	waiter->is_listed = true;
	TAILQ_INSERT_TAIL(&w->settled, waiter, in_settled);
}

static void
settle(struct waits *w, struct waiter *waiter, enum waits_verdict verdict, int64_t cause)
{
	if (waiter->verdict != WAITS_OPEN)
		return;
	waiter->verdict = verdict;
	waiter->cause = cause;
	list_settled(w, waiter);
}

/* One of those that a waiter waits for has ended; its edge is closed. */
static void
judge(struct waits *w, struct edge *e, enum status status)
{
	struct waiter *waiter = e->waiter;
	bool is_failed = e->is_strict && status != STATUS_COMPLETED;

	waiter->failed += is_failed;
	switch (waiter->policy) {
	case WAITS_ANY:
		if (!is_failed)
			settle(w, waiter, WAITS_MET, 0);
		else if (waiter->failed == waiter->count)
			settle(w, waiter, WAITS_NEVER, e->after);
		return;
	case WAITS_FIRST_ERROR:
		if (!is_failed && status != STATUS_COMPLETED)
			settle(w, waiter, WAITS_MET, 0);
		break;
	case WAITS_ALL:
	case WAITS_POLICY_COUNT:
		break;
	}
	if (is_failed)
		settle(w, waiter, WAITS_NEVER, e->after);
	else if (waiter->open == 0)
		settle(w, waiter, WAITS_MET, 0);
}

static int
open_edge(struct waits *w, struct edge *e)
{
	struct awaited *a = find_awaited(w, e->after);

	if (a == NULL) {
		a = calloc(1, sizeof(*a));
		if (a == NULL)
			return -ENOMEM;
		a->number = e->after;
		LIST_INIT(&a->edges);
		RB_INSERT(awaiteds, &w->awaiteds, a);
	}
	e->awaited = a;
	LIST_INSERT_HEAD(&a->edges, e, in_awaited);
	e->waiter->open++;
	return 0;
}

static int
compare_numbers(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* 0; -EINVAL where the waiter itself is among them, or one of them twice; or -ENOMEM. */
static int
check_edges(int64_t waiter, const struct waits_edge *edges, size_t count)
{
	int64_t *numbers = reallocarray(NULL, count, sizeof(*numbers));
	int r = 0;

	if (numbers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		numbers[i] = edges[i].after;
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == waiter || (i > 0 && numbers[i] == numbers[i - 1]))
			r = -EINVAL;
	}
	free(numbers);
	return r;
}

int
waits_add(struct waits *w, int64_t number, enum waits_policy policy, const struct waits_edge *edges,
    size_t count)
{
	int r = count == 0 ? -EINVAL : check_edges(number, edges, count);
	struct waiter *waiter;

	if (r == 0 && find_waiter(w, number) != NULL)
		r = -EEXIST;
	if (r < 0)
		return r;
	waiter = calloc(1, sizeof(*waiter) + count * sizeof(waiter->edges[0]));
	if (waiter == NULL)
		return -ENOMEM;
	waiter->number = number;
	waiter->policy = policy;
	waiter->count = count;
	RB_INSERT(waiters, &w->waiters, waiter);
	/* All stand before the first is judged: "all" is not met by the first. */
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct edge *e = &waiter->edges[i];

		*e = (struct edge){.waiter = waiter,
		    .after = edges[i].after,
		    .is_strict = edges[i].is_strict};
		if (status_is_final(edges[i].status))
			waiter->open++;
		else
			r = open_edge(w, e);
	}
	if (r < 0) {
		remove_waiter(w, waiter);
		return r;
	}
	for (size_t i = 0; i < count; i++) {
		if (!status_is_final(edges[i].status))
			continue;
		waiter->open--;
		judge(w, &waiter->edges[i], edges[i].status);
	}
	return 0;
}

bool
waits_has(const struct waits *w, int64_t number)
{
	return find_waiter(w, number) != NULL;
}

bool
waits_has_waiters(const struct waits *w, int64_t job)
{
	return find_awaited(w, job) != NULL;
}

void
waits_end(struct waits *w, int64_t job, enum status status)
{
	struct awaited *a = find_awaited(w, job);
	struct edge *e, *next;

	/* The last edge takes the job with it. */
	for (e = a == NULL ? NULL : LIST_FIRST(&a->edges); e != NULL; e = next) {
		next = LIST_NEXT(e, in_awaited);
		close_edge(w, e);
		judge(w, e, status);
	}
}

bool
waits_next_settled(struct waits *w, int64_t *ret_waiter)
{
	struct waiter *waiter = TAILQ_FIRST(&w->settled);

	if (waiter == NULL)
		return false;
	TAILQ_REMOVE(&w->settled, waiter, in_settled);
	waiter->is_listed = false;
	*ret_waiter = waiter->number;
	return true;
}

void
waits_remind(struct waits *w, int64_t number)
{
	struct waiter *waiter = find_waiter(w, number);

	if (waiter != NULL && waiter->verdict != WAITS_OPEN)
		list_settled(w, waiter);
}

enum waits_verdict
waits_verdict(const struct waits *w, int64_t number, int64_t *ret_cause)
{
	const struct waiter *waiter = find_waiter(w, number);

	if (waiter == NULL)
		return WAITS_MET;
	if (ret_cause != NULL && waiter->verdict == WAITS_NEVER)
		*ret_cause = waiter->cause;
	return waiter->verdict;
}

enum waits_policy
waits_policy(const struct waits *w, int64_t number)
{
	const struct waiter *waiter = find_waiter(w, number);

	return waiter == NULL ? WAITS_ALL : waiter->policy;
}

size_t
waits_open(const struct waits *w, int64_t number, int64_t *ret_first)
{
	const struct waiter *waiter = find_waiter(w, number);

	if (waiter == NULL || waiter->verdict != WAITS_OPEN)
		return 0;
	for (size_t i = 0; i < waiter->count; i++) {
		if (waiter->edges[i].awaited != NULL) {
			*ret_first = waiter->edges[i].after;
			break;
		}
	}
	return waiter->open;
}

/*
 * Those that wait for a job join the list of those to be looked at, each once; with is_certain only where
 * their wait cannot be over before the search's job has ended.
 */
static void
visit(struct waits *w, int64_t job, struct waiter_list *list, bool is_certain)
{
	struct awaited *a = find_awaited(w, job);
	struct waiter *waiter;
	struct edge *e;

	if (a == NULL)
		return;
	LIST_FOREACH (e, &a->edges, in_awaited) {
		waiter = e->waiter;
		if (waiter->verdict != WAITS_OPEN)
			continue;
		if (waiter->visit != w->visit) {
			waiter->visit = w->visit;
			waiter->behind = 0;
			waiter->is_behind = false;
		}
		waiter->behind++;
		if (waiter->is_behind ||
		    (is_certain && waiter->policy != WAITS_ALL && waiter->behind < waiter->open))
			continue;
		waiter->is_behind = true;
		waiter->via = job;
		TAILQ_INSERT_TAIL(list, waiter, in_visit);
	}
}

int
waits_find_circle(struct waits *w, int64_t job, const int64_t *among, size_t count,
    int64_t *ret_found)
{
	struct waiter_list list = TAILQ_HEAD_INITIALIZER(list);
	int64_t *sorted = reallocarray(NULL, count + 1, sizeof(*sorted));
	struct waiter *waiter;
	int r = 0;

	if (sorted == NULL)
		return -ENOMEM;
	if (count > 0)
		memcpy(sorted, among, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_numbers);
	w->visit++;
	visit(w, job, &list, false);
	while (r == 0 && (waiter = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, waiter, in_visit);
		if (bsearch(&waiter->number, sorted, count, sizeof(*sorted), compare_numbers) !=
		    NULL) {
			*ret_found = waiter->number;
			r = 1;
		}
		visit(w, waiter->number, &list, false);
	}
	free(sorted);
	return r;
}

void
waits_search(struct waits *w, int64_t job)
{
	w->visit++;
	waits_search_on(w, job);
}

void
waits_search_on(struct waits *w, int64_t job)
{
	struct waiter_list list = TAILQ_HEAD_INITIALIZER(list);
	struct waiter *waiter;

	visit(w, job, &list, true);
	while ((waiter = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, waiter, in_visit);
		visit(w, waiter->number, &list, true);
	}
}

bool
waits_is_behind(const struct waits *w, int64_t number, int64_t *ret_via)
{
	const struct waiter *waiter = find_waiter(w, number);

	if (waiter == NULL || waiter->visit != w->visit || !waiter->is_behind)
		return false;
	*ret_via = waiter->via;
	return true;
}
