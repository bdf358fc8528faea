/*
 * test_config: the table of settings: its defaults, what each type takes, what it refuses and how it
 * says so, and that what config_format() writes is read back as the same.
 */
#include "config/config.h"

#include "base/clock.h"
#include "base/duration.h"
#include "wire/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config
defaults(void)
{
	struct config c;

	config_default(&c);
	return c;
}

static int
set(struct config *c, const char *section, const char *key, const char *text, struct fault *f)
{
	const struct config_row *row = config_find(section, key);

	assert_non_null(row);
	return config_set(c, row, text, f);
}

/* The text is refused with that error, the words hold `what`, and nothing is changed. */
static void
assert_refused(const char *section, const char *key, const char *text, int error, const char *what)
{
	struct config c = defaults(), before = defaults();
	struct fault f = {.text = ""};

	assert_int_equal(set(&c, section, key, text, &f), -error);
	if (strstr(f.text, what) == NULL)
		fail_msg("%s = %s: '%s' does not say '%s'", key, text, f.text, what);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void
every_default_of_the_table_is_valid(void **state)
{
	(void)state;
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		struct config c = defaults();
		struct fault f = {.text = ""};
		if (config_set(&c, row, row->standard, &f) != 0)
			fail_msg("%s: %s", row->key, f.text);
	}
}

static void
the_defaults_are_those_of_the_manual(void **state)
{
	struct config c = defaults();
	struct limits limits;

	(void)state;
	assert_int_equal(c.max_running, 8);
	assert_true(c.max_running_per_parent == CONFIG_UNLIMITED);
	assert_int_equal(c.queue_limit, 10000);
	assert_int_equal(c.max_depth, 4);
	assert_int_equal(c.orphans, ORPHANS_KEEP);
	assert_int_equal(c.durability, DURABILITY_FULL);
	assert_int_equal(c.keep_ns, 30 * 86400 * NSEC_PER_SEC);
	assert_int_equal(c.keep_jobs, 100000);
	assert_int_equal(c.is_autostart, 1);
	assert_int_equal(c.containment, WIRE_CONTAIN_AUTO);
	limits_default(&limits);
	assert_memory_equal(&c.limits, &limits, sizeof(limits));
}

