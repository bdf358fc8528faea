/*
 * test_runner: which runner a job gets, what comes of its command, and what of a runner is refused.
 */
#include "config/runner.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sections *sections;

static int
make(void **state)
{
	(void)state;
	sections = sections_new();
	return sections == NULL;
}

static int
drop(void **state)
{
	(void)state;
	sections_unref(sections);
	return 0;
}

/* A runner with a command and, NULL ending them, keys and values. */
static void
add(const char *name, const char *command, ...)
{
	struct section *r = sections_add(sections, SECTION_RUNNER, name, (int)sections->count + 1);
	const char *key;
	va_list ap;

	assert_non_null(r);
	if (command != NULL)
		assert_int_equal(section_add(r, "command", command, 9), 0);
	va_start(ap, command);
	while ((key = va_arg(ap, const char *)) != NULL)
		assert_int_equal(section_add(r, key, va_arg(ap, const char *), 9), 0);
	va_end(ap);
}

static char *none[] = {NULL};
static char *some[] = {(char *)"prog", (char *)"an arg", NULL};

static const char *
name_of(const struct runner_job *j)
{
	const struct section *r = runner_find(sections, j);

	return r == NULL ? "-" : r->name;
}

static const char *
find(const char *child, const char *parent, const char *model, const char *profile,
    char *const *argv)
{
	const struct runner_job j = {child, parent, model, profile, 0, argv};

	return name_of(&j);
}

static void
all_patterns_must_match_and_the_first_runner_wins(void **state)
{
	(void)state;
	assert_string_equal(find("c", "p", NULL, NULL, none), "-");
	add("both", "x", "match_child", "b-*", "match_parent", "p?", NULL);
	add("model", "x", "match_model", "qwen-[34]*", NULL);
	add("profile", "x", "match_profile", "gpu", NULL);
	add("some-model", "x", "match_model", "?*", NULL);
	add("rest", "x", NULL);
	assert_string_equal(find("b-1", "p1", NULL, NULL, none), "both");
	assert_string_equal(find("b-1", "p", NULL, NULL, none), "rest");
	assert_string_equal(find("b", "p1", "qwen-3/x", NULL, none), "model");
	assert_string_equal(find("b-1", "p1", "qwen-3", NULL, none), "both");
	assert_string_equal(find("c", "p", NULL, "gpu", none), "profile");
	assert_string_equal(find("c", "p", "m", "gpus", none), "some-model");
}

static void
only_one_with_a_place_for_it_goes_around_a_command(void **state)
{
	(void)state;
	add("alone", "x", NULL);
	assert_string_equal(find("c", "p", NULL, NULL, some), "-");
	add("around", "nice %a", NULL);
	assert_string_equal(find("c", "p", NULL, NULL, some), "around");
	assert_string_equal(find("c", "p", NULL, NULL, none), "alone");
}

/* The words of the first runner for this job, with '|' behind each. */
static const char *
expand(const char *model, char *const *argv)
{
	const struct runner_job j = {"the-child", "the-parent", model, NULL, 42, argv};
	static char joined[2048];
	char **words;

	assert_int_equal(runner_expand(sections->items[0], &j, &words), 0);
	joined[0] = '\0';
	for (size_t i = 0; words[i] != NULL; i++) {
		strcat(joined, words[i]);
		strcat(joined, "|");
	}
	free(words);
	return joined;
}

static void
each_percent_is_replaced_within_its_word(void **state)
{
	(void)state;
	add("r", "run %c '%p' --model=%m \"%j %%\" 100%%c %a end", NULL);
	assert_string_equal(expand("m x", none),
	    "run|the-child|the-parent|--model=m x|42 %|100%c|end|");
	assert_string_equal(expand(NULL, some),
	    "run|the-child|the-parent|--model=|42 %|100%c|prog|an arg|end|");
	assert_true(runner_names_job(sections->items[0]));
}

/* What is put in is not looked at again, and stays one word. */
static void
what_is_put_in_is_taken_literally(void **state)
{
	char *argv[] = {(char *)"%c", (char *)"$(x) 'y", (char *)"", NULL};

	(void)state;
	add("r", "%m %a", NULL);
	assert_string_equal(expand("%c %a '\"", argv), "%c %a '\"|%c|$(x) 'y||");
	assert_string_equal(expand(NULL, none), "|");
	assert_false(runner_names_job(sections->items[0]));
}

static void
assert_refused(const char *command, const char *beginning)
{
	struct fault f;

	assert_int_equal(runner_check("command", command, &f), -EINVAL);
	if (strncmp(f.text, beginning, strlen(beginning)) != 0)
		fail_msg("said '%s', expected '%s...'", f.text, beginning);
}

static void
a_command_that_cannot_be_split_or_replaced_is_refused(void **state)
{
	struct fault f;

	(void)state;
	assert_refused("a 'b", "a ' that is not closed");
	assert_refused("''", "no program");
	assert_refused("a %x", "unknown %x; there are");
	assert_refused("a %", "% at the end");
	assert_refused("a x%%%", "% at the end");
	assert_refused("a x%a", "%a within a word");
	assert_refused("a \"%a b\"", "%a within a word");
	assert_refused("a %\xc3\xb6", "unknown %;");
	assert_int_equal(runner_check("command", "a %% %c%p%m%j %a", &f), 0);
	assert_int_equal(runner_check("match_child", "x", &f), 0);
	assert_int_equal(runner_check("match_job", "x", &f), -ENOENT);
}

