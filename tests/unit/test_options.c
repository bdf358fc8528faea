/*
 * Promises of cli/options: what is taken, what is refused, and where options end.
 */
#include "cli/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct command enqueue = {"enqueue", COMMAND_ENQUEUE, "COMMAND", 1, COMMAND_ANY, "",
    NULL};
static const struct command wait_command = {"wait", COMMAND_WAIT, "[CHILD...]", 0, COMMAND_ANY, "",
    NULL};
static const struct command logs = {"logs", COMMAND_LOGS, "CHILD", 1, 1, "", NULL};
static const struct command next = {"next", COMMAND_NEXT, "", 0, 0, "", NULL};

#define MAX_WORDS 16

/*
 * Parses the words, which getopt_long(3) may put in another order, and must be kept until they
 * are no longer used.
 */
static int
parse(struct options *o, const struct command *command, char *words[MAX_WORDS])
{
	int argc = 0;

	while (words[argc] != NULL)
		argc++;
	return options_parse(o, command, argc, words);
}

#define WORDS(...) ((char *[MAX_WORDS]){"command", __VA_ARGS__, NULL})

static void
options_of_enqueue_end_at_the_command(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("-p", "P", "ls", "--json", "-c", "x")), 0);
	assert_string_equal(o.value[OPTION_PARENT], "P");
	assert_null(o.value[OPTION_JSON]);
	assert_null(o.value[OPTION_CHILD]);
	assert_int_equal(o.operand_count, 4);
	assert_string_equal(o.operands[0], "ls");
	assert_null(o.operands[4]);
	options_fini(&o);
}

static void
two_dashes_end_options_and_are_no_operand(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("--json", "--", "--json", "--", "x")), 0);
	assert_string_equal(o.value[OPTION_JSON], "");
	assert_int_equal(o.operand_count, 3);
	assert_string_equal(o.operands[0], "--json");
	assert_string_equal(o.operands[1], "--");
	options_fini(&o);
}

static void
options_of_other_commands_may_follow_operands(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &logs, WORDS("child", "-f", "-n", "5")), 0);
	assert_non_null(o.value[OPTION_FOLLOW]);
	assert_string_equal(o.value[OPTION_LINES], "5");
	assert_string_equal(o.operands[0], "child");
	options_fini(&o);
}

static void
options_of_other_commands_are_refused(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &wait_command, WORDS("--meta", "a=b")), -EINVAL);
	assert_int_equal(parse(&o, &wait_command, WORDS("-c", "x")), -EINVAL);
	assert_int_equal(parse(&o, &wait_command, WORDS("--max-idle", "5")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("--timeout", "5", "ls")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("--no-such", "ls")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("-z", "ls")), -EINVAL);
}

static void
values_that_are_missing_or_too_many_are_refused(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("--parent")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("-p")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("--json=1", "ls")), -EINVAL);
}

static void
operands_are_counted(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("--json")), -EINVAL);
	assert_int_equal(parse(&o, &logs, WORDS("a", "b")), -EINVAL);
	assert_int_equal(parse(&o, &next, WORDS("a")), -EINVAL);
	assert_int_equal(parse(&o, &wait_command, WORDS("--timeout", "5")), 0);
	options_fini(&o);
}

static void
help_needs_no_operands(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &logs, WORDS("--help")), 0);
	assert_non_null(o.value[OPTION_HELP]);
	options_fini(&o);
	assert_int_equal(parse(&o, &enqueue, WORDS("-h")), 0);
	assert_non_null(o.value[OPTION_HELP]);
	options_fini(&o);
}

static void
ids_are_checked(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("-p", "a b", "ls")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("-c", ".x", "ls")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("-c", "", "ls")), -EINVAL);
}

static void
names_with_values_are_kept_in_order(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue,
			     WORDS("--env", "A=1", "--meta", "k=", "--env", "A=2=3", "ls")),
	    0);
	assert_int_equal(o.env.count, 2);
	assert_string_equal(o.env.items[0], "A=1");
	assert_string_equal(o.env.items[1], "A=2=3");
	assert_int_equal(o.meta.count, 1);
	options_fini(&o);
	assert_int_equal(parse(&o, &enqueue, WORDS("--env", "A", "ls")), -EINVAL);
	assert_int_equal(parse(&o, &enqueue, WORDS("--meta", "=1", "ls")), -EINVAL);
}

