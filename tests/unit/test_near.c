/*
 * test_near: which name was meant.
 */
#include "base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
letters_are_counted(void **state)
{
	(void)state;
	assert_int_equal(near_distance("max_total", "max_total"), 0);
	assert_int_equal(near_distance("max_totl", "max_total"), 1);
	assert_int_equal(near_distance("maxx_total", "max_total"), 1);
	assert_int_equal(near_distance("mix_total", "max_total"), 1);
	assert_int_equal(near_distance("", "argv"), 4);
	assert_int_equal(near_distance("argv", ""), 4);
}

static void
dashes_and_capitals_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(near_distance("Max-Total", "max_total"), 0);
}

static void
what_is_given_may_be_of_any_length(void **state)
{
	char given[5001];

	(void)state;
	memset(given, 'a', sizeof(given) - 1);
	given[sizeof(given) - 1] = '\0';
	assert_int_equal(near_distance(given, "aa"), 4998);
	assert_int_equal(near_limit("abcd"), 2);
	assert_int_equal(near_limit("abcde"), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(letters_are_counted),
	    cmocka_unit_test(dashes_and_capitals_do_not_count),
	    cmocka_unit_test(what_is_given_may_be_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