/* What is wrong with the last runner: the beginning of the fault, and the key; NULL: nothing. */
static void
assert_use(const char *beginning, const char *key)
{
	const struct section_entry *entry;
	struct fault f = {""};
	int r = runner_check_use(sections, sections->items[sections->count - 1], &entry, &f);

	assert_int_equal(r == 0, beginning == NULL);
	if (r == 0)
		return;
	if (strncmp(f.text, beginning, strlen(beginning)) != 0)
		fail_msg("said '%s', expected '%s...'", f.text, beginning);
	assert_string_equal(entry != NULL ? entry->key : "", key);
}

static void
a_runner_without_a_command_is_seen(void **state)
{
	(void)state;
	add("a", NULL, NULL);
	assert_use("no command; write command =", "");
	/* It shadows nobody. */
	add("b", "x", NULL);
	assert_use(NULL, "");
}

static void
a_runner_that_can_never_match_is_seen(void **state)
{
	const char never[] = "it can never match: [runner ";

	(void)state;
	add("narrow", "x", "match_child", "a*", "match_model", "m", NULL);
	assert_use(NULL, "");
	add("same", "x", "match_child", "a*", "match_model", "m", "match_parent", "p", NULL);
	assert_use("it can never match: [runner narrow] in line 1", "");
	add("literal", "x", "match_child", "abc", "match_model", "m", NULL);
	assert_use(never, "");
	add("other-model", "x", "match_child", "abc", "match_model", "m*", NULL);
	assert_use(NULL, "");
	add("wider", "x", "match_model", "m", NULL);
	assert_use(NULL, "");
	add("around", "x %a", "match_child", "a*", "match_model", "m", NULL);
	assert_use(NULL, "");
	add("around-again", "x %a", "match_child", "a*", "match_model", "m", NULL);
	assert_use("it can never match: [runner around] ", "");
	/* A pattern that another one matches as a text may match more than that. */
	add("two-letters", "x", "match_child", "z?", NULL);
	add("z", "x", "match_child", "z*", NULL);
	assert_use(NULL, "");
	add("any", "x", "match_child", "**", NULL);
	assert_use(NULL, "");
	add("last", "x", "match_parent", "p*", NULL);
	assert_use("it can never match: [runner any] ", "");
	add("still-around", "x %a", "match_parent", "p*", NULL);
	assert_use(NULL, "");
}

static void
a_pattern_that_nothing_can_match_is_seen(void **state)
{
	(void)state;
	add("id", "x", "match_child", "a b", NULL);
	assert_use("no id is like that", "match_child");
	add("profile", "x", "match_profile", "gpu", NULL);
	assert_use("no profile is called that; there are none", "match_profile");
	add("no-profile", "x", "match_profile", "*", NULL);
	assert_use(NULL, "");
	assert_non_null(sections_add(sections, SECTION_PROFILE, "gpu-big", 7));
	add("one", "x", "match_profile", "gpu-*", "match_child", "z*", NULL);
	sections->items[2]->kind = SECTION_PROFILE; /* out of the way */
	assert_use(NULL, "");
}

static void
patterns_that_are_not_ended_are_refused(void **state)
{
	static const char *const good[] = {"[a-z]*", "[]]", "[!]x]", "[[:alpha:]]", "[[:alpha:]x]y",
	    "\\[a", "[\\]]", "a]", "*", "[^a]?[b]"};
	static const char *const bad[] = {"[a-", "[", "[]", "[!]", "a*[b", "[[:alpha:]", "[a]\\[[b",
	    "[a\\]"};
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(runner_check("match_child", good[i], &f), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(runner_check("match_model", bad[i], &f), -EINVAL);
		assert_non_null(
		    strstr(f.text, "a '[' without a ']' behind it; add that, or write \\["));
	}
	assert_int_equal(runner_check("match_parent", "a\\", &f), -EINVAL);
	assert_non_null(strstr(f.text, "write \\\\ for one"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(all_patterns_must_match_and_the_first_runner_wins, make,
		drop),
	    cmocka_unit_test_setup_teardown(only_one_with_a_place_for_it_goes_around_a_command,
		make, drop),
	    cmocka_unit_test_setup_teardown(each_percent_is_replaced_within_its_word, make, drop),
	    cmocka_unit_test_setup_teardown(what_is_put_in_is_taken_literally, make, drop),
	    cmocka_unit_test(a_command_that_cannot_be_split_or_replaced_is_refused),
	    cmocka_unit_test_setup_teardown(a_runner_without_a_command_is_seen, make, drop),
	    cmocka_unit_test_setup_teardown(a_runner_that_can_never_match_is_seen, make, drop),
	    cmocka_unit_test_setup_teardown(a_pattern_that_nothing_can_match_is_seen, make, drop),
	    cmocka_unit_test(patterns_that_are_not_ended_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
