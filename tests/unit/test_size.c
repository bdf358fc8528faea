/*
 * Units of base/size.
 */
#include "base/size.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_parsed(const char *text, uint64_t expected)
{
	uint64_t bytes = 1;

	assert_int_equal(size_parse(text, &bytes), 0);
	assert_true(bytes == expected);
}

static void
assert_refused(const char *text, int error)
{
	uint64_t bytes = 4711;

	assert_int_equal(size_parse(text, &bytes), -error);
	assert_int_equal(bytes, 4711);
}

static void
assert_written(uint64_t bytes, const char *expected)
{
	char text[SIZE_TEXT_SIZE];

	size_format(bytes, text);
	assert_string_equal(text, expected);
	assert_parsed(text, bytes);
}

static void
letters_are_powers_of_1024(void **state)
{
	(void)state;
	assert_parsed("0", 0);
	assert_parsed("4096", 4096);
	assert_parsed("007", 7);
	assert_parsed("1K", 1024);
	assert_parsed("64M", UINT64_C(64) << 20);
	assert_parsed("2G", UINT64_C(2) << 30);
	assert_parsed("3T", UINT64_C(3) << 40);
	assert_parsed("0T", 0);
}

static void
what_is_no_size_is_refused(void **state)
{
	(void)state;
	assert_refused("", EINVAL);
	assert_refused("K", EINVAL);
	assert_refused("1k", EINVAL);
	assert_refused("1KB", EINVAL);
	assert_refused("1KM", EINVAL);
	assert_refused("1.5M", EINVAL);
	assert_refused("-1", EINVAL);
	assert_refused("+1", EINVAL);
	assert_refused(" 1", EINVAL);
	assert_refused("1 ", EINVAL);
	assert_refused("1P", EINVAL);
	assert_refused("off", EINVAL);
}

static void
what_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_parsed("18446744073709551615", UINT64_MAX);
	assert_refused("18446744073709551616", ERANGE);
	assert_refused("99999999999999999999999", ERANGE);
	assert_parsed("16777215T", UINT64_C(16777215) << 40);
	assert_refused("16777216T", ERANGE);
	assert_refused("18446744073709551615K", ERANGE);
}

static void
the_largest_letter_that_is_exact_is_written(void **state)
{
	(void)state;
	assert_written(0, "0");
	assert_written(1023, "1023");
	assert_written(1024, "1K");
	assert_written(1025, "1025");
	assert_written(1536, "1536");
	assert_written(UINT64_C(1536) << 10, "1536K");
	assert_written(UINT64_C(64) << 20, "64M");
	assert_written(UINT64_C(1) << 50, "1024T");
	assert_written(UINT64_MAX, "18446744073709551615");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(letters_are_powers_of_1024),
	    cmocka_unit_test(what_is_no_size_is_refused),
	    cmocka_unit_test(what_does_not_fit_is_refused),
	    cmocka_unit_test(the_largest_letter_that_is_exact_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
