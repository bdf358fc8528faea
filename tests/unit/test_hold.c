/*
 * test_hold: a record has one holder at a time, and one that goes away leaves nothing behind.
 */
#include "server/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
one_holder_at_a_time(void **state)
{
	struct holds *h = holds_new();
	int a, b;

	(void)state;
	assert_null(holds_owner(h, 1));
	assert_true(holds_add(h, 1, "p", &a));
	assert_false(holds_add(h, 1, "p", &b));
	assert_false(holds_add(h, 1, "p", &a));
	assert_ptr_equal(holds_owner(h, 1), &a);
	holds_remove(h, 1);
	holds_remove(h, 1);
	assert_true(holds_add(h, 1, "p", &b));
	holds_free(h);
}

static void
count(void *arg, const char *parent)
{
	assert_string_equal(parent, "p");
	(*(int *)arg)++;
}

static void
release_leaves_the_others(void **state)
{
	struct holds *h = holds_new();
	int a, b, released = 0;

	(void)state;
	for (int64_t seq = 1; seq <= 100; seq++)
		assert_true(holds_add(h, seq, "p", seq % 2 ? &a : &b));
	holds_release(h, &a, count, &released);
	assert_int_equal(released, 50);
	for (int64_t seq = 1; seq <= 100; seq++)
		assert_ptr_equal(holds_owner(h, seq), seq % 2 ? NULL : &b);
	holds_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_holder_at_a_time),
	    cmocka_unit_test(release_leaves_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
