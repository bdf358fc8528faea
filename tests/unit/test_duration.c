/*
 * Units of base/duration.
 */
#include "base/duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void
assert_parsed(const char *text, uint64_t expected)
{
	uint64_t ns = 1;

	assert_int_equal(duration_parse(text, &ns), 0);
	assert_int_equal(ns, expected);
}

static void
assert_refused(const char *text, int error)
{
	uint64_t ns = 4711;

	assert_int_equal(duration_parse(text, &ns), error);
	assert_int_equal(ns, 4711);
}

static void
test_units_are_read(void **state)
{
	(void)state;
	assert_parsed("90", 90 * S);
	assert_parsed("90s", 90 * S);
	assert_parsed("1.5m", 90 * S);
	assert_parsed("2h", 7200 * S);
	assert_parsed("1d", 86400 * S);
	assert_parsed("0", 0);
	assert_parsed("off", DURATION_OFF);
}

static void
test_fractions_are_exact(void **state)
{
	(void)state;
	assert_parsed("0.1", S / 10);
	assert_parsed("0.000000001s", 1);
	assert_parsed("0.0000000019s", 1);
	assert_parsed("0.1d", 8640 * S);
	assert_parsed("0.7", 700000000);
}

static void
test_what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "s", "-1", "+1", " 1", "1 ", "1 s", "1.", ".5",
	    "1..5", "1.5.5", "1e3", "1w", "1ms", "1S", "OFF", "offs", "of", "0x10", "1s1", "nan"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], -EINVAL);
}

static void
test_a_hundred_years_are_the_end(void **state)
{
	(void)state;
	assert_parsed("36525d", 36525 * (86400 * S));
	assert_parsed("3155760000", 36525 * (86400 * S));
	assert_refused("36525.1d", -ERANGE);
	assert_refused("3155760001", -ERANGE);
	assert_refused("36526d", -ERANGE);
	assert_refused("18446744073709551616", -ERANGE);
	assert_refused("99999999999999999999999999999999999999999999999999d", -ERANGE);
}

static void
assert_formatted(uint64_t ns, const char *expected)
{
	char text[DURATION_TEXT_SIZE];
	uint64_t again;

	duration_format(ns, text);
	assert_string_equal(text, expected);
	assert_int_equal(duration_parse(text, &again), 0);
	assert_int_equal(again, ns);
}

static void
test_formatting_reads_back(void **state)
{
	(void)state;
	assert_formatted(0, "0s");
	assert_formatted(S, "1s");
	assert_formatted(3 * S / 2, "1.5s");
	assert_formatted(1, "0.000000001s");
	assert_formatted(90 * S, "90s");
	assert_formatted(900 * S, "15m");
	assert_formatted(3600 * S, "1h");
	assert_formatted(86400 * S, "1d");
	assert_formatted(DURATION_OFF, "off");
	assert_formatted(36525 * (86400 * S) - 1, "3155759999.999999999s");
}

static void
test_formatting_fits_the_largest_value(void **state)
{
	char text[DURATION_TEXT_SIZE];

	(void)state;
	duration_format(UINT64_MAX - 1, text);
	assert_string_equal(text, "18446744073.709551614s");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_units_are_read),
	    cmocka_unit_test(test_fractions_are_exact),
	    cmocka_unit_test(test_what_is_no_duration_is_refused),
	    cmocka_unit_test(test_a_hundred_years_are_the_end),
	    cmocka_unit_test(test_formatting_reads_back),
	    cmocka_unit_test(test_formatting_fits_the_largest_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
