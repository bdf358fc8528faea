/*
 * test_waits: a wait is over exactly when its policy says so, whatever the order of the ends; each waiter
 * is settled once; and circles are found. A naive model that looks at everything is the judge.
 */
#include "queue/waits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct waits *
make(void)
{
	struct waits *w = waits_new();

	assert_non_null(w);
	return w;
}

static void
add_two(struct waits *w, int64_t waiter, enum waits_policy policy, bool is_strict)
{
	const struct waits_edge edges[] = {{1, is_strict, STATUS_RUNNING},
	    {2, is_strict, STATUS_QUEUED}};

	assert_int_equal(waits_add(w, waiter, policy, edges, 2), 0);
}

static void
assert_settled(struct waits *w, int64_t expected)
{
	int64_t number = 0;

	assert_true(waits_next_settled(w, &number));
	assert_int_equal(number, expected);
}

static void
assert_none_settled(struct waits *w)
{
	int64_t number;

	assert_false(waits_next_settled(w, &number));
}

static void
all_waits_for_the_last(void **state)
{
	struct waits *w = make();
	int64_t first = 0;

	(void)state;
	add_two(w, 10, WAITS_ALL, false);
	assert_int_equal(waits_open(w, 10, &first), 2);
	assert_int_equal(first, 1);
	waits_end(w, 1, STATUS_ERROR);
	assert_none_settled(w);
	assert_int_equal(waits_open(w, 10, &first), 1);
	assert_int_equal(first, 2);
	waits_end(w, 2, STATUS_LOST);
	assert_settled(w, 10);
	assert_int_equal(waits_verdict(w, 10, NULL), WAITS_MET);
	assert_int_equal(waits_open(w, 10, &first), 0);
	waits_free(w);
}

static void
a_strict_one_that_fails_ends_hope_at_once(void **state)
{
	static const enum waits_policy policies[] = {WAITS_ALL, WAITS_FIRST_ERROR};
	int64_t cause = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct waits *w = make();

		add_two(w, 10, policies[i], true);
		waits_end(w, 2, STATUS_SKIPPED);
		assert_settled(w, 10);
		assert_int_equal(waits_verdict(w, 10, &cause), WAITS_NEVER);
		assert_int_equal(cause, 2);
		waits_end(w, 1, STATUS_COMPLETED);
		assert_none_settled(w);
		assert_int_equal(waits_verdict(w, 10, NULL), WAITS_NEVER);
		waits_free(w);
	}
}

static void
any_of_strict_ones_fails_with_the_last(void **state)
{
	struct waits *w = make();
	int64_t cause = 0;

	(void)state;
	add_two(w, 10, WAITS_ANY, true);
	add_two(w, 11, WAITS_ANY, true);
	waits_remove(w, 11);
	waits_end(w, 2, STATUS_ERROR);
	assert_none_settled(w);
	waits_end(w, 1, STATUS_TIMEOUT);
	assert_settled(w, 10);
	assert_int_equal(waits_verdict(w, 10, &cause), WAITS_NEVER);
	assert_int_equal(cause, 1);
	waits_free(w);
}

static void
the_first_error_is_enough(void **state)
{
	struct waits *w = make();

	(void)state;
	add_two(w, 10, WAITS_FIRST_ERROR, false);
	add_two(w, 11, WAITS_FIRST_ERROR, false);
	waits_end(w, 1, STATUS_COMPLETED);
	assert_none_settled(w);
	waits_end(w, 2, STATUS_CANCELLED);
	assert_int_equal(waits_verdict(w, 10, NULL), WAITS_MET);
	assert_int_equal(waits_verdict(w, 11, NULL), WAITS_MET);
	waits_free(w);
}

