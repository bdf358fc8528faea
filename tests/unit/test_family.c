/*
 * test_family: who is below whom, also when those between have ended; nothing is left when all have.
 */
#include "queue/family.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANDOM_STEPS 20000
#define JOBS 300

/* "1 2 3": the numbers below top, in the order of the walk. */
static void
assert_below(struct family *f, int64_t top, const char *expected)
{
	struct family_node *first = family_find(f, top), *n;
	char text[256] = "", *end = text;

	for (n = first; n != NULL && (n = family_walk(first, n)) != NULL;)
		end += sprintf(end, "%s%d", end == text ? "" : " ", (int)n->number);
	assert_string_equal(text, expected);
}

static void
assert_empty(struct family *f)
{
	assert_null(family_next(f, NULL));
}

static void
those_below_are_found_from_above(void **state)
{
	struct family *f = family_new();

	(void)state;
	assert_int_equal(family_add(f, 1, "X", "root", NULL), 0);
	assert_empty(f); /* it has nobody */
	assert_int_equal(family_add(f, 2, "root", "a", "X/1=root"), 0);
	assert_int_equal(family_add(f, 3, "root", "b", "X/1=root"), 0);
	assert_int_equal(family_add(f, 4, "a", "aa", "X/1=root/2=a"), 0);
	assert_below(f, 1, "2 4 3");
	assert_below(f, 2, "4");
	assert_below(f, 4, "");
	assert_true(family_is_below(f, 4, 1));
	assert_true(family_is_below(f, 4, 2));
	assert_false(family_is_below(f, 4, 3));
	assert_false(family_is_below(f, 4, 4));
	assert_false(family_is_below(f, 1, 4));
	assert_false(family_is_below(f, 7, 1));
	assert_string_equal(family_find(f, 1)->parent, "X");
	assert_string_equal(family_find(f, 2)->parent, "root");
	assert_int_equal(family_add(f, 4, "a", "aa", "X/1=root/2=a"), -EEXIST);
	family_free(f);
}

static void
who_has_ended_stays_while_somebody_is_below(void **state)
{
	struct family *f = family_new();

	(void)state;
	family_add(f, 2, "root", "a", "X/1=root");
	family_add(f, 3, "a", "aa", "X/1=root/2=a");
	family_remove(f, 1);
	family_remove(f, 2);
	assert_below(f, 1, "2 3");
	assert_false(family_find(f, 2)->is_member);
	family_remove(f, 3);
	assert_empty(f);
	family_remove(f, 3);
	family_free(f);
}

/* As after a crash: the way up is made again from what a single job has with it, in any order. */
static void
the_way_up_is_made_from_the_ancestry(void **state)
{
	struct family *f = family_new();
	char *text = family_extend(NULL, "X", 1, "root"), *longer;

	(void)state;
	longer = family_extend(text, "root", 2, "a");
	assert_string_equal(longer, "X/1=root/2=a");
	assert_int_equal(family_add(f, 3, "a", "aa", longer), 0);
	assert_int_equal(family_add(f, 2, "root", "a", text), 0);
	assert_true(family_find(f, 2)->is_member);
	assert_below(f, 1, "2 3");
	free(text);
	free(longer);
	family_free(f);
}

static void
what_is_no_ancestry_changes_nothing(void **state)
{
	static const char *const texts[] = {"", "X", "X/", "X/a", "X/0=a", "X/-1=a", "X/1=", "X/1",
	    "X/1=a/", "X/1=a/b", "X/99999999999999999999=a", "X/1=a//2=b"};
	struct family *f = family_new();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(family_add(f, 9, "p", "c", texts[i]), -EINVAL);
		assert_empty(f);
	}
	family_free(f);
}

static void
the_numbers_above_are_read_from_the_top(void **state)
{
	const char *rest = "X/1=root/22=a", *none = "X", *broken = "X/1=a/b";

	(void)state;
	assert_int_equal(family_step(&rest), 1);
	assert_int_equal(family_step(&rest), 22);
	assert_int_equal(family_step(&rest), 0);
	assert_int_equal(family_step(&none), 0);
	assert_int_equal(family_step(&broken), 1);
	assert_int_equal(family_step(&broken), 0);
}

/* A thousand levels, which a walk that called itself would feel. */
static void
a_deep_tree_is_walked(void **state)
{
	struct family *f = family_new();
	char *ancestry = NULL, *next;
	struct family_node *n;
	int64_t count = 0;

	(void)state;
	for (int64_t i = 1; i <= 1000; i++) {
		assert_int_equal(family_add(f, i, i == 1 ? "X" : "c", "c", ancestry), 0);
		next = family_extend(ancestry, i == 1 ? "X" : "c", i, "c");
		free(ancestry);
		ancestry = next;
	}
	free(ancestry);
	for (n = family_find(f, 1); (n = family_walk(family_find(f, 1), n)) != NULL;)
		count++;
	assert_int_equal(count, 999);
	assert_true(family_is_below(f, 1000, 1));
	family_clear(f);
	assert_empty(f);
	family_free(f);
}

/* Jobs come and go as chance has it; whose ancestor is whose is kept in a plain table beside. */
static void
any_order_of_coming_and_going_adds_up(void **state)
{
	struct family *f = family_new();
	int above[JOBS + 1] = {0};
	bool is_live[JOBS + 1] = {0};
	char *ancestry[JOBS + 1] = {0};
	int count = 0;

	(void)state;
	srandom(1);
	for (int step = 0; step < RANDOM_STEPS; step++) {
		int i = 1 + (int)(random() % JOBS);

		if (i == count + 1 && count < JOBS) {
			int up = (int)(random() % i);

			count = i;
			above[i] = up;
			is_live[i] = true;
			if (up != 0)
				ancestry[i] = family_extend(ancestry[up], "X", up, "c");
			assert_int_equal(family_add(f, i, "c", "c", ancestry[i]), 0);
		} else if (i <= count && random() % 4 == 0) {
			is_live[i] = false;
			family_remove(f, i);
		}
	}
	for (int i = 1; i <= count; i++) {
		for (int up = above[i]; is_live[i] && up != 0; up = above[up])
			assert_true(family_is_below(f, i, up));
	}
	for (int i = 1; i <= count; i++)
		family_remove(f, i);
	assert_empty(f);
	for (int i = 1; i <= count; i++)
		free(ancestry[i]);
	family_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(those_below_are_found_from_above),
	    cmocka_unit_test(who_has_ended_stays_while_somebody_is_below),
	    cmocka_unit_test(the_way_up_is_made_from_the_ancestry),
	    cmocka_unit_test(what_is_no_ancestry_changes_nothing),
	    cmocka_unit_test(the_numbers_above_are_read_from_the_top),
	    cmocka_unit_test(a_deep_tree_is_walked),
	    cmocka_unit_test(any_order_of_coming_and_going_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
