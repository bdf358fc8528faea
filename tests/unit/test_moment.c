/*
 * Promises of config/moment: RFC 3339 is read as it is meant, what people write in their own zone too,
 * and nothing else is.
 */
#include "config/moment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* 2026-07-01T12:00:00Z */
#define NOON INT64_C(1782907200000)
#define HOUR INT64_C(3600000)

static void
set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void
check(const char *text, int64_t expected)
{
	int64_t ms = 0;

	assert_int_equal(moment_parse(text, true, NOON, &ms), 0);
	assert_int_equal(ms, expected);
}

static void
rfc_3339_is_read(void **state)
{
	static const char *const same[] = {"2026-07-01T12:00:00Z", "2026-07-01T12:00Z",
	    "2026-07-01t12:00:00z", "2026-07-01 12:00:00Z", "2026-07-01T14:00:00+02:00",
	    "2026-07-01T06:30:00-05:30", "2026-07-01T14:00+0200", "2026-07-01T06:30:00-0530",
	    "2026-07-01T12:00:00.000Z", "2026-07-01T12:00:00.0009Z"};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		check(same[i], NOON);
		assert_int_equal(moment_parse(same[i], false, 0, &ms), 0);
		assert_int_equal(ms, NOON);
	}
	check("2026-07-01T12:00:01.25Z", NOON + 1250);
	check("1970-01-01T00:00:00Z", 0);
	check("2028-02-29T00:00:00Z", INT64_C(1835395200000));
}

static void
without_a_zone_it_is_local(void **state)
{
	int64_t ms;

	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	check("2026-07-01 12:00", NOON - 2 * HOUR);
	check("2026-07-01T12:00:30", NOON - 2 * HOUR + 30000);
	check("2026-12-01 12:00", INT64_C(1796122800000));
	assert_int_equal(moment_parse("2026-07-01T12:00:00", false, NOON, &ms), -EINVAL);
	set_zone("UTC");
}

static void
a_time_of_day_is_the_next_one(void **state)
{
	int64_t ms;

	(void)state;
	set_zone("UTC");
	check("13:00", NOON + HOUR);
	check("12:00", NOON + 24 * HOUR);
	check("11:59:59", NOON + 24 * HOUR - 1000);
	check("00:00", NOON + 12 * HOUR);
	assert_int_equal(moment_parse("13:00", false, NOON, &ms), -EINVAL);
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {"", "now", "tomorrow", "12", "1782907200", "2026-07-01",
	    "2026-07-01T", "2026-7-1T12:00Z", "2026-13-01T12:00Z", "2026-06-31T12:00Z",
	    "2026-02-29T12:00Z", "2026-07-01T24:00Z", "2026-07-01T12:60Z", "2026-07-01T12:00:61Z",
	    "2026-07-01T12:00:00.Z", "2026-07-01T12:00:00+2", "2026-07-01T12:00:00+24:00",
	    "2026-07-01T12:00:00Z ", " 2026-07-01T12:00:00Z", "1969-12-31T23:59:59Z", "12:00Z",
	    "26:00", "-2026-07-01T12:00Z"};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(moment_parse(texts[i], true, NOON, &ms), -EINVAL);
		assert_int_equal(moment_parse(texts[i], false, NOON, &ms), -EINVAL);
	}
	assert_int_equal(ms, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_3339_is_read),
	    cmocka_unit_test(without_a_zone_it_is_local),
	    cmocka_unit_test(a_time_of_day_is_the_next_one),
	    cmocka_unit_test(what_is_no_time_is_refused),
	};

	set_zone("UTC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