/* The usage of a command, to be free(3)d. */
static char *
usage(const struct command *command)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	options_usage(command, out);
	fclose(out);
	return text;
}

static void
every_setting_of_a_job_is_an_option(void **state)
{
	const struct config_row *row;
	char name[64];
	struct options o;
	size_t i;

	(void)state;
	for (i = 0; (row = config_limit(i)) != NULL; i++) {
		assert_true(i < CONFIG_LIMITS_MAX);
		snprintf(name, sizeof(name), "--%s", row->key);
		for (char *c = name; *c != '\0'; c++)
			*c = *c == '_' ? '-' : *c;
		assert_int_equal(parse(&o, &enqueue,
				     WORDS(name, (char *)(uintptr_t)row->standard, "ls")),
		    0);
		assert_string_equal(o.limit[i], row->standard);
		options_fini(&o);
		assert_int_equal(parse(&o, &enqueue, WORDS(name, "no such value", "ls")), -EINVAL);
	}
	assert_int_equal(i, 16);
}

static void
limits_are_options_by_name(void **state)
{
	static const char *const names[] = {"--max-total", "--max-extend", "--leftovers", "--nice",
	    "--max-memory", "--max-processes", "--max-open-files", "--max-cpu", "--max-output",
	    "--on-output-limit"};
	struct options o;
	char *text = usage(&enqueue);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(text, names[i]));
	/* What is the whole daemon's is none. */
	assert_null(strstr(text, "--containment"));
	assert_int_equal(parse(&o, &enqueue, WORDS("--containment", "auto", "ls")), -EINVAL);
	free(text);
}

static void
numbers_have_bounds(void **state)
{
	struct options o;
	int64_t n = 7;

	(void)state;
	assert_int_equal(parse(&o, &logs, WORDS("x")), 0);
	assert_int_equal(options_number(&o, OPTION_LINES, 0, 10, &n), 0);
	assert_int_equal(n, 7);
	options_fini(&o);
	assert_int_equal(parse(&o, &logs, WORDS("x", "-n", "10")), 0);
	assert_int_equal(options_number(&o, OPTION_LINES, 0, 10, &n), 0);
	assert_int_equal(n, 10);
	assert_int_not_equal(options_number(&o, OPTION_LINES, 0, 9, &n), 0);
	options_fini(&o);
	assert_int_equal(parse(&o, &logs, WORDS("x", "-n", "1x")), 0);
	assert_int_not_equal(options_number(&o, OPTION_LINES, 0, 9, &n), 0);
	options_fini(&o);
}

static void
durations_become_milliseconds_rounded_up(void **state)
{
	struct options o;
	int64_t ms;

	(void)state;
	assert_int_equal(parse(&o, &next, WORDS("--json")), -EINVAL);
	assert_int_equal(parse(&o, &next, WORDS("--timeout", "1.5s")), 0);
	assert_int_equal(options_duration_ms(&o, OPTION_TIMEOUT, &ms), 0);
	assert_int_equal(ms, 1500);
	options_fini(&o);
	assert_int_equal(parse(&o, &next, WORDS("--timeout", "0.0001")), 0);
	assert_int_equal(options_duration_ms(&o, OPTION_TIMEOUT, &ms), 0);
	assert_int_equal(ms, 1);
	options_fini(&o);
	assert_int_equal(parse(&o, &next, WORDS("--timeout", "off")), 0);
	assert_int_equal(options_duration_ms(&o, OPTION_TIMEOUT, &ms), 0);
	assert_int_equal(ms, -1);
	options_fini(&o);
	assert_int_equal(parse(&o, &next, WORDS("--timeout", "soon")), 0);
	assert_int_not_equal(options_duration_ms(&o, OPTION_TIMEOUT, &ms), 0);
	options_fini(&o);
}

static void
inside_a_job_the_parent_is_the_job(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &enqueue, WORDS("ls")), 0);
	unsetenv("SPAWND_CHILD");
	assert_null(options_parent(&o));
	setenv("SPAWND_CHILD", "me", 1);
	assert_string_equal(options_parent(&o), "me");
	options_fini(&o);
	assert_int_equal(parse(&o, &enqueue, WORDS("-p", "other", "ls")), 0);
	assert_string_equal(options_parent(&o), "other");
	options_fini(&o);
	unsetenv("SPAWND_CHILD");
}

