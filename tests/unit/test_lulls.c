/*
 * Wishes for a lull are counted for each job: the first and the last are told.
 */
#include "server/lulls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
the_first_and_the_last_wish_are_told(void **state)
{
	struct lulls l;
	bool is_first;

	(void)state;
	lulls_init(&l);
	assert_false(lulls_has(&l, 1));
	assert_false(lulls_remove(&l, 1));
	assert_int_equal(lulls_add(&l, 1, &is_first), 0);
	assert_true(is_first);
	assert_int_equal(lulls_add(&l, 1, &is_first), 0);
	assert_false(is_first);
	assert_int_equal(lulls_add(&l, 2, &is_first), 0);
	assert_true(is_first);
	assert_false(lulls_remove(&l, 1));
	assert_true(lulls_has(&l, 1));
	assert_true(lulls_remove(&l, 1));
	assert_false(lulls_has(&l, 1));
	assert_true(lulls_has(&l, 2));
	lulls_clear(&l);
	assert_false(lulls_has(&l, 2));
}

static void
note(void *arg, int64_t job)
{
	*(int64_t *)arg = *(int64_t *)arg * 10 + job;
}

static void
what_is_doubted_is_swept_unless_it_was_wished_for(void **state)
{
	struct lulls l;
	int64_t swept = 0;
	bool is_first;

	(void)state;
	lulls_init(&l);
	assert_int_equal(lulls_doubt(&l, 1), 0);
	assert_int_equal(lulls_doubt(&l, 2), 0);
	assert_int_equal(lulls_doubt(&l, 3), 0);
	assert_false(lulls_has(&l, 1));
	assert_false(lulls_remove(&l, 1));
	assert_int_equal(lulls_add(&l, 2, &is_first), 0);
	assert_true(is_first);
	assert_int_equal(lulls_doubt(&l, 2), 0);
	lulls_sweep(&l, note, &swept);
	assert_int_equal(swept, 13);
	assert_true(lulls_has(&l, 2));
	swept = 0;
	lulls_sweep(&l, note, &swept);
	assert_int_equal(swept, 0);
	lulls_clear(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_and_the_last_wish_are_told),
	    cmocka_unit_test(what_is_doubted_is_swept_unless_it_was_wished_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
