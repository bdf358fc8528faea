/*
 * test_trouble: what is said of a trouble, and that its log does not grow.
 */
#include "server/trouble.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#define PATH "/state/spawnd.db"
#define SECOND NSEC_PER_SEC

/* Standard error, while a test runs. */
static FILE *caught;
static int usual;

static int
catch_log(void **state)
{
	(void)state;
	caught = tmpfile();
	usual = dup(STDERR_FILENO);
	return caught == NULL || dup2(fileno(caught), STDERR_FILENO) < 0 ? -1 : 0;
}

static int
release_log(void **state)
{
	(void)state;
	dup2(usual, STDERR_FILENO);
	close(usual);
	return fclose(caught);
}

/* How many lines have these words. */
static int
lines_with(const char *words)
{
	char line[4096];
	int count = 0;

	rewind(caught);
	while (fgets(line, sizeof(line), caught) != NULL)
		count += strstr(line, words) != NULL;
	fseek(caught, 0, SEEK_END);
	return count;
}

static void
it_names_thing_fault_and_mend(void **state)
{
	struct trouble t = {0};

	(void)state;
	trouble_begin(&t, SECOND, PATH, -ENOSPC, "database or disk is full", "all waits");
	assert_true(t.is_on);
	assert_string_equal(t.fault.text,
	    PATH ": database or disk is full; make room on its file system");
	trouble_begin(&t, SECOND, PATH, -EROFS, PATH ": cannot be written to; do this",
	    "all waits");
	assert_string_equal(t.fault.text, PATH ": cannot be written to; do this");
	trouble_begin(&t, SECOND, PATH, -EIO, "", "all waits");
	assert_string_equal(t.fault.text, PATH ": Input/output error; see to its disk");
	assert_int_equal(lines_with("trying again; meanwhile all waits"), 3);
}

static void
the_same_is_logged_once_a_minute(void **state)
{
	struct trouble t = {0};

	(void)state;
	for (uint64_t i = 0; i < 600; i++)
		trouble_begin(&t, (100 + i / 10) * SECOND, PATH, -EBUSY, "locked", "all waits");
	assert_int_equal(lines_with("locked"), 1);
	trouble_begin(&t, 160 * SECOND, PATH, -EBUSY, "locked", "all waits");
	assert_int_equal(lines_with("locked"), 2);
	assert_int_equal(lines_with("599 more times"), 1);
	trouble_begin(&t, 161 * SECOND, PATH, -EIO, "broken", "all waits");
	assert_int_equal(lines_with("broken"), 1);
}

static void
one_that_comes_and_goes_is_logged_once_a_minute(void **state)
{
	struct trouble t = {0};

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		trouble_begin(&t, (100 + i) * SECOND, PATH, -ENOSPC, "full", "all waits");
		assert_true(t.is_on);
		trouble_end(&t);
		assert_false(t.is_on);
	}
	assert_int_equal(lines_with("full"), 1);
	assert_int_equal(lines_with("the store works again"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, catch_log, release_log)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_names_thing_fault_and_mend),
	    TEST(the_same_is_logged_once_a_minute),
	    TEST(one_that_comes_and_goes_is_logged_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
