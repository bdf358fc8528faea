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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_and_the_last_wish_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