static void
what_has_ended_counts_at_once(void **state)
{
	const struct waits_edge done[] = {{1, false, STATUS_ERROR}, {2, true, STATUS_COMPLETED}};
	const struct waits_edge half[] = {{1, true, STATUS_COMPLETED}, {2, true, STATUS_RUNNING}};
	struct waits *w = make();

	(void)state;
	assert_int_equal(waits_add(w, 10, WAITS_ALL, done, 2), 0);
	assert_int_equal(waits_add(w, 11, WAITS_ALL, half, 2), 0);
	assert_int_equal(waits_add(w, 12, WAITS_ANY, half, 2), 0);
	assert_settled(w, 10);
	assert_settled(w, 12);
	assert_none_settled(w);
	assert_int_equal(waits_verdict(w, 11, NULL), WAITS_OPEN);
	assert_true(waits_has_waiters(w, 2));
	assert_false(waits_has_waiters(w, 1));
	waits_free(w);
}

static void
of_several_that_have_ended_all_count(void **state)
{
	const struct waits_edge done[] = {{1, true, STATUS_COMPLETED}, {2, true, STATUS_ERROR}};
	int64_t cause = 0;
	struct waits *w = make();

	(void)state;
	assert_int_equal(waits_add(w, 10, WAITS_ALL, done, 2), 0);
	assert_settled(w, 10);
	assert_int_equal(waits_verdict(w, 10, &cause), WAITS_NEVER);
	assert_int_equal(cause, 2);
	waits_free(w);
}

static void
who_is_reminded_of_comes_once_more(void **state)
{
	struct waits *w = make();

	(void)state;
	add_two(w, 10, WAITS_ANY, false);
	waits_remind(w, 10);
	waits_remind(w, 99);
	assert_none_settled(w);
	waits_end(w, 1, STATUS_COMPLETED);
	waits_remind(w, 10);
	assert_settled(w, 10);
	assert_none_settled(w);
	waits_remind(w, 10);
	assert_settled(w, 10);
	assert_true(waits_has(w, 10));
	waits_remove(w, 10);
	assert_false(waits_has(w, 10));
	waits_free(w);
}

static void
nonsense_is_refused(void **state)
{
	const struct waits_edge own[] = {{10, false, STATUS_RUNNING}};
	const struct waits_edge twice[] = {{1, false, STATUS_RUNNING}, {1, true, STATUS_RUNNING}};
	struct waits *w = make();

	(void)state;
	assert_int_equal(waits_add(w, 10, WAITS_ALL, own, 1), -EINVAL);
	assert_int_equal(waits_add(w, 10, WAITS_ALL, twice, 2), -EINVAL);
	assert_int_equal(waits_add(w, 10, WAITS_ALL, own, 0), -EINVAL);
	add_two(w, 10, WAITS_ALL, false);
	assert_int_equal(waits_add(w, 10, WAITS_ALL, twice, 1), -EEXIST);
	assert_int_equal(waits_verdict(w, 99, NULL), WAITS_MET);
	waits_remove(w, 99);
	waits_clear(w);
	assert_false(waits_has_waiters(w, 1));
	waits_free(w);
}

static void
words_are_read(void **state)
{
	(void)state;
	for (int i = 0; i < WAITS_POLICY_COUNT; i++)
		assert_int_equal(waits_policy_parse(waits_policy_name((enum waits_policy)i)), i);
	assert_int_equal(waits_policy_parse("first-error"), WAITS_FIRST_ERROR);
	assert_int_equal(waits_policy_parse("first error"), -EINVAL);
}

static void
circles_are_found(void **state)
{
	const struct waits_edge on_1[] = {{1, false, STATUS_RUNNING}};
	const struct waits_edge on_2[] = {{2, false, STATUS_QUEUED}, {7, false, STATUS_RUNNING}};
	const int64_t others[] = {7, 8, 9}, third[] = {9, 3, 8};
	struct waits *w = make();
	int64_t found = 0;

	(void)state;
	assert_int_equal(waits_add(w, 2, WAITS_ALL, on_1, 1), 0);
	assert_int_equal(waits_add(w, 3, WAITS_ALL, on_2, 2), 0);
	assert_int_equal(waits_find_circle(w, 1, others, 3, &found), 0);
	assert_int_equal(waits_find_circle(w, 1, third, 3, &found), 1);
	assert_int_equal(found, 3);
	assert_int_equal(waits_find_circle(w, 3, third, 3, &found), 0);
	/* Who is settled goes on, whatever else it was after. */
	waits_end(w, 1, STATUS_COMPLETED);
	assert_int_equal(waits_find_circle(w, 1, third, 3, &found), 0);
	assert_int_equal(waits_find_circle(w, 2, third, 3, &found), 1);
	waits_free(w);
}

