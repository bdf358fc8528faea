/*
 * test_record: each way a job can end gives the right status and reason; what is not known is
 * null; no record is longer than PIPE_BUF, whatever is in it.
 */
#include "server/record.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXITED(code) ((code) << 8)

static const struct store_job job = {.job = 17,
    .run = 2,
    .parent = "build",
    .child = "lint",
    .queued_ms = 1000,
    .limits = {.max_total_ns = 10 * NSEC_PER_SEC,
	.max_idle_ns = 900 * NSEC_PER_SEC,
	.max_output = 65536}};

static void
set_line(struct wire_line *line, const char *text)
{
	line->len = (uint32_t)strlen(text);
	memcpy(line->text, text, line->len);
}

static json_t *
make(const struct record *r, char **ret_line)
{
	char *line = record_make(r);
	json_t *o;

	assert_non_null(line);
	assert_true(strlen(line) + 1 <= PIPE_BUF);
	assert_null(strchr(line, '\n'));
	o = json_loads(line, 0, NULL);
	assert_non_null(o);
	if (ret_line != NULL)
		*ret_line = line;
	else
		free(line);
	return o;
}

static void
each_end_has_its_status(void **state)
{
	static const struct {
		uint32_t cause;
		int wait_status;
		enum status status;
		const char *error;
	} ends[] = {
	    {WIRE_CAUSE_NONE, EXITED(0), STATUS_COMPLETED, ""},
	    {WIRE_CAUSE_NONE, EXITED(3), STATUS_ERROR, "exited with code 3"},
	    {WIRE_CAUSE_NONE, SIGSEGV, STATUS_ERROR, "killed by signal SEGV"},
	    {WIRE_CAUSE_NONE, SIGSEGV | 0x80, STATUS_ERROR, "killed by signal SEGV (core dumped)"},
	    {WIRE_CAUSE_CANCEL, SIGTERM, STATUS_CANCELLED, "cancelled while it ran"},
	    {WIRE_CAUSE_TOTAL, EXITED(0), STATUS_TIMEOUT,
		"total timeout: ran for 10.2 s (max_total 10s)"},
	    {WIRE_CAUSE_IDLE, SIGKILL, STATUS_TIMEOUT,
		"idle timeout: no activity for 900.2 s (max_idle 15m); last: tool=grep "
		"phase=begin round=12"},
	    {WIRE_CAUSE_TRIGGER, SIGTERM, STATUS_TIMEOUT,
		"watchdog triggered: it said WATCHDOG=trigger after 10.2 s; last: tool=grep "
		"phase=begin round=12"},
	    {WIRE_CAUSE_OUTPUT, EXITED(0), STATUS_ERROR,
		"output limit: wrote more than max_output (65536 bytes)"},
	    {WIRE_CAUSE_NONE, WIRE_WAIT_UNKNOWN, STATUS_LOST, "lost: how it ended cannot be known"},
	};
	char error[512];

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct wire_ended ended = {.cause = ends[i].cause,
		    .wait_status = ends[i].wait_status,
		    .verdict_ns = 10200 * NSEC_PER_MSEC,
		    .max_total_ns = 10 * NSEC_PER_SEC,
		    .idle_ns = 900210 * NSEC_PER_MSEC};

		set_line(&ended.last, "tool=grep phase=begin round=12");
		assert_int_equal(record_judge(&job, &ended, error, sizeof(error)), ends[i].status);
		assert_string_equal(error, ends[i].error);
	}
}

