/*
 * test_fields: a line of a batch as the words of a command line.
 */
#include "cli/fields.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The words with '|' between, of an object that is good. */
static void
assert_words(const char *line, const char *expected)
{
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	struct fields f = {NULL, 0, 0};
	struct fault fault = {""};
	char words[1024] = "";

	assert_non_null(object);
	assert_int_equal(fields_read(object, &f, &fault), 0);
	for (int i = 0; i < f.count; i++) {
		strcat(words, i > 0 ? "|" : "");
		strcat(words, f.words[i]);
	}
	assert_null(f.words[f.count]);
	assert_string_equal(words, expected);
	fields_fini(&f);
	json_decref(object);
}

static void
assert_refused(const char *line, const char *expected)
{
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	struct fields f = {NULL, 0, 0};
	struct fault fault = {""};

	assert_non_null(object);
	assert_int_equal(fields_read(object, &f, &fault), -EINVAL);
	if (strncmp(fault.text, expected, strlen(expected)) != 0)
		fail_msg("'%s' is not '%s'", fault.text, expected);
	assert_null(f.words);
	json_decref(object);
}

static void
options_are_fields(void **state)
{
	(void)state;
	assert_words("{}", "enqueue|--");
	assert_words("{\"parent\":\"P\",\"max_total\":\"5s\",\"argv\":[\"make\",\"-j2\",\"\"]}",
	    "enqueue|--parent=P|--max-total=5s|--|make|-j2|");
	assert_words("{\"argv\":[\"a\"],\"child\":\"c\"}", "enqueue|--child=c|--|a");
}

static void
numbers_and_lists_are_written_out(void **state)
{
	(void)state;
	assert_words("{\"max_total\":5,\"max_idle\":1.5,\"nice\":-3}",
	    "enqueue|--max-total=5|--max-idle=1.5|--nice=-3|--");
	assert_words("{\"activity\":[\"output\",\"heartbeat\"]}",
	    "enqueue|--activity=output,heartbeat|--");
	assert_words("{\"child\":7}", "enqueue|--child=7|--");
}

static void
pairs_are_objects(void **state)
{
	(void)state;
	assert_words("{\"env\":{\"A\":\"b=c\",\"N\":1},\"meta\":{\"k\":\"\"}}",
	    "enqueue|--env=A=b=c|--env=N=1|--meta=k=|--");
	assert_refused("{\"env\":[\"A=1\"]}", "env: must be an object");
	assert_refused("{\"env\":{\"A=\":\"1\"}}", "env: 'A=': a name that is empty or has a '='");
	assert_refused("{\"env\":{\"\":\"1\"}}", "env: '': a name");
	assert_refused("{\"meta\":{\"a\":true}}", "meta: 'a': must be a string");
}

static void
switches_are_true_or_false(void **state)
{
	(void)state;
	assert_words("{\"no_wait\":true,\"clean_env\":false}", "enqueue|--no-wait|--");
	assert_refused("{\"no_wait\":1}", "no_wait: must be true or false");
}

static void
null_and_false_are_as_if_they_were_not_there(void **state)
{
	(void)state;
	assert_words("{\"argv\":false,\"parent\":false,\"env\":false,\"priority\":false,"
		     "\"activity\":false,\"no_wait\":false}",
	    "enqueue|--");
	assert_refused("{\"no_such\":false}", "unknown field 'no_such'");
	assert_words("{\"argv\":null,\"parent\":null,\"env\":null,\"no_wait\":null}", "enqueue|--");
	assert_refused("{\"no_such\":null}", "unknown field 'no_such'");
}

static void
what_is_unknown_is_refused_with_the_nearest(void **state)
{
	(void)state;
	assert_refused("{\"max_totl\":1}", "unknown field 'max_totl'; did you mean max_total?");
	assert_refused("{\"Parent\":1}", "unknown field 'Parent'; did you mean parent?");
	assert_refused("{\"max-total\":1}", "unknown field 'max-total'; did you mean max_total?");
	assert_refused("{\"arg\":[]}", "unknown field 'arg'; did you mean argv?");
	assert_refused("{\"no_autostart\":true}", "unknown field 'no_autostart'");
	assert_refused("{\"batch\":\"-\"}", "unknown field 'batch'");
	assert_refused("{\"a\\nb\":1}", "unknown field 'a\\nb'");
	assert_refused("{\"\":1}", "unknown field ''");
}

static void
lists_are_where_commas_may_stand(void **state)
{
	(void)state;
	assert_words("{\"after\":[\"a\",7],\"after_ok\":[\"b\"],\"retry_on\":[\"lost\",\"error\"]}",
	    "enqueue|--after=a,7|--after-ok=b|--retry-on=lost,error|--");
	assert_refused("{\"activity\":{}}",
	    "activity: must be a string or a number, or an array of these");
	assert_refused("{\"after\":true}", "after: must be a string or a number, or an array");
	assert_refused("{\"child\":[\"a\",\"b\"]}", "child: must be a string or a number");
	assert_refused("{\"max_total\":[1]}", "max_total: must be a string or a number");
}

static void
other_types_are_refused(void **state)
{
	(void)state;
	assert_refused("{\"parent\":true}", "parent: must be a string or a number");
	assert_refused("{\"parent\":{}}", "parent: must be a string or a number");
	assert_refused("{\"activity\":[\"output\",null]}", "activity: must be");
	assert_refused("{\"argv\":\"make\"}", "argv: must be an array of strings");
	assert_refused("{\"argv\":[1]}", "argv: must be an array of strings");
}

static void
many_words_find_room(void **state)
{
	json_t *argv = json_array(), *object = json_pack("{s:o}", "argv", argv);
	struct fields f = {NULL, 0, 0};
	struct fault fault;

	(void)state;
	for (int i = 0; i < 1000; i++)
		json_array_append_new(argv, json_string("x"));
	assert_int_equal(fields_read(object, &f, &fault), 0);
	assert_int_equal(f.count, 1002);
	assert_null(f.words[1002]);
	fields_fini(&f);
	json_decref(object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_are_fields),
	    cmocka_unit_test(numbers_and_lists_are_written_out),
	    cmocka_unit_test(pairs_are_objects),
	    cmocka_unit_test(switches_are_true_or_false),
	    cmocka_unit_test(null_and_false_are_as_if_they_were_not_there),
	    cmocka_unit_test(what_is_unknown_is_refused_with_the_nearest),
	    cmocka_unit_test(lists_are_where_commas_may_stand),
	    cmocka_unit_test(other_types_are_refused),
	    cmocka_unit_test(many_words_find_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
