/*
 * Units of base/status.
 */
#include "base/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_every_status_has_a_name_that_reads_back(void **state)
{
	int s;

	(void)state;
	for (s = 0; s < STATUS_COUNT; s++) {
		assert_non_null(status_name(s));
		assert_int_equal(status_parse(status_name(s)), s);
	}
}

static void
test_other_names_are_refused(void **state)
{
	(void)state;
	assert_int_equal(status_parse(""), -EINVAL);
	assert_int_equal(status_parse("Queued"), -EINVAL);
	assert_int_equal(status_parse("complete"), -EINVAL);
}

static void
test_ended_jobs_are_final(void **state)
{
	(void)state;
	assert_false(status_is_final(STATUS_QUEUED));
	assert_false(status_is_final(STATUS_STARTING));
	assert_false(status_is_final(STATUS_RUNNING));
	assert_false(status_is_final(STATUS_SUSPENDED));
	assert_true(status_is_final(STATUS_COMPLETED));
	assert_true(status_is_final(STATUS_ERROR));
	assert_true(status_is_final(STATUS_TIMEOUT));
	assert_true(status_is_final(STATUS_CANCELLED));
	assert_true(status_is_final(STATUS_LOST));
	assert_true(status_is_final(STATUS_SKIPPED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_status_has_a_name_that_reads_back),
	    cmocka_unit_test(test_other_names_are_refused),
	    cmocka_unit_test(test_ended_jobs_are_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
