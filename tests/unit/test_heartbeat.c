/*
 * Units of watchdog/heartbeat.
 */
#include "watchdog/heartbeat.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned
feed(struct heartbeat *h, const char *text)
{
	return heartbeat_feed(h, text, strlen(text));
}

static void
assert_last(const struct heartbeat *h, const char *expected)
{
	assert_int_equal(h->last_len, strlen(expected));
	assert_memory_equal(h->last, expected, strlen(expected));
}

static void
test_lines_are_assembled_from_pieces(void **state)
{
	struct heartbeat h = {0};

	(void)state;
	assert_int_equal(feed(&h, "one"), 0);
	assert_int_equal(h.last_len, 0);
	assert_int_equal(feed(&h, " line\ntwo\nthr"), 2);
	assert_last(&h, "two");
	assert_int_equal(feed(&h, "ee"), 0);
	assert_int_equal(feed(&h, "\n"), 1);
	assert_last(&h, "three");
	assert_int_equal(heartbeat_feed(&h, NULL, 0), 0);
}

static void
test_empty_lines_do_not_count(void **state)
{
	struct heartbeat h = {0};

	(void)state;
	assert_int_equal(feed(&h, "\n\n\n"), 0);
	assert_int_equal(feed(&h, "a\n\n\n"), 1);
	assert_last(&h, "a");
	assert_int_equal(heartbeat_feed(&h, "\0\0\n\0", 4), 0);
	assert_last(&h, "a");
}

static void
test_nul_bytes_are_left_out(void **state)
{
	struct heartbeat h = {0};

	(void)state;
	assert_int_equal(heartbeat_feed(&h, "\0a\0\0b\0\n\0", 8), 1);
	assert_last(&h, "ab");
}

static void
test_long_lines_are_cut_and_say_so(void **state)
{
	struct heartbeat h = {0};
	char piece[1000];
	unsigned i;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	for (i = 0; i < 100; i++)
		assert_int_equal(heartbeat_feed(&h, piece, sizeof(piece)), 0);
	assert_int_equal(feed(&h, "\n"), 1);
	assert_int_equal(h.last_len, HEARTBEAT_LINE_MAX);
	assert_true(h.is_last_cut);
	assert_int_equal(feed(&h, "short\n"), 1);
	assert_false(h.is_last_cut);
	assert_last(&h, "short");
}

static void
test_a_line_of_the_limit_is_whole(void **state)
{
	struct heartbeat h = {0};
	char line[HEARTBEAT_LINE_MAX + 2];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[HEARTBEAT_LINE_MAX] = '\n';
	assert_int_equal(heartbeat_feed(&h, line, HEARTBEAT_LINE_MAX + 1), 1);
	assert_int_equal(h.last_len, HEARTBEAT_LINE_MAX);
	assert_false(h.is_last_cut);
	line[HEARTBEAT_LINE_MAX] = 'x';
	line[HEARTBEAT_LINE_MAX + 1] = '\n';
	assert_int_equal(heartbeat_feed(&h, line, sizeof(line)), 1);
	assert_true(h.is_last_cut);
}

static struct heartbeat_event
read_line(const char *line)
{
	struct heartbeat_event e;
	size_t len = strlen(line);
	/* Without a NUL behind it, so that the sanitizer sees whoever reads too far. */
	char *exact = malloc(len == 0 ? 1 : len);

	assert_non_null(exact);
	memcpy(exact, line, len);
	heartbeat_read(exact, len, false, &e);
	free(exact);
	return e;
}

static void
test_words_are_read_in_any_order(void **state)
{
	struct heartbeat_event e = read_line("round=12 tool=grep\tprogress=0.5  phase=begin");

	(void)state;
	assert_string_equal(e.tool, "grep");
	assert_string_equal(e.phase, "begin");
	assert_int_equal(e.round, 12);
	assert_true(e.progress > 0.49 && e.progress < 0.51);
	assert_string_equal(e.message, "");
	e = read_line("tool=x message=the rest, tool=y = all");
	assert_string_equal(e.tool, "x");
	assert_string_equal(e.message, "the rest, tool=y = all");
	assert_int_equal(e.round, -1);
	assert_true(e.progress < 0);
	assert_int_equal(e.extend_ns, 0);
}