static void
what_is_written_is_read_back(void **state)
{
	static const char *const texts[][3] = {
	    {"spawnd", "max_running", "32768"},
	    {"spawnd", "max_running_per_parent", "off"},
	    {"spawnd", "max_running_per_parent", "3"},
	    {"spawnd", "queue_limit", "1"},
	    {"spawnd", "max_depth", "0"},
	    {"spawnd", "orphans", "cancel"},
	    {"spawnd", "durability", "normal"},
	    {"spawnd", "keep", "1s"},
	    {"spawnd", "keep", "off"},
	    {"spawnd", "keep_jobs", "0"},
	    {"spawnd", "keep_jobs", "off"},
	    {"spawnd", "autostart", "no"},
	    {"watchdog", "max_total", "off"},
	    {"watchdog", "max_total", "1.5s"},
	    {"watchdog", "max_idle", "2h"},
	    {"watchdog", "check_interval", "1d"},
	    {"watchdog", "kill_signal", "INT"},
	    {"watchdog", "kill_grace", "0s"},
	    {"watchdog", "activity", "output"},
	    {"watchdog", "activity", "heartbeat,output"},
	    {"watchdog", "idle_from", "first-beat"},
	    {"watchdog", "max_extend", "1.5s"},
	    {"spawnd", "containment", "group"},
	    {"spawnd", "leftovers", "leave"},
	    {"limits", "nice", "-20"},
	    {"limits", "nice", "19"},
	    {"limits", "nice", "inherit"},
	    {"limits", "max_memory", "1M"},
	    {"limits", "max_memory", "1024T"},
	    {"limits", "max_memory", "1048577"},
	    {"limits", "max_processes", "4194304"},
	    {"limits", "max_processes", "off"},
	    {"limits", "max_open_files", "16"},
	    {"limits", "max_cpu", "1s"},
	    {"limits", "max_cpu", "off"},
	    {"limits", "max_output", "4K"},
	    {"limits", "max_output", "off"},
	    {"limits", "on_output_limit", "kill"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config c = defaults(), again = defaults();
		char text[128];
		assert_int_equal(set(&c, texts[i][0], texts[i][1], texts[i][2], NULL), 0);
		config_format(&c, config_find(texts[i][0], texts[i][1]), text, sizeof(text));
		assert_int_equal(set(&again, texts[i][0], texts[i][1], text, NULL), 0);
		assert_memory_equal(&c, &again, sizeof(c));
		if (strcmp(texts[i][2], "0s") != 0 && strcmp(texts[i][2], text) != 0)
			fail_msg("%s = %s was written as %s", texts[i][1], texts[i][2], text);
	}
}

static void
every_row_is_found_and_nothing_else(void **state)
{
	(void)state;
	for (const struct config_row *row = config_rows; row->key != NULL; row++)
		assert_ptr_equal(config_find(row->section, row->key), row);
	assert_null(config_find("spawnd", "max_idle"));
	assert_null(config_find("pool gpu", "max_running"));
}

static void
numbers_have_bounds(void **state)
{
	(void)state;
	assert_refused("spawnd", "max_running", "0", ERANGE,
	    "too small; write a whole number from 1");
	assert_refused("spawnd", "max_running", "32769", ERANGE, "too large");
	assert_refused("spawnd", "max_running", "99999999999999999999", ERANGE, "too large");
	assert_refused("spawnd", "max_running", "8x", EINVAL, "not a whole number");
	assert_refused("spawnd", "max_running", " 8", EINVAL, "not a whole number");
	assert_refused("spawnd", "max_running", "+8", EINVAL, "not a whole number");
	assert_refused("spawnd", "max_running", "-8", EINVAL, "not a whole number");
	assert_refused("spawnd", "max_running", "", EINVAL, "not a whole number");
	assert_refused("spawnd", "max_running", "off", EINVAL, "from 1 to 32768");
	assert_refused("spawnd", "max_running_per_parent", "x", EINVAL, "to 32768, or off");
	assert_refused("spawnd", "queue_limit", "10000001", ERANGE, "10000000");
	assert_refused("spawnd", "max_depth", "65", ERANGE, "64");
}

static void
durations_have_bounds(void **state)
{
	(void)state;
	assert_refused("watchdog", "max_idle", "1x", EINVAL,
	    "not a duration; write 90, 90s, 1.5m, 2h, 1d or off");
	assert_refused("watchdog", "max_idle", "", EINVAL, "not a duration");
	assert_refused("watchdog", "max_idle", "0", ERANGE, "use off for none");
	assert_refused("watchdog", "max_total", "0s", ERANGE, "use off for none");
	assert_refused("watchdog", "max_total", "0.0009", ERANGE, "too short");
	assert_refused("watchdog", "max_total", "101000d", ERANGE, "longer than 100 years");
	assert_refused("watchdog", "check_interval", "off", EINVAL, "cannot be off");
	assert_refused("watchdog", "check_interval", "25h", ERANGE, "at most 1d");
	assert_refused("watchdog", "kill_grace", "off", EINVAL, "cannot be off");
}

static void
the_least_limit_is_a_millisecond(void **state)
{
	struct config c = defaults();

	(void)state;
	assert_int_equal(set(&c, "watchdog", "max_total", "0.001", NULL), 0);
	assert_true(c.limits.max_total_ns == NSEC_PER_MSEC);
	assert_int_equal(set(&c, "watchdog", "kill_grace", "0", NULL), 0);
	assert_true(c.limits.kill_grace_ns == 0);
}

static void
words_are_checked(void **state)
{
	(void)state;
	assert_refused("spawnd", "durability", "ful", EINVAL, "full or normal");
	assert_refused("spawnd", "durability", "", EINVAL, "full or normal");
	assert_refused("spawnd", "autostart", "true", EINVAL, "yes or no");
	assert_refused("watchdog", "idle_from", "beat", EINVAL, "start or first-beat");
	assert_refused("watchdog", "activity", "", EINVAL, "heartbeat, output");
	assert_refused("watchdog", "activity", "heartbeat,", EINVAL, "''");
	assert_refused("watchdog", "activity", "heartbeat, outputs", EINVAL, "'outputs'");
	assert_refused("watchdog", "kill_signal", "TERMINATE", EINVAL, "not a signal");
	assert_refused("watchdog", "kill_signal", "0", EINVAL, "not a signal");
	assert_refused("watchdog", "kill_signal", "", EINVAL, "not a signal");
}

static void
sizes_and_amounts_have_bounds(void **state)
{
	(void)state;
	assert_refused("limits", "max_memory", "64m", EINVAL,
	    "not a size; write bytes, or 64K, 64M, 2G, 1T, from 1M to 1024T, or off");
	assert_refused("limits", "max_memory", "", EINVAL, "not a size");
	assert_refused("limits", "max_memory", "1023K", ERANGE, "too small; write");
	assert_refused("limits", "max_memory", "0", ERANGE, "or off");
	assert_refused("limits", "max_memory", "1025T", ERANGE, "too large");
	assert_refused("limits", "max_memory", "99999999999999999999", ERANGE, "too large");
	assert_refused("limits", "max_output", "4095", ERANGE, "from 4K");
	assert_refused("limits", "max_output", "1.5M", EINVAL, "not a size");
	assert_refused("limits", "max_processes", "0", ERANGE, "from 1 to 4194304, or off");
	assert_refused("limits", "max_processes", "4194305", ERANGE, "too large");
	assert_refused("limits", "max_processes", "1K", EINVAL, "not a whole number");
	assert_refused("limits", "max_open_files", "15", ERANGE, "from 16");
	assert_refused("limits", "max_cpu", "0.9s", ERANGE, "at least 1s");
	assert_refused("limits", "max_cpu", "0", ERANGE, "use off for none");
	assert_refused("watchdog", "max_extend", "off", EINVAL, "cannot be off");
}

static void
nice_values_have_bounds(void **state)
{
	struct config c = defaults();

	(void)state;
	assert_refused("limits", "nice", "-21", ERANGE,
	    "too small; write a whole number from -20 (first) to 19 (last), or inherit");
	assert_refused("limits", "nice", "20", ERANGE, "too large");
	assert_refused("limits", "nice", "off", EINVAL, "not a nice value");
	assert_refused("limits", "nice", "", EINVAL, "not a nice value");
	assert_refused("limits", "nice", "-", EINVAL, "not a nice value");
	assert_refused("limits", "nice", "+5", EINVAL, "not a nice value");
	assert_refused("limits", "nice", "--5", EINVAL, "not a nice value");
	assert_refused("limits", "nice", "5x", EINVAL, "not a nice value");
	assert_int_equal(set(&c, "limits", "nice", "-5", NULL), 0);
	assert_int_equal(c.limits.nice, -5);
}

/* The server hands the number of the word to the supervisor as it stands. */
static void
containments_are_numbered_as_on_the_wire(void **state)
{
	static const char *const words[WIRE_CONTAIN_COUNT] = {
	    [WIRE_CONTAIN_AUTO] = "auto",
	    [WIRE_CONTAIN_CGROUP] = "cgroup",
	    [WIRE_CONTAIN_SUBREAPER] = "subreaper",
	    [WIRE_CONTAIN_GROUP] = "group",
	};
	struct config c = defaults();

	(void)state;
	for (uint32_t i = 0; i < WIRE_CONTAIN_COUNT; i++) {
		assert_int_equal(set(&c, "spawnd", "containment", words[i], NULL), 0);
		assert_int_equal(c.containment, i);
	}
	assert_refused("spawnd", "containment", "", EINVAL, "auto or cgroup or");
}

static void
a_set_may_have_blanks_around_its_commas(void **state)
{
	struct config c = defaults();

	(void)state;
	assert_int_equal(set(&c, "watchdog", "activity", "output", NULL), 0);
	assert_int_equal(c.limits.activity, ACTIVITY_OUTPUT);
	assert_int_equal(set(&c, "watchdog", "activity", " output , heartbeat ", NULL), 0);
	assert_int_equal(c.limits.activity, ACTIVITY_OUTPUT | ACTIVITY_HEARTBEAT);
}

static void
limits_are_set_alone(void **state)
{
	struct limits limits;
	struct fault f;

	(void)state;
	limits_default(&limits);
	assert_int_equal(config_set_limit(&limits, config_find("watchdog", "max_idle"), "7s", &f),
	    0);
	assert_int_equal(limits.max_idle_ns, 7 * NSEC_PER_SEC);
	assert_int_equal(config_set_limit(&limits, config_find("watchdog", "kill_signal"), "SIGHUP",
			     &f),
	    0);
	assert_int_equal(limits.kill_signal, SIGHUP);
	assert_int_equal(config_set_limit(&limits, config_find("spawnd", "max_running"), "7", &f),
	    -EINVAL);
	assert_non_null(strstr(f.text, "single jobs"));
}

/* The rows of config_limit() are those whose value lies in struct limits, each once. */
static void
limits_are_counted_through(void **state)
{
	const struct config_row *row;
	struct limits limits, before;
	struct fault f;
	size_t count = 0;
	char text[64];

	(void)state;
	limits_default(&before);
	for (row = config_rows; row->key != NULL; row++) {
		limits = before;
		if (config_set_limit(&limits, row, row->standard, &f) != 0)
			continue;
		assert_ptr_equal(config_limit(count), row);
		config_format_limit(&limits, row, text, sizeof(text));
		assert_int_equal(config_set_limit(&limits, row, text, &f), 0);
		assert_memory_equal(&limits, &before, sizeof(limits));
		count++;
	}
	assert_null(config_limit(count));
	assert_true(count <= CONFIG_LIMITS_MAX);
	assert_int_equal(count, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_default_of_the_table_is_valid),
	    cmocka_unit_test(the_defaults_are_those_of_the_manual),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(every_row_is_found_and_nothing_else),
	    cmocka_unit_test(numbers_have_bounds),
	    cmocka_unit_test(durations_have_bounds),
	    cmocka_unit_test(the_least_limit_is_a_millisecond),
	    cmocka_unit_test(words_are_checked),
	    cmocka_unit_test(a_set_may_have_blanks_around_its_commas),
	    cmocka_unit_test(sizes_and_amounts_have_bounds),
	    cmocka_unit_test(nice_values_have_bounds),
	    cmocka_unit_test(containments_are_numbered_as_on_the_wire),
	    cmocka_unit_test(limits_are_set_alone),
	    cmocka_unit_test(limits_are_counted_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