static void
who_is_behind_is_told_and_by_whom(void **state)
{
	const struct waits_edge on_1[] = {{1, false, STATUS_RUNNING}};
	const struct waits_edge on_2[] = {{2, false, STATUS_QUEUED}, {7, false, STATUS_RUNNING}};
	const struct waits_edge either[] = {{1, false, STATUS_RUNNING}, {7, false, STATUS_RUNNING}};
	const struct waits_edge both[] = {{2, false, STATUS_QUEUED}, {3, false, STATUS_QUEUED}};
	struct waits *w = make();
	int64_t via = 0;

	(void)state;
	assert_int_equal(waits_add(w, 2, WAITS_ALL, on_1, 1), 0);
	assert_int_equal(waits_add(w, 3, WAITS_ALL, on_2, 2), 0);
	assert_int_equal(waits_add(w, 4, WAITS_ANY, either, 2), 0);
	assert_int_equal(waits_add(w, 5, WAITS_ANY, both, 2), 0);
	waits_search(w, 1);
	assert_true(waits_is_behind(w, 2, &via));
	assert_int_equal(via, 1);
	assert_true(waits_is_behind(w, 3, &via));
	assert_int_equal(via, 2);
	assert_false(waits_is_behind(w, 4, &via)); /* 7 may end */
	assert_true(waits_is_behind(w, 5, &via));
	waits_search_on(w, 7);
	assert_true(waits_is_behind(w, 4, &via)); /* 1 and 7 are out of question now */
	waits_search(w, 7);
	assert_false(waits_is_behind(w, 2, &via));
	assert_true(waits_is_behind(w, 3, &via));
	assert_false(waits_is_behind(w, 5, &via)); /* 2 may end */
	waits_end(w, 1, STATUS_COMPLETED);
	waits_search(w, 1);
	assert_false(waits_is_behind(w, 2, &via));
	waits_free(w);
}

/* The model: all edges in one array, everything looked at each time. */
enum {
	JOBS = 40,
	EDGES = 6
};

struct model {
	enum status status[JOBS];
	bool is_there[JOBS];
	enum waits_policy policy[JOBS];
	struct waits_edge edges[JOBS][EDGES];
	size_t count[JOBS];
	bool is_told[JOBS];
};

static enum waits_verdict
model_verdict(const struct model *m, int64_t waiter)
{
	size_t ended = 0, failed = 0, errors = 0, count = m->count[waiter];

	for (size_t i = 0; i < count; i++) {
		const struct waits_edge *e = &m->edges[waiter][i];
		enum status status = m->status[e->after];

		ended += status_is_final(status);
		errors += status_is_final(status) && status != STATUS_COMPLETED;
		failed += status_is_final(status) && status != STATUS_COMPLETED && e->is_strict;
	}
	if (m->policy[waiter] == WAITS_ANY) {
		if (ended > failed)
			return WAITS_MET;
		return failed == count ? WAITS_NEVER : WAITS_OPEN;
	}
	if (failed > 0)
		return WAITS_NEVER;
	if (m->policy[waiter] == WAITS_FIRST_ERROR && errors > 0)
		return WAITS_MET;
	return ended == count ? WAITS_MET : WAITS_OPEN;
}

static bool
model_waits_for(const struct model *m, int64_t waiter, int64_t job, bool *is_seen)
{
	if (is_seen[waiter] || !m->is_there[waiter] || model_verdict(m, waiter) != WAITS_OPEN)
		return false;
	is_seen[waiter] = true;
	for (size_t i = 0; i < m->count[waiter]; i++) {
		int64_t after = m->edges[waiter][i].after;

		if (status_is_final(m->status[after]))
			continue;
		if (after == job || model_waits_for(m, after, job, is_seen))
			return true;
	}
	return false;
}

