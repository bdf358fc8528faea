/*
 * test_setup: what a server is told on its command line.
 */
#include "server/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

static struct server_setup
parsed(char *mode)
{
	char *words[] = {mode, "was killed by signal 11", "4", NULL};
	struct server_setup setup;

	assert_int_equal(setup_parse(words, 3, &setup), 0);
	assert_string_equal(setup.last_end, "was killed by signal 11");
	assert_int_equal(setup.deaths, 4);
	return setup;
}

static void
each_mode_is_known(void **state)
{
	(void)state;
	assert_true(parsed("first").is_first);
	assert_false(parsed("first").is_in_doubt);
	assert_false(parsed("again").is_first || parsed("again").is_in_doubt);
	assert_true(parsed("check").is_in_doubt);
	assert_false(parsed("check").is_damaged || parsed("check").is_first);
	assert_false(parsed("check").is_to_wait);
	assert_true(parsed("wait").is_in_doubt && parsed("wait").is_to_wait);
	assert_true(parsed("damaged").is_in_doubt && parsed("damaged").is_damaged);
}

static void
without_words_it_is_the_first(void **state)
{
	struct server_setup setup;

	(void)state;
	assert_int_equal(setup_parse(NULL, 0, &setup), 0);
	assert_true(setup.is_first);
}

static void
anything_else_is_refused(void **state)
{
	char *odd[] = {"odd", "", "0"}, *many[] = {"again", "", "many"};
	struct server_setup setup;

	(void)state;
	assert_int_equal(setup_parse(odd, 3, &setup), -EINVAL);
	assert_int_equal(setup_parse(many, 3, &setup), -EINVAL);
	assert_int_equal(setup_parse(odd, 1, &setup), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_mode_is_known),
	    cmocka_unit_test(without_words_it_is_the_first),
	    cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
