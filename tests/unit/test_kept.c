/*
 * test_kept: of each job that lives its last lines, and of all of them no more than there is room for.
 */
#include "server/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
say(struct kept *k, int64_t job, const char *text, size_t len)
{
	struct wire_progress m = {.job = (uint64_t)job, .last.len = (uint32_t)len};

	memcpy(m.last.text, text, len);
	assert_non_null(kept_add(k, kept_job(k, job, "p", "c"), &m));
}

static size_t
count(struct kept *k)
{
	struct kept_line *line = NULL;
	size_t n = 0;

	while ((line = kept_next_line(k, line)) != NULL)
		n++;
	return n;
}

static void
the_last_lines_of_each_job_are_kept(void **state)
{
	struct kept *k = kept_new();
	struct kept_line *line;
	char text[16];

	(void)state;
	for (int i = 0; i < KEPT_PER_JOB + 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		say(k, 1, text, strlen(text));
	}
	say(k, 2, "x", 1);
	assert_int_equal(count(k), KEPT_PER_JOB + 1);
	line = kept_next_line(k, NULL);
	assert_int_equal(line->job->number, 1);
	assert_int_equal(line->len, 2);
	assert_memory_equal(line->text, "10", 2);
	kept_free(k);
}

static void
what_is_forgotten_leaves_nothing(void **state)
{
	struct kept *k = kept_new();
	struct kept_job *job;

	(void)state;
	say(k, 1, "a", 1);
	say(k, 2, "b", 1);
	kept_forget(k, 1);
	kept_forget(k, 1);
	assert_int_equal(count(k), 1);
	job = kept_next_job(k, NULL);
	assert_int_equal(job->number, 2);
	assert_string_equal(job->parent, "p");
	assert_string_equal(job->child, "c");
	assert_null(kept_next_job(k, job));
	kept_free(k);
}

static void
the_oldest_of_all_give_way_when_there_is_no_room(void **state)
{
	static const char text[WIRE_LINE_MAX];
	struct kept *k = kept_new();
	struct kept_line *line = NULL;
	size_t size = 0;

	(void)state;
	for (int64_t job = 1; job <= 1000; job++)
		for (int i = 0; i < KEPT_PER_JOB; i++)
			say(k, job, text, sizeof(text));
	while ((line = kept_next_line(k, line)) != NULL)
		size += sizeof(*line) + line->len;
	assert_true(size <= KEPT_SIZE_MAX && size > KEPT_SIZE_MAX - 4096);
	line = kept_next_line(k, NULL);
	assert_true(line->job->number > 1);
	kept_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_lines_of_each_job_are_kept),
	    cmocka_unit_test(what_is_forgotten_leaves_nothing),
	    cmocka_unit_test(the_oldest_of_all_give_way_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
