/*
 * test_event: each line of the feed is one JSON object with what a reader looks for.
 */
#include "server/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <cmocka.h>

static void
assert_line(char *line, const char *expected)
{
	json_t *o;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	json_decref(o);
	assert_string_equal(line, expected);
	free(line);
}

static void
a_row_begins_with_what_all_have(void **state)
{
	struct store_event e = {.seq = 7,
	    .at_ms = 1500,
	    .kind = "started",
	    .job = 3,
	    .parent = "p",
	    .child = "c",
	    .body = "{\"pid\":42}"};

	(void)state;
	assert_line(event_of_row(&e),
	    "{\"seq\":7,\"event\":\"started\",\"at\":\"1970-01-01T00:00:01.500Z\",\"job\":3,"
	    "\"parent\":\"p\",\"child\":\"c\",\"pid\":42}");
	e.body = "{}";
	assert_line(event_of_row(&e),
	    "{\"seq\":7,\"event\":\"started\",\"at\":\"1970-01-01T00:00:01.500Z\",\"job\":3,"
	    "\"parent\":\"p\",\"child\":\"c\"}");
	e.job = 0;
	e.parent = e.child = NULL;
	assert_line(event_of_row(&e),
	    "{\"seq\":7,\"event\":\"started\",\"at\":\"1970-01-01T00:00:01.500Z\",\"job\":null,"
	    "\"parent\":null,\"child\":null}");
}

static void
a_completion_is_its_record_and_a_time(void **state)
{
	const struct store_event e = {.seq = 7,
	    .at_ms = 0,
	    .kind = "completed",
	    .job = 3,
	    .parent = "p",
	    .child = "c",
	    .body = "{\"seq\":7,\"event\":\"completed\",\"x\":{}}"};

	(void)state;
	assert_line(event_of_row(&e),
	    "{\"seq\":7,\"event\":\"completed\",\"x\":{},\"at\":\"1970-01-01T00:00:00.000Z\"}");
}

/* A job with one line, "words" as they came. */
static char *
progress(const char *words, uint32_t skipped, bool is_kept)
{
	struct kept *k = kept_new();
	struct wire_progress m = {.job = 3,
	    .skipped = skipped,
	    .last.len = (uint32_t)strlen(words)};
	struct kept_job *job = kept_job(k, 3, "p", "c");
	char *line;

	memcpy(m.last.text, words, m.last.len);
	line = event_progress(job, kept_add(k, job, &m), is_kept);
	kept_free(k);
	return line;
}

#define PROGRESS \
	"{\"event\":\"progress\",\"at\":\"1970-01-01T00:00:00.000Z\",\"job\":3,\"parent\":\"p\"," \
	"\"child\":\"c\""

static void
a_line_of_progress_says_what_the_job_said(void **state)
{
	(void)state;
	assert_line(progress("tool=grep round=2 progress=0.1", 0, false),
	    PROGRESS ",\"tool\":\"grep\",\"round\":2,\"progress\":0.1}");
	assert_line(progress("{\"tool\":\"x\",\"event\":\"completed\",\"job\":9}", 0, false),
	    PROGRESS ",\"tool\":\"x\"}");
	assert_line(progress("it is \"well\"", 5, true),
	    PROGRESS ",\"message\":\"it is \\\"well\\\"\",\"skipped\":5,\"kept\":true}");
}

static void
silence_is_told_with_its_length(void **state)
{
	struct kept *k = kept_new();
	struct kept_job *job = kept_job(k, 3, "p", "c");

	(void)state;
	assert_line(event_idle(job, 0, true, 450),
	    "{\"event\":\"idle\",\"at\":\"1970-01-01T00:00:00.000Z\",\"job\":3,\"parent\":\"p\","
	    "\"child\":\"c\",\"idle_ms\":450}");
	assert_line(event_idle(job, 0, false, 0),
	    "{\"event\":\"active\",\"at\":\"1970-01-01T00:00:00.000Z\",\"job\":3,\"parent\":\"p\","
	    "\"child\":\"c\"}");
	kept_free(k);
}

static void
a_reply_says_where_to_go_on(void **state)
{
	size_t len;
	char *line = event_reset(12), *text = event_reply(line, 11, &len);

	(void)state;
	assert_string_equal(line, "{\"event\":\"feed_reset\",\"from_seq\":12}");
	assert_int_equal(len, strlen(text) + 1);
	assert_line(text,
	    "{\"parameters\":{\"event\":{\"event\":\"feed_reset\",\"from_seq\":12},\"seq\":11},"
	    "\"continues\":true}");
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_begins_with_what_all_have),
	    cmocka_unit_test(a_completion_is_its_record_and_a_time),
	    cmocka_unit_test(a_line_of_progress_says_what_the_job_said),
	    cmocka_unit_test(silence_is_told_with_its_length),
	    cmocka_unit_test(a_reply_says_where_to_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