static void
a_death_by_the_limit_of_processor_time_says_so(void **state)
{
	static const struct {
		int wait_status;
		uint64_t cpu_ms;
		bool was_killed;
		const char *error;
	} ends[] = {
	    {SIGXCPU, 1990, false, "killed by signal XCPU (max_cpu 2s)"},
	    {SIGXCPU | 0x80, 2000, false, "killed by signal XCPU (max_cpu 2s) (core dumped)"},
	    {SIGKILL, 2990, false,
		"killed by signal KILL after 3.0 s of processor time (max_cpu 2s)"},
	    {SIGKILL, 1500, false,
		"killed by signal KILL after 1.5 s of processor time (max_cpu 2s)"},
	    /* Somebody else's, or ours. */
	    {SIGKILL, 1490, false, "killed by signal KILL"},
	    {SIGKILL, 2990, true, "killed by signal KILL"},
	    {SIGSEGV, 2990, false, "killed by signal SEGV"},
	};
	struct store_job limited = job, unlimited = job;
	char error[512];

	(void)state;
	limited.limits.max_cpu_ns = 2 * NSEC_PER_SEC;
	unlimited.limits.max_cpu_ns = WATCHDOG_OFF;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct wire_ended ended = {.wait_status = ends[i].wait_status,
		    .cpu_ns = ends[i].cpu_ms * NSEC_PER_MSEC,
		    .was_killed = ends[i].was_killed};

		assert_int_equal(record_judge(&limited, &ended, error, sizeof(error)),
		    STATUS_ERROR);
		assert_string_equal(error, ends[i].error);
		record_judge(&unlimited, &ended, error, sizeof(error));
		assert_null(strstr(error, "max_cpu"));
	}
}

static void
limits_that_cannot_be_set_are_named(void **state)
{
	struct limits limits;
	char text[256];

	(void)state;
	limits_default(&limits);
	record_blame_limits(&limits, EPERM, text, sizeof(text));
	assert_string_equal(text, "");
	limits.nice = -5;
	limits.max_memory = UINT64_C(64) << 20;
	limits.max_open_files = 99;
	record_blame_limits(&limits, EACCES, text, sizeof(text));
	assert_string_equal(text, " (nice -5)");
	record_blame_limits(&limits, EPERM, text, sizeof(text));
	assert_string_equal(text, " (max_memory 64M, max_open_files 99)");
	record_blame_limits(&limits, EINVAL, text, sizeof(text));
	assert_string_equal(text, " (nice -5, max_memory 64M, max_open_files 99)");
}

