/*
 * Units of base/signame.
 */
#include "base/signame.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_names_and_numbers_are_read(void **state)
{
	(void)state;
	assert_int_equal(signame_parse("TERM"), SIGTERM);
	assert_int_equal(signame_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signame_parse("sigint"), SIGINT);
	assert_int_equal(signame_parse("9"), SIGKILL);
	assert_int_equal(signame_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signame_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signame_parse("RTMAX"), SIGRTMAX);
	assert_int_equal(signame_parse("RTMAX-1"), SIGRTMAX - 1);
}

static void
test_what_is_no_signal_is_refused(void **state)
{
	static const char *const bad[] = {"", "SIG", "FOO", "0", "-1", "65", "9x", "TERM ", " TERM",
	    "TERMX", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+ 1", "RTMIN+-1",
	    "99999999999999999999"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(signame_parse(bad[i]), -EINVAL);
}

static void
test_every_signal_reads_back(void **state)
{
	char name[SIGNAME_SIZE];
	int signo;

	(void)state;
	for (signo = 1; signo <= SIGRTMAX; signo++) {
		signame_format(signo, name);
		assert_int_equal(signame_parse(name), signo);
	}
}

static void
test_names_are_short(void **state)
{
	char name[SIGNAME_SIZE];

	(void)state;
	signame_format(SIGTERM, name);
	assert_string_equal(name, "TERM");
	signame_format(SIGRTMIN, name);
	assert_string_equal(name, "RTMIN");
	signame_format(SIGRTMAX, name);
	assert_string_equal(name, "RTMIN+30");
	signame_format(0, name);
	assert_string_equal(name, "0");
	signame_format(INT32_MIN, name);
	assert_string_equal(name, "-2147483648");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_and_numbers_are_read),
	    cmocka_unit_test(test_what_is_no_signal_is_refused),
	    cmocka_unit_test(test_every_signal_reads_back),
	    cmocka_unit_test(test_names_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
