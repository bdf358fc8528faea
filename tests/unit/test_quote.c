/*
 * Units of base/quote.
 */
#include "base/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_what_can_be_shown_stays(void **state)
{
	(void)state;
	assert_string_equal(QUOTE(""), "");
	assert_string_equal(QUOTE("a b\\c'\"~"), "a b\\c'\"~");
	assert_string_equal(QUOTE("\u00e4 \u20ac \U0001f600"), "\u00e4 \u20ac \U0001f600");
}

static void
test_what_cannot_is_told_byte_by_byte(void **state)
{
	(void)state;
	assert_string_equal(QUOTE("a\nb\tc"), "a\\nb\\tc");
	assert_string_equal(QUOTE("\033[2J\177\r"), "\\x1b[2J\\x7f\\x0d");
	/* Not UTF-8: alone, cut off, too long, a surrogate, too large, a control character. */
	assert_string_equal(QUOTE("\xff\x80"), "\\xff\\x80");
	assert_string_equal(QUOTE("\xe2\x82"), "\\xe2\\x82");
	assert_string_equal(QUOTE("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf");
	assert_string_equal(QUOTE("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_string_equal(QUOTE("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
	assert_string_equal(QUOTE("\xc2\x9b"), "\\xc2\\x9b");
}

static void
test_what_is_too_long_is_cut_and_says_so(void **state)
{
	char text[2 * QUOTE_SIZE];
	const char *quoted;

	(void)state;
	for (const char *c = "x\n\xff"; *c != '\0'; c++) {
		for (size_t len = QUOTE_SIZE / 4 - 8; len < QUOTE_SIZE + 8; len++) {
			memset(text, *c, len);
			text[len] = '\0';
			quoted = QUOTE(text);
			assert_true(strlen(quoted) < QUOTE_SIZE);
			if (len >= QUOTE_SIZE)
				assert_string_equal(quoted + strlen(quoted) - 3, "...");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_can_be_shown_stays),
	    cmocka_unit_test(test_what_cannot_is_told_byte_by_byte),
	    cmocka_unit_test(test_what_is_too_long_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
