/*
 * test_profile: what a profile says, also by those that it inherits from, and what of it is refused.
 */
#include "config/profile.h"

#include "base/clock.h"

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

/* A profile with, NULL ending them, keys and values. */
static const struct section *
add(const char *name, ...)
{
	struct section *p = sections_add(sections, SECTION_PROFILE, name, (int)sections->count + 1);
	const char *key;
	va_list ap;

	assert_non_null(p);
	va_start(ap, name);
	while ((key = va_arg(ap, const char *)) != NULL)
		assert_int_equal(section_add(p, key, va_arg(ap, const char *), 9), 0);
	va_end(ap);
	return p;
}

static void
the_nearest_value_counts(void **state)
{
	const struct section *from = NULL, *a, *b, *c;

	(void)state;
	a = add("a", "model", "ma", "max_idle", "1m", "nice", "3", NULL);
	b = add("b", "inherits", "a", "model", "mb", NULL);
	c = add("c", "inherits", "b", "max_idle", "off", NULL);
	assert_string_equal(profile_value(sections, c, "model"), "mb");
	assert_string_equal(profile_value(sections, a, "model"), "ma");
	assert_string_equal(profile_value(sections, c, "nice"), "3");
	assert_null(profile_value(sections, c, "approvals"));
	assert_null(profile_value(sections, NULL, "model"));
	assert_non_null(profile_find(sections, c, "nice", &from));
	assert_ptr_equal(from, a);
	assert_non_null(profile_find(sections, c, "model", &from));
	assert_ptr_equal(from, b);
}

static void
limits_go_over_those_that_are_there(void **state)
{
	struct limits l, before;
	const struct section *c;

	(void)state;
	limits_default(&before);
	before.kill_grace_ns = 77;
	l = before;
	profile_limits(sections, NULL, &l);
	assert_memory_equal(&l, &before, sizeof(l));
	add("a", "max_idle", "1m", "nice", "3", NULL);
	c = add("c", "inherits", "a", "nice", "-1", "max_total", "off", NULL);
	profile_limits(sections, c, &l);
	before.max_idle_ns = 60 * NSEC_PER_SEC;
	before.nice = -1;
	before.max_total_ns = WATCHDOG_OFF;
	assert_memory_equal(&l, &before, sizeof(l));
}

static void
variables_are_told_once_each(void **state)
{
	const struct section *c;

	(void)state;
	add("a", "env.X", "ax", "model", "m", "env.Y", "ay", NULL);
	c = add("c", "env.Y", "cy", "inherits", "a", "env.Z", "cz", NULL);
	assert_string_equal(profile_variable(sections, c, 0, NULL)->value, "cy");
	assert_string_equal(profile_variable(sections, c, 1, NULL)->value, "cz");
	assert_string_equal(profile_variable(sections, c, 2, NULL)->value, "ax");
	assert_null(profile_variable(sections, c, 3, NULL));
	assert_null(profile_variable(sections, NULL, 0, NULL));
}

static void
each_limit_of_a_job_is_a_key(void **state)
{
	const struct config_row *row;
	struct fault f;

	(void)state;
	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		bool is_there = false;

		assert_int_equal(profile_check(row->key, row->standard, &f), 0);
		assert_true(profile_check(row->key, "?", &f) < 0);
		for (size_t n = 0; profile_key(n) != NULL; n++)
			is_there = is_there || strcmp(profile_key(n), row->key) == 0;
		assert_true(is_there);
	}
	assert_int_equal(profile_check("max_running", "3", &f), -ENOENT);
	assert_int_equal(profile_check("keep", "3d", &f), -ENOENT);
}

static void
values_of_its_own_keys_are_checked(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(profile_check("approvals", "deny", &f), 0);
	assert_int_equal(profile_check("approvals", "never", &f), -EINVAL);
	assert_int_equal(profile_check("priority", "-100", &f), 0);
	assert_int_equal(profile_check("priority", "101", &f), -EINVAL);
	assert_int_equal(profile_check("priority", "+1", &f), -EINVAL);
	assert_int_equal(profile_check("priority", "1x", &f), -EINVAL);
	assert_int_equal(profile_check("priority", "-", &f), -EINVAL);
	assert_int_equal(profile_check("model", "a b", &f), 0);
	assert_int_equal(profile_check("model", "-a", &f), -EINVAL);
	assert_int_equal(profile_check("inherits", "a", &f), 0);
	assert_int_equal(profile_check("inherits", "a b", &f), -EINVAL);
	assert_int_equal(profile_check("disabled_tools", "a, b", &f), 0);
	assert_int_equal(profile_check("env.A", "x", &f), 0);
	assert_int_equal(profile_check("env.", "x", &f), -EINVAL);
	assert_int_equal(profile_check("env.A B", "x", &f), -EINVAL);
	assert_non_null(
	    strstr(f.text, "a blank in the name of a variable; write env.NAME = VALUE"));
	assert_int_equal(profile_check("env.a.b-c", "x", &f), 0);
	assert_int_equal(profile_check("env.SPAWND_JOB", "x", &f), -EINVAL);
	assert_int_equal(profile_check("env", "x", &f), -ENOENT);
	assert_int_equal(profile_check("tools", "x", &f), -ENOENT);
}