static void
test_a_word_with_its_key_is_read_for_each_key(void **state)
{
	static const struct {
		const char *line;
		const char *tool, *phase, *message;
		int64_t round;
		double progress;
		uint64_t extend_ns;
	} cases[] = {
	    {"tool=", "", "", "", -1, -1, 0},
	    {"tool=a tool=b", "b", "", "", -1, -1, 0},
	    {"phase=end", "", "end", "", -1, -1, 0},
	    {"round=0", "", "", "", 0, -1, 0},
	    {"round=999999999999999999", "", "", "", 999999999999999999, -1, 0},
	    {"progress=0", "", "", "", -1, 0, 0},
	    {"progress=.25", "", "", "", -1, 0.25, 0},
	    {"progress=1.", "", "", "", -1, 1, 0},
	    {"progress=40", "", "", "", -1, 40, 0},
	    {"progress=50%", "", "", "", -1, 0.5, 0},
	    {"progress=100%", "", "", "", -1, 1, 0},
	    {"progress=12.5%", "", "", "", -1, 0.125, 0},
	    {"progress=250%", "", "", "", -1, 2.5, 0},
	    {"message=", "", "", "", -1, -1, 0},
	    {"message=a b", "", "", "a b", -1, -1, 0},
	    {"extend_usec=0", "", "", "", -1, -1, 0},
	    {"extend_usec=1", "", "", "", -1, -1, 1000},
	    {"tool=x extend_usec=2000000 message=m", "x", "", "m", -1, -1, 2000000000},
	    {"extend_usec=99999999999999999999999999999999", "", "", "", -1, -1,
		HEARTBEAT_EXTEND_MAX_NS},
	};
	struct heartbeat_event e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e = read_line(cases[i].line);
		assert_string_equal(e.tool, cases[i].tool);
		assert_string_equal(e.phase, cases[i].phase);
		assert_string_equal(e.message, cases[i].message);
		assert_int_equal(e.round, cases[i].round);
		assert_true(e.progress == cases[i].progress);
		assert_int_equal(e.extend_ns, cases[i].extend_ns);
	}
}

static void
test_other_text_is_the_message_as_a_whole(void **state)
{
	static const char *const lines[] = {"compiling main.c", "tool=grep and so on", "round=x",
	    "round=-1", "round=", "progress=.", "progress=1.2.3", "progress=nan", "tool", "=",
	    "progress=%", "progress=", "progress=5%%", "progress=-1", "progress=1e9",
	    "extend_usec=", "extend_usec=-1", "extend_usec=1s", "extend_usec=0x10",
	    "extend_usec=1.5", "Tool=grep", "tool =grep", "round=1234567890123456789",
	    "{\"tool\":\"grep\"}", "unknown=1"};
	struct heartbeat_event e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		e = read_line(lines[i]);
		assert_string_equal(e.message, lines[i]);
		assert_string_equal(e.tool, "");
		assert_string_equal(e.phase, "");
		assert_int_equal(e.round, -1);
		assert_true(e.progress < 0);
		assert_int_equal(e.extend_ns, 0);
	}
}

static void
assert_asks(const char *data, size_t len, uint64_t expected_ns)
{
	struct heartbeat whole = {0}, split = {0};
	size_t i;

	heartbeat_feed(&whole, data, len);
	assert_int_equal(heartbeat_take_extend_ns(&whole), expected_ns);
	assert_int_equal(heartbeat_take_extend_ns(&whole), 0);
	for (i = 0; i < len; i++)
		heartbeat_feed(&split, data + i, 1);
	assert_int_equal(heartbeat_take_extend_ns(&split), expected_ns);
}