static void
usage_shows_the_options_of_that_command_only(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	options_usage(&enqueue, out);
	fclose(out);
	assert_non_null(strstr(text, "-p, --parent X"));
	assert_non_null(strstr(text, "--max-idle VALUE"));
	assert_non_null(strstr(text, "-h, --help"));
	assert_null(strstr(text, "--timeout"));
	free(text);
}

static void
usage_names_the_words_that_a_setting_takes(void **state)
{
	const struct config_row *row;
	char *text = usage(&enqueue);

	(void)state;
	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		for (const char *const *w = row->words; w != NULL && *w != NULL; w++)
			assert_non_null(strstr(text, *w));
	}
	assert_non_null(strstr(text, "any of heartbeat,output\n"));
	assert_non_null(strstr(text, "one of start, first-beat\n"));
	assert_non_null(strstr(text, "one of kill, wait, leave\n"));
	free(text);
}

static void
usage_ends_no_line_with_a_blank(void **state)
{
	static const struct command *const commands[] = {&enqueue, &wait_command, &logs, &next};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		char *text = usage(commands[i]);

		assert_null(strstr(text, " \n"));
		free(text);
	}
}

static void
usage_says_what_a_child_is_where_one_is_named(void **state)
{
	char *of_logs = usage(&logs), *of_next = usage(&next);

	(void)state;
	assert_non_null(strstr(of_logs, "CHILD is a child's id, or a job's number"));
	assert_null(strstr(of_next, "CHILD is"));
	free(of_logs);
	free(of_next);
}

static void
list_and_cancel_have_no_parent_but_the_one_given(void **state)
{
	static const struct command list = {"list", COMMAND_LIST, "", 0, 0, "", NULL};
	static const struct command cancel = {"cancel", COMMAND_CANCEL, "[CHILD...]", 0,
	    COMMAND_ANY, "", NULL};
	char *of_list = usage(&list), *of_cancel = usage(&cancel), *of_next = usage(&next);

	(void)state;
	assert_null(strstr(of_list, "inside a job"));
	assert_null(strstr(of_cancel, "inside a job"));
	assert_non_null(strstr(of_next, "inside a job"));
	free(of_list);
	free(of_cancel);
	free(of_next);
}

static void
who_never_starts_a_daemon_cannot_be_told_not_to(void **state)
{
	static const struct command stop = {"stop", COMMAND_STOP, "", 0, 0, "", NULL};
	static const struct command reload = {"reload", COMMAND_RELOAD, "", 0, 0, "", NULL};
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &stop, WORDS("--no-autostart")), -EINVAL);
	assert_int_equal(parse(&o, &reload, WORDS("--no-autostart")), -EINVAL);
	assert_int_equal(parse(&o, &next, WORDS("--no-autostart")), 0);
	options_fini(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_of_enqueue_end_at_the_command),
	    cmocka_unit_test(two_dashes_end_options_and_are_no_operand),
	    cmocka_unit_test(options_of_other_commands_may_follow_operands),
	    cmocka_unit_test(options_of_other_commands_are_refused),
	    cmocka_unit_test(values_that_are_missing_or_too_many_are_refused),
	    cmocka_unit_test(operands_are_counted),
	    cmocka_unit_test(help_needs_no_operands),
	    cmocka_unit_test(ids_are_checked),
	    cmocka_unit_test(names_with_values_are_kept_in_order),
	    cmocka_unit_test(every_setting_of_a_job_is_an_option),
	    cmocka_unit_test(limits_are_options_by_name),
	    cmocka_unit_test(numbers_have_bounds),
	    cmocka_unit_test(durations_become_milliseconds_rounded_up),
	    cmocka_unit_test(inside_a_job_the_parent_is_the_job),
	    cmocka_unit_test(usage_shows_the_options_of_that_command_only),
	    cmocka_unit_test(usage_names_the_words_that_a_setting_takes),
	    cmocka_unit_test(usage_ends_no_line_with_a_blank),
	    cmocka_unit_test(usage_says_what_a_child_is_where_one_is_named),
	    cmocka_unit_test(list_and_cancel_have_no_parent_but_the_one_given),
	    cmocka_unit_test(who_never_starts_a_daemon_cannot_be_told_not_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