static void
circles_and_unknown_names_are_seen(void **state)
{
	struct fault f;
	const struct section *a, *b, *c, *d, *self, *fine;

	(void)state;
	fine = add("fine", NULL);
	a = add("a", "inherits", "b", NULL);
	b = add("b", "inherits", "c", NULL);
	c = add("c", "inherits", "a", NULL);
	d = add("d", "inherits", "a", NULL);
	self = add("self", "inherits", "self", NULL);
	assert_int_equal(profile_check_above(sections, fine, &f), 0);
	assert_int_equal(profile_check_above(sections, a, &f), -ELOOP);
	assert_non_null(strstr(f.text, "a from b from c from a"));
	assert_int_equal(profile_check_above(sections, b, &f), -ELOOP);
	assert_int_equal(profile_check_above(sections, c, &f), -ELOOP);
	assert_int_equal(profile_check_above(sections, d, &f), 0);
	assert_int_equal(profile_check_above(sections, self, &f), -ELOOP);
	a = add("e", "inherits", "nobody", NULL);
	assert_int_equal(profile_check_above(sections, a, &f), -ENOENT);
	assert_non_null(strstr(f.text, "there are fine, a, b"));
}

/* A row of profiles, each of which inherits from the one before it; returns the last of them. */
static const struct section *
add_row(const char *word, int length, const char *first_inherits)
{
	const struct section *last = NULL;
	char name[32], before[32];

	for (int i = 0; i < length; i++) {
		snprintf(before, sizeof(before), "%s%d", word, i - 1);
		snprintf(name, sizeof(name), "%s%d", word, i);
		if (i > 0)
			last = add(name, "inherits", before, NULL);
		else if (first_inherits != NULL)
			last = add(name, "inherits", first_inherits, NULL);
		else
			last = add(name, NULL);
	}
	return last;
}

static void
long_rows_of_profiles_are_refused(void **state)
{
	const struct section *last;
	struct fault f;

	(void)state;
	last = add_row("p", PROFILE_DEPTH_MAX + 1, NULL);
	assert_int_equal(profile_check_above(sections, last, &f), 0);
	last = add("over", "inherits", last->name, NULL);
	assert_int_equal(profile_check_above(sections, last, &f), -E2BIG);
	assert_non_null(strstr(f.text, "profile 'over' inherits from more than 32 others"));
	assert_non_null(strstr(f.text, "repeat their keys"));
	/* Also a circle that is too long to be seen as one; whoever leads into a short one is not at fault. */
	last = add_row("q", PROFILE_DEPTH_MAX + 5, "q36");
	assert_int_equal(profile_check_above(sections, last, &f), -E2BIG);
	add("here", "inherits", "there", NULL);
	add("there", "inherits", "here", NULL);
	last = add_row("r", 20, "here");
	assert_int_equal(profile_check_above(sections, last, &f), 0);
}

static void
limits_are_shown_as_settings_are(void **state)
{
	const struct section *a = add("a", "max_idle", "90", "model", "90", NULL);
	char text[64];

	(void)state;
	profile_format(&a->entries[0], text, sizeof(text));
	assert_string_equal(text, "90s");
	profile_format(&a->entries[1], text, sizeof(text));
	assert_string_equal(text, "90");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_nearest_value_counts, make, drop),
	    cmocka_unit_test_setup_teardown(limits_go_over_those_that_are_there, make, drop),
	    cmocka_unit_test_setup_teardown(variables_are_told_once_each, make, drop),
	    cmocka_unit_test(each_limit_of_a_job_is_a_key),
	    cmocka_unit_test(values_of_its_own_keys_are_checked),
	    cmocka_unit_test_setup_teardown(circles_and_unknown_names_are_seen, make, drop),
	    cmocka_unit_test_setup_teardown(long_rows_of_profiles_are_refused, make, drop),
	    cmocka_unit_test_setup_teardown(limits_are_shown_as_settings_are, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