static void
test_whole_lines_of_words_ask_for_more_time(void **state)
{
	static const struct {
		const char *lines;
		uint64_t ns;
	} cases[] = {
	    {"extend_usec=5\n", 5000},
	    {"extend_usec=5", 0}, /* not yet */
	    {"tool=x\textend_usec=5 message=go on\r\n", 5000},
	    {"extend_usec=5\nextend_usec=9\nextend_usec=7\n", 9000},
	    {"extend_usec=9 extend_usec=7\n", 7000},
	    {"extend_usec=5\nand then words\n", 5000},
	    {"extend_usec=184467440737095516150000\n", HEARTBEAT_EXTEND_MAX_NS},
	    {"extend_usec=5x\n", 0},
	    {"extend_usec= 5\n", 0},
	    {"extend_us\nec=5\n", 0},
	    {"xextend_usec=5\n", 0},
	    {"please extend_usec=5\n", 0},
	    {"message=extend_usec=5\n", 0},
	    {"message= extend_usec=5\n", 0},
	    {"tool=extend_usec=5\n", 0},
	    {"{\"extend_usec\":5}\n", 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_asks(cases[i].lines, strlen(cases[i].lines), cases[i].ns);
}

static void
test_lines_that_are_not_as_they_were_written_ask_for_nothing(void **state)
{
	char line[HEARTBEAT_LINE_MAX + 20];
	size_t tail = strlen(" extend_usec=5");

	(void)state;
	assert_asks("extend_usec=\0005\n", 15, 0);
	assert_asks("\0extend_usec=5\n", 15, 0);
	assert_asks("\0\nextend_usec=5\n", 16, 5000);
	assert_asks("\0x\nextend_usec=5\n", 17, 5000);
	/* Whole up to the limit; cut behind it, though the digit that is lost would change nothing. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "tool=", 5);
	memcpy(line + HEARTBEAT_LINE_MAX - tail, " extend_usec=5\n", tail + 1);
	assert_asks(line, HEARTBEAT_LINE_MAX + 1, 5000);
	memcpy(line + HEARTBEAT_LINE_MAX, "0\n", 2);
	assert_asks(line, HEARTBEAT_LINE_MAX + 2, 0);
}

static void
test_a_line_that_is_said_leaves_the_pipes_alone(void **state)
{
	struct heartbeat h = {0};
	char line[HEARTBEAT_LINE_MAX + 1];

	(void)state;
	feed(&h, "before\nhalf of ");
	heartbeat_say(&h, "said", 4);
	assert_last(&h, "said");
	assert_false(h.is_last_cut);
	heartbeat_say(&h, "", 0);
	heartbeat_say(&h, "\0\n", 2);
	assert_last(&h, "said");
	heartbeat_say(&h, "a\0b\nc", 5);
	assert_last(&h, "abc");
	heartbeat_say(&h, "extend_usec=5", 13);
	assert_int_equal(heartbeat_take_extend_ns(&h), 0);
	feed(&h, "a line\n");
	assert_last(&h, "half of a line");
	memset(line, 'x', sizeof(line));
	heartbeat_say(&h, line, HEARTBEAT_LINE_MAX);
	assert_int_equal(h.last_len, HEARTBEAT_LINE_MAX);
	assert_false(h.is_last_cut);
	heartbeat_say(&h, line, sizeof(line));
	assert_int_equal(h.last_len, HEARTBEAT_LINE_MAX);
	assert_true(h.is_last_cut);
	heartbeat_say(&h, "x", 1);
	assert_false(h.is_last_cut);
}

static void
test_microseconds_are_digits(void **state)
{
	static const char *const others[] = {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "a"};
	const uint64_t max_usec = HEARTBEAT_EXTEND_MAX_NS / 1000;
	char digits[32];
	uint64_t ns = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(heartbeat_read_usec(others[i], strlen(others[i]), &ns));
	assert_int_equal(ns, 7);
	assert_true(heartbeat_read_usec("12x", 2, &ns));
	assert_int_equal(ns, 12000);
	for (i = 0; i < 3; i++) {
		snprintf(digits, sizeof(digits), "%" PRIu64, max_usec - 1 + i);
		assert_true(heartbeat_read_usec(digits, strlen(digits), &ns));
		assert_int_equal(ns, (i == 0 ? max_usec - 1 : max_usec) * 1000);
	}
	assert_true(heartbeat_read_usec("18446744073709551617", 20, &ns));
	assert_int_equal(ns, HEARTBEAT_EXTEND_MAX_NS);
}

static void
test_blanks_around_are_dropped(void **state)
{
	struct heartbeat_event e = read_line(" \t hello world \r");

	(void)state;
	assert_string_equal(e.message, "hello world");
	e = read_line("");
	assert_string_equal(e.message, "");
	e = read_line("   ");
	assert_string_equal(e.message, "");
}

static void
test_what_is_not_utf8_becomes_question_marks(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},                       /* two bytes each */
	    {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"}, /* three, four */
	    {"a\xff"
	     "b",
		"a?b"},
	    {"\xc0\xaf", "??"}, /* overlong */
	    {"\xe0\x80\xaf", "???"},
	    {"\xf0\x80\x80\x80", "????"},
	    {"\xed\xa0\x80", "???"},      /* a surrogate */
	    {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
	    {"x\xe2\x82", "x??"},         /* cut short */
	    {"x\x80", "x?"},
	    {"a\x1b[31mb\x7f", "a?[31mb?"}, /* control characters */
	    {"a\xc2\x9b"
	     "b",
		"a?b"}, /* C1 */
	    {"a\tb", "a b"},
	};
	struct heartbeat_event e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e = read_line(cases[i].line);
		assert_string_equal(e.message, cases[i].message);
	}
}

static void
test_long_values_are_cut_between_characters(void **state)
{
	struct heartbeat_event e;
	char line[HEARTBEAT_LINE_MAX];
	size_t i;

	(void)state;
	memcpy(line, "tool=x", 6);
	for (i = 6; i + 3 <= sizeof(line); i += 3)
		memcpy(line + i, "\xe2\x82\xac", 3);
	heartbeat_read(line, i, true, &e);
	assert_true(e.is_cut);
	assert_int_equal(strlen(e.tool), 1 + 62 / 3 * 3);
	memset(line, 'm', sizeof(line));
	heartbeat_read(line, sizeof(line), true, &e);
	assert_int_equal(strlen(e.message), HEARTBEAT_LINE_MAX);
}

static void
test_noise_does_no_harm(void **state)
{
	struct heartbeat h = {0};
	struct heartbeat_event e;
	char noise[5000];
	unsigned seed = 1, i;
	size_t j, len;

	(void)state;
	for (i = 0; i < 2000; i++) {
		len = (size_t)rand_r(&seed) % sizeof(noise);
		for (j = 0; j < len; j++)
			noise[j] = (char)(rand_r(&seed) >> 7);
		heartbeat_feed(&h, noise, len);
		assert_true(h.partial_len <= HEARTBEAT_LINE_MAX);
		assert_true(h.last_len <= HEARTBEAT_LINE_MAX);
		assert_null(memchr(h.last, '\0', h.last_len));
		assert_null(memchr(h.last, '\n', h.last_len));
		heartbeat_read(h.last, h.last_len, h.is_last_cut, &e);
		assert_non_null(memchr(e.message, '\0', sizeof(e.message)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_are_assembled_from_pieces),
	    cmocka_unit_test(test_empty_lines_do_not_count),
	    cmocka_unit_test(test_nul_bytes_are_left_out),
	    cmocka_unit_test(test_long_lines_are_cut_and_say_so),
	    cmocka_unit_test(test_a_line_of_the_limit_is_whole),
	    cmocka_unit_test(test_words_are_read_in_any_order),
	    cmocka_unit_test(test_a_word_with_its_key_is_read_for_each_key),
	    cmocka_unit_test(test_whole_lines_of_words_ask_for_more_time),
	    cmocka_unit_test(test_lines_that_are_not_as_they_were_written_ask_for_nothing),
	    cmocka_unit_test(test_a_line_that_is_said_leaves_the_pipes_alone),
	    cmocka_unit_test(test_microseconds_are_digits),
	    cmocka_unit_test(test_other_text_is_the_message_as_a_whole),
	    cmocka_unit_test(test_blanks_around_are_dropped),
	    cmocka_unit_test(test_what_is_not_utf8_becomes_question_marks),
	    cmocka_unit_test(test_long_values_are_cut_between_characters),
	    cmocka_unit_test(test_noise_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