static void
what_is_not_known_is_null(void **state)
{
	static const char *const keys[] = {"exit_code", "signal", "started_at", "elapsed_ms",
	    "idle_ms", "last_event", "containment", "cpu_ms", "max_rss_kb"};
	struct record r = {.job = &job,
	    .seq = 42,
	    .status = STATUS_ERROR,
	    .error = "no",
	    .stage = "exec",
	    .start_error = ENOENT,
	    .ended_ms = 2000,
	    .output = "/o",
	    .result = "/r"};
	json_t *o = make(&r, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_true(json_is_null(json_object_get(o, keys[i])));
	assert_true(json_is_false(json_object_get(o, "ran")));
	assert_string_equal(json_string_value(json_object_get(o, "errno")), "ENOENT");
	assert_string_equal(json_string_value(json_object_get(o, "stage")), "exec");
	json_decref(o);
	r.status = STATUS_LOST;
	r.stage = NULL;
	o = make(&r, NULL);
	assert_true(json_is_null(json_object_get(o, "ran")));
	json_decref(o);
}

static void
a_message_that_is_cut_says_so(void **state)
{
	struct wire_line line = {0};
	char text[300];
	json_t *event;

	(void)state;
	memset(text, 'x', 257);
	text[257] = '\0';
	set_line(&line, text);
	event = record_last_event(&line);
	assert_int_equal(json_string_length(json_object_get(event, "message")), 256);
	assert_true(json_is_true(json_object_get(event, "cut")));
	json_decref(event);
	line.len = 256;
	event = record_last_event(&line);
	assert_int_equal(json_string_length(json_object_get(event, "message")), 256);
	assert_null(json_object_get(event, "cut"));
	json_decref(event);
}

static void
what_survives_is_named(void **state)
{
	struct wire_ended ended = {.cause = WIRE_CAUSE_CANCEL,
	    .wait_status = WIRE_WAIT_UNKNOWN,
	    .containment = WIRE_CONTAIN_SUBREAPER,
	    .survivor_count = WIRE_SURVIVORS_MAX + 3};
	struct record r = {.job = &job,
	    .status = STATUS_CANCELLED,
	    .ended = &ended,
	    .output = "/o",
	    .result = "/r"};
	json_t *o, *list;

	(void)state;
	for (int i = 0; i < WIRE_SURVIVORS_MAX; i++)
		ended.survivors[i] = 100 + i;
	o = make(&r, NULL);
	list = json_object_get(o, "unkillable");
	assert_int_equal(json_array_size(list), WIRE_SURVIVORS_MAX);
	assert_int_equal(json_integer_value(json_array_get(list, 1)), 101);
	assert_true(json_is_null(json_object_get(o, "exit_code")));
	assert_true(json_is_null(json_object_get(o, "signal")));
	assert_string_equal(json_string_value(json_object_get(o, "containment")), "subreaper");
	json_decref(o);
	ended.survivor_count = 0;
	o = make(&r, NULL);
	assert_null(json_object_get(o, "unkillable"));
	json_decref(o);
}

static void
a_record_is_never_torn(void **state)
{
	char error[3000], output[1500];
	struct wire_ended ended = {.wait_status = EXITED(1)};
	struct record r = {.job = &job,
	    .status = STATUS_ERROR,
	    .error = error,
	    .ended = &ended,
	    .output = output,
	    .result = output};
	json_t *o;

	(void)state;
	/* Each byte of it takes six in JSON, each sign of it three bytes. */
	memset(error, 1, sizeof(error) - 1);
	for (size_t i = 0; i + 3 < 300; i += 3)
		memcpy(error + i, "\xe2\x82\xac", 3);
	error[sizeof(error) - 1] = '\0';
	memset(output, 'x', sizeof(output) - 1);
	output[sizeof(output) - 1] = '\0';
	memset(ended.last.text, 2, WIRE_LINE_MAX);
	ended.last.len = WIRE_LINE_MAX;
	o = make(&r, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "output")), output);
	assert_string_equal(json_string_value(json_object_get(o, "child")), "lint");
	json_decref(o);
}

static void
bytes_that_are_no_text_do_no_harm(void **state)
{
	static const char *const lines[] = {"\xff\xfe", "{\"tool\":\"\xff\"}", "{\"tool\":5}",
	    "{broken", "{}", "tool=\xff"};
	struct wire_ended ended = {0};
	struct record r = {.job = &job,
	    .error = "\xff",
	    .ended = &ended,
	    .output = "\xff",
	    .result = ""};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		set_line(&ended.last, lines[i]);
		json_decref(make(&r, NULL));
	}
}

static void
a_json_line_is_an_event(void **state)
{
	struct wire_line line = {0};
	json_t *event;

	(void)state;
	set_line(&line, "{\"tool\":\"grep\",\"round\":12,\"progress\":0.5,\"other\":[1]}");
	event = record_last_event(&line);
	assert_string_equal(json_string_value(json_object_get(event, "tool")), "grep");
	assert_int_equal(json_integer_value(json_object_get(event, "round")), 12);
	assert_int_equal(json_object_size(event), 3);
	json_decref(event);
	line.len = 0;
	assert_null(record_last_event(&line));
}

