/*
 * test_words: that a line is split as people who know a shell expect, that nothing else happens to it, and
 * that what cannot be split is refused.
 */
#include "base/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The words of text, with '|' behind each; or "!" and the fault. */
static const char *
split(const char *text)
{
	static char joined[2048];
	struct fault f;
	char **words;
	int r = words_split(text, &words, &f);

	joined[0] = '\0';
	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		snprintf(joined, sizeof(joined), "!%s", f.text);
		return joined;
	}
	for (size_t i = 0; words[i] != NULL; i++) {
		strcat(joined, words[i]);
		strcat(joined, "|");
	}
	free(words);
	return joined;
}

static void
blanks_separate(void **state)
{
	(void)state;
	assert_string_equal(split(""), "");
	assert_string_equal(split(" \t "), "");
	assert_string_equal(split("a"), "a|");
	assert_string_equal(split(" a\tb  c "), "a|b|c|");
}

static void
quotes_hold_together(void **state)
{
	(void)state;
	assert_string_equal(split("'a b' \"c d\""), "a b|c d|");
	assert_string_equal(split("a'b c'd\"e f\"g"), "ab cde fg|");
	assert_string_equal(split("'' a \"\""), "|a||");
	assert_string_equal(split("'\"' \"'\""), "\"|'|");
}

static void
a_backslash_keeps_what_is_behind_it(void **state)
{
	(void)state;
	assert_string_equal(split("a\\ b"), "a b|");
	assert_string_equal(split("\\'a \\\"b \\\\c"), "'a|\"b|\\c|");
	assert_string_equal(split("\"a\\\"b\\\\c\\d\""), "a\"b\\c\\d|");
	assert_string_equal(split("'a\\b'"), "a\\b|");
}

static void
nothing_else_means_anything(void **state)
{
	(void)state;
	assert_string_equal(split("$HOME `ls` $(ls) * ~ a;b|c&d>e #f"),
	    "$HOME|`ls`|$(ls)|*|~|a;b|c&d>e|#f|");
}

static void
what_is_unfinished_is_refused(void **state)
{
	(void)state;
	assert_string_equal(split("a 'b"),
	    "!a ' that is not closed; close each quote, and write "
	    "\\\\ for a backslash");
	assert_ptr_equal(strstr(split("\"a"), "!a \" that is not closed"), split("\"a"));
	assert_ptr_equal(strstr(split("a\\"), "!a backslash at the end"), split("a\\"));
	assert_ptr_equal(strstr(split("\"a\\"), "!a \" that"), split("\"a\\"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blanks_separate),
	    cmocka_unit_test(quotes_hold_together),
	    cmocka_unit_test(a_backslash_keeps_what_is_behind_it),
	    cmocka_unit_test(nothing_else_means_anything),
	    cmocka_unit_test(what_is_unfinished_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
