/*
 * Promises of cli/exitcode: records become the exit codes of timeout(1) and the shell.
 */
#include "cli/exitcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
check(const char *text, int expected)
{
	json_t *record = json_loads(text, 0, NULL);

	assert_non_null(record);
	assert_int_equal(exitcode_of_record(record), expected);
	json_decref(record);
}

static void
completed_is_0(void **state)
{
	(void)state;
	check("{\"status\":\"completed\",\"ran\":true,\"exit_code\":0}", 0);
}

static void
an_exit_code_is_passed_on(void **state)
{
	(void)state;
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":1,\"signal\":null}", 1);
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":255,\"signal\":null}", 255);
}

static void
a_signal_is_128_and_its_number(void **state)
{
	(void)state;
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":null,\"signal\":\"KILL\"}", 137);
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":null,\"signal\":\"SEGV\"}", 139);
}

static void
a_timeout_is_124_whatever_the_program_said(void **state)
{
	(void)state;
	check("{\"status\":\"timeout\",\"ran\":true,\"exit_code\":0}", 124);
	check("{\"status\":\"timeout\",\"ran\":true,\"exit_code\":null,\"signal\":\"TERM\"}", 124);
}

static void
cancelled_skipped_and_lost_are_123(void **state)
{
	(void)state;
	check("{\"status\":\"cancelled\",\"ran\":true,\"exit_code\":0}", 123);
	check("{\"status\":\"skipped\",\"ran\":false}", 123);
	check("{\"status\":\"lost\",\"ran\":true,\"exit_code\":null}", 123);
}

static void
what_was_not_found_is_127(void **state)
{
	static const char *const names[] = {"ENOENT", "ENOTDIR", "ELOOP"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"status\":\"error\",\"ran\":false,\"stage\":\"exec\",\"errno\":\"%s\"}",
		    names[i]);
		check(text, 127);
	}
}

static void
what_cannot_be_executed_is_126(void **state)
{
	(void)state;
	check("{\"status\":\"error\",\"ran\":false,\"stage\":\"exec\",\"errno\":\"EACCES\"}", 126);
	check("{\"status\":\"error\",\"ran\":false,\"stage\":\"exec\",\"errno\":\"ENOEXEC\"}", 126);
}

static void
what_was_not_started_for_another_reason_is_125(void **state)
{
	(void)state;
	check("{\"status\":\"error\",\"ran\":false,\"stage\":\"setup\",\"errno\":\"ENOENT\"}", 125);
	check("{\"status\":\"error\",\"ran\":false}", 125);
}

static void
a_record_without_sense_is_125_and_never_0(void **state)
{
	(void)state;
	check("{}", 125);
	check("{\"status\":\"running\"}", 125);
	check("{\"status\":7}", 125);
	check("{\"status\":\"error\",\"ran\":true}", 125);
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":0}", 125);
	check("{\"status\":\"error\",\"ran\":true,\"exit_code\":256}", 125);
	check("{\"status\":\"error\",\"ran\":true,\"signal\":\"NONSENSE\"}", 125);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(completed_is_0),
	    cmocka_unit_test(an_exit_code_is_passed_on),
	    cmocka_unit_test(a_signal_is_128_and_its_number),
	    cmocka_unit_test(a_timeout_is_124_whatever_the_program_said),
	    cmocka_unit_test(cancelled_skipped_and_lost_are_123),
	    cmocka_unit_test(what_was_not_found_is_127),
	    cmocka_unit_test(what_cannot_be_executed_is_126),
	    cmocka_unit_test(what_was_not_started_for_another_reason_is_125),
	    cmocka_unit_test(a_record_without_sense_is_125_and_never_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