static void
json_and_words_say_the_same(void **state)
{
	static const struct {
		const char *line, *event;
	} lines[] = {
	    {"tool=a phase=b round=3 progress=0.25 message=c d",
		"{\"tool\":\"a\",\"phase\":\"b\",\"round\":3,\"progress\":0.25,"
		"\"message\":\"c d\"}"},
	    {" {\"message\":\"c d\",\"progress\":0.25,\"round\":3,\"phase\":\"b\",\"tool\":\"a\"}\r",
		"{\"tool\":\"a\",\"phase\":\"b\",\"round\":3,\"progress\":0.25,"
		"\"message\":\"c d\"}"},
	    {"progress=25%", "{\"progress\":0.25}"},
	    {"{\"progress\":40}", "{\"progress\":40.0}"},
	    {"{\"progress\":-1,\"tool\":\"a\"}", "{\"tool\":\"a\"}"},
	    {"{\"progress\":\"1\",\"tool\":\"a\"}", "{\"tool\":\"a\"}"},
	    {"{\"round\":1.5,\"tool\":\"a\"}", "{\"tool\":\"a\"}"},
	    {"{\"round\":-1,\"tool\":\"a\"}", "{\"tool\":\"a\"}"},
	    {"{\"round\":0}", "{\"round\":0}"},
	    {"{\"tool\":null,\"message\":\"a\\u001bb\\nc\"}", "{\"message\":\"a?b?c\"}"},
	    {"extend_usec=5000000 tool=a", "{\"tool\":\"a\"}"},
	    /* What has none of the names, or is no object, is a message as it stands. */
	    {"{\"other\":1}", "{\"message\":\"{\\\"other\\\":1}\"}"},
	    {"{}", "{\"message\":\"{}\"}"},
	    {"[1]", "{\"message\":\"[1]\"}"},
	    {"{\"tool\":\"a\"} x", "{\"message\":\"{\\\"tool\\\":\\\"a\\\"} x\"}"},
	    {"{\"tool\":\"a\\u0000b\"}", "{\"message\":\"{\\\"tool\\\":\\\"a\\\\u0000b\\\"}\"}"},
	};
	struct wire_line line = {0};
	json_t *event;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		set_line(&line, lines[i].line);
		event = record_last_event(&line);
		text = json_dumps(event, JSON_COMPACT);
		assert_string_equal(text, lines[i].event);
		free(text);
		json_decref(event);
	}
	set_line(&line, "{\"tool\":\"a\"}");
	line.is_cut = 1;
	event = record_last_event(&line);
	assert_true(json_is_true(json_object_get(event, "cut")));
	json_decref(event);
}

static void
tsv_has_one_line_of_words(void **state)
{
	struct wire_ended ended = {.wait_status = EXITED(3), .elapsed_ns = 5 * NSEC_PER_MSEC};
	struct record r = {.job = &job,
	    .seq = 42,
	    .status = STATUS_ERROR,
	    .error = "a\tb\nc\\d",
	    .ended = &ended,
	    .output = "/o",
	    .result = "/r"};
	char *line, *tsv;

	(void)state;
	json_decref(make(&r, &line));
	tsv = record_to_tsv(line);
	assert_string_equal(tsv, "42\terror\tlint\t17\t3\t\t5\ta\\tb\\nc\\\\d");
	free(line);
	free(tsv);
}

static void
what_was_freed_is_said_where_it_fits(void **state)
{
	char error[5000];
	struct record r = {.job = &job,
	    .status = STATUS_ERROR,
	    .output = "/o",
	    .result = "/r",
	    .output_bytes = 100000,
	    .output_freed = 81920};
	json_t *o = make(&r, NULL);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(o, "output_freed")), 81920);
	json_decref(o);
	memset(error, 'x', sizeof(error) - 1);
	error[sizeof(error) - 1] = '\0';
	r.error = error;
	o = make(&r, NULL);
	assert_null(json_object_get(o, "output_freed"));
	json_decref(o);
	r.error = NULL;
	r.output_freed = 0;
	o = make(&r, NULL);
	assert_null(json_object_get(o, "output_freed"));
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_end_has_its_status),
	    cmocka_unit_test(a_death_by_the_limit_of_processor_time_says_so),
	    cmocka_unit_test(limits_that_cannot_be_set_are_named),
	    cmocka_unit_test(what_is_not_known_is_null),
	    cmocka_unit_test(a_message_that_is_cut_says_so),
	    cmocka_unit_test(what_survives_is_named),
	    cmocka_unit_test(a_record_is_never_torn),
	    cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
	    cmocka_unit_test(a_json_line_is_an_event),
	    cmocka_unit_test(json_and_words_say_the_same),
	    cmocka_unit_test(tsv_has_one_line_of_words),
	    cmocka_unit_test(what_was_freed_is_said_where_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