static void
add_random(struct waits *w, struct model *m, int64_t waiter)
{
	size_t count = 0;

	m->policy[waiter] = (enum waits_policy)(random() % WAITS_POLICY_COUNT);
	for (int i = 0; i < EDGES; i++) {
		int64_t after = random() % JOBS;
		bool is_new = after != waiter;

		for (size_t k = 0; k < count; k++)
			is_new &= m->edges[waiter][k].after != after;
		if (is_new)
			m->edges[waiter][count++] =
			    (struct waits_edge){after, random() % 2 == 0, m->status[after]};
	}
	m->count[waiter] = count;
	m->is_told[waiter] = false;
	m->is_there[waiter] = count > 0;
	assert_int_equal(waits_add(w, waiter, m->policy[waiter], m->edges[waiter], count),
	    count > 0 ? 0 : -EINVAL);
}

static void
check_against_model(struct waits *w, struct model *m)
{
	int64_t number, found, target = random() % JOBS, among[1] = {random() % JOBS};
	bool is_seen[JOBS] = {false};
	bool is_circle = model_waits_for(m, among[0], target, is_seen);

	while (waits_next_settled(w, &number)) {
		assert_true(m->is_there[number]);
		assert_false(m->is_told[number]);
		assert_int_not_equal(model_verdict(m, number), WAITS_OPEN);
		m->is_told[number] = true;
	}
	for (int i = 0; i < JOBS; i++) {
		enum waits_verdict expected = m->is_there[i] ? model_verdict(m, i) : WAITS_MET;
		bool is_settled = waits_verdict(w, i, NULL) != WAITS_OPEN;

		/* Once settled it stays so: any, then a failure, is met all the same. */
		if (!m->is_there[i] || !m->is_told[i])
			assert_int_equal(waits_verdict(w, i, NULL), expected);
		if (m->is_there[i])
			assert_int_equal(is_settled, m->is_told[i]);
	}
	assert_int_equal(waits_find_circle(w, target, among, 1, &found), is_circle);
}

static void
it_agrees_with_the_model(void **state)
{
	static const enum status ends[] = {STATUS_COMPLETED, STATUS_COMPLETED, STATUS_ERROR,
	    STATUS_TIMEOUT, STATUS_CANCELLED, STATUS_SKIPPED, STATUS_LOST};

	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct waits *w = make();
		struct model m = {0};

		srandom(seed);
		for (int step = 0; step < 300; step++) {
			int64_t job = random() % JOBS;

			if (random() % 4 == 0 && m.is_there[job]) {
				waits_remove(w, job);
				m.is_there[job] = false;
			} else if (random() % 3 == 0 && !m.is_there[job]) {
				add_random(w, &m, job);
			} else if (random() % 4 == 0 && !status_is_final(m.status[job])) {
				m.status[job] = ends[random() % 7];
				waits_end(w, job, m.status[job]);
			}
			check_against_model(w, &m);
		}
		waits_free(w);
	}
}

static void
a_long_chain_costs_no_stack(void **state)
{
	struct waits *w = make();
	const int64_t last[] = {200000};
	int64_t number = 0, found;

	(void)state;
	for (int64_t i = 2; i <= 200000; i++) {
		const struct waits_edge e = {i - 1, true, STATUS_QUEUED};

		assert_int_equal(waits_add(w, i, WAITS_ALL, &e, 1), 0);
	}
	assert_int_equal(waits_find_circle(w, 1, last, 1, &found), 1);
	waits_end(w, 1, STATUS_ERROR);
	while (waits_next_settled(w, &number))
		waits_end(w, number, STATUS_SKIPPED);
	assert_int_equal(number, 200000);
	waits_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_waits_for_the_last),
	    cmocka_unit_test(a_strict_one_that_fails_ends_hope_at_once),
	    cmocka_unit_test(any_of_strict_ones_fails_with_the_last),
	    cmocka_unit_test(the_first_error_is_enough),
	    cmocka_unit_test(what_has_ended_counts_at_once),
	    cmocka_unit_test(of_several_that_have_ended_all_count),
	    cmocka_unit_test(who_is_reminded_of_comes_once_more),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(words_are_read),
	    cmocka_unit_test(circles_are_found),
	    cmocka_unit_test(who_is_behind_is_told_and_by_whom),
	    cmocka_unit_test(it_agrees_with_the_model),
	    cmocka_unit_test(a_long_chain_costs_no_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
