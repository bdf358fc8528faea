/*
 * test_wording: the names of parameters in the words of who gave them.
 */
#include "cli/wording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_wording(const char *text, bool has_fields, const char *expected)
{
	char out[64];

	wording_make(text, has_fields, out, sizeof(out));
	assert_string_equal(out, expected);
}

static void
a_command_line_has_options(void **state)
{
	(void)state;
	assert_wording("give `after` or `after_ok` as well", false,
	    "give --after or --after-ok as well");
	assert_wording("`argv`", false, "a command behind --");
}

static void
a_batch_has_fields(void **state)
{
	(void)state;
	assert_wording("give `after` or `after_ok` as well", true,
	    "give \"after\" or \"after_ok\" as well");
	assert_wording("`argv`", true, "\"argv\"");
}

static void
what_is_no_name_stays(void **state)
{
	(void)state;
	assert_wording("", false, "");
	assert_wording("after", false, "after");
	assert_wording("`date` `` `after", false, "`date` `` `after");
	assert_wording("`x`after`", false, "`x--after");
	assert_wording("`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`", false,
	    "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`");
}

static void
what_is_too_long_is_cut(void **state)
{
	char out[8];

	(void)state;
	wording_make("x `retries` y", false, out, sizeof(out));
	assert_string_equal(out, "x --ret");
	wording_make("0123456789", false, out, sizeof(out));
	assert_string_equal(out, "0123456");
	wording_make("01234`after`", false, out, sizeof(out));
	assert_string_equal(out, "01234--");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_command_line_has_options),
	    cmocka_unit_test(a_batch_has_fields),
	    cmocka_unit_test(what_is_no_name_stays),
	    cmocka_unit_test(what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
