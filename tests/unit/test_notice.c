/*
 * Units of watchdog/notice.
 */
#include "watchdog/notice.h"

#include "watchdog/heartbeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads a datagram without a NUL behind it, so that the sanitizer sees whoever reads too far. */
struct datagram {
	char *data;
	struct notice notice;
	bool is_read;
};

static void
take(struct datagram *d, const char *text, size_t len)
{
	d->data = malloc(len == 0 ? 1 : len);
	assert_non_null(d->data);
	memcpy(d->data, text, len);
	d->is_read = notice_read(d->data, len, &d->notice);
}

static void
drop(struct datagram *d)
{
	free(d->data);
}

static void
test_each_key_is_read(void **state)
{
	static const struct {
		const char *text;
		bool is_alive, is_triggered, is_ready, is_stopping;
		uint64_t extend_ns;
		const char *status; /* NULL: none */
		const char *line;
		bool is_sign;
	} cases[] = {
	    {"WATCHDOG=1", 1, 0, 0, 0, 0, NULL, "", 1},
	    {"WATCHDOG=1\n", 1, 0, 0, 0, 0, NULL, "", 1},
	    {"WATCHDOG=trigger", 0, 1, 0, 0, 0, NULL, "", 0},
	    {"READY=1", 0, 0, 1, 0, 0, NULL, "phase=ready", 1},
	    {"STOPPING=1", 0, 0, 0, 1, 0, NULL, "phase=stopping", 1},
	    {"READY=1\nSTOPPING=1", 0, 0, 1, 1, 0, NULL, "phase=stopping", 1},
	    {"STATUS=", 0, 0, 0, 0, 0, "", "", 1},
	    {"STATUS=a=b c", 0, 0, 0, 0, 0, "a=b c", "message=a=b c", 1},
	    {"READY=1\nSTATUS=go\n", 0, 0, 1, 0, 0, "go", "phase=ready message=go", 1},
	    {"EXTEND_TIMEOUT_USEC=5", 0, 0, 0, 0, 5000, NULL, "", 1},
	    {"EXTEND_TIMEOUT_USEC=18446744073709551615", 0, 0, 0, 0, HEARTBEAT_EXTEND_MAX_NS, NULL,
		"", 1},
	    {"\n\nWATCHDOG=1\n\nWATCHDOG=trigger\n\n", 1, 1, 0, 0, 0, NULL, "", 1},
	    {"STATUS=a\nSTATUS=b", 0, 0, 0, 0, 0, "b", "message=b", 1},
	    {"EXTEND_TIMEOUT_USEC=9\nEXTEND_TIMEOUT_USEC=5", 0, 0, 0, 0, 5000, NULL, "", 1},
	    {"EXTEND_TIMEOUT_USEC=9\nEXTEND_TIMEOUT_USEC=x", 0, 0, 0, 0, 9000, NULL, "", 1},
	    {"MAINPID=1\nFDSTORE=1\nBARRIER=1\nX_OWN=2\nREADY=1", 0, 0, 1, 0, 0, NULL,
		"phase=ready", 1},
	    {"STATUS=\xff\xc3", 0, 0, 0, 0, 0, "\xff\xc3", "message=\xff\xc3", 1},
	};
	struct datagram d;
	char line[NOTICE_MAX];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		take(&d, cases[i].text, strlen(cases[i].text));
		assert_true(d.is_read);
		assert_int_equal(d.notice.is_alive, cases[i].is_alive);
		assert_int_equal(d.notice.is_triggered, cases[i].is_triggered);
		assert_int_equal(d.notice.is_ready, cases[i].is_ready);
		assert_int_equal(d.notice.is_stopping, cases[i].is_stopping);
		assert_int_equal(d.notice.extend_ns, cases[i].extend_ns);
		assert_int_equal(notice_is_sign(&d.notice), cases[i].is_sign);
		assert_int_equal(d.notice.status != NULL, cases[i].status != NULL);
		if (cases[i].status != NULL) {
			assert_int_equal(d.notice.status_len, strlen(cases[i].status));
			assert_memory_equal(d.notice.status, cases[i].status, d.notice.status_len);
		}
		len = notice_line(&d.notice, line);
		assert_int_equal(len, strlen(cases[i].line));
		assert_memory_equal(line, cases[i].line, len);
		drop(&d);
	}
}

static void
test_other_values_say_nothing(void **state)
{
	static const char *const texts[] = {"\n", "x", "=", "WATCHDOG", "WATCHDOG=", "WATCHDOG=0",
	    "WATCHDOG=11", "WATCHDOG=Trigger", "watchdog=1", " WATCHDOG=1", "WATCHDOG=1 ",
	    "WATCHDOG=1\r", "READY=0", "READY=", "STOPPING=0", "STATUS", "TATUS=x", "XSTATUS=x",
	    "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=1s",
	    "EXTEND_TIMEOUT_USEC=0", "EXTEND_TIMEOUT_USEC"};
	struct datagram d;
	char line[NOTICE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		take(&d, texts[i], strlen(texts[i]));
		assert_true(d.is_read);
		assert_false(notice_is_sign(&d.notice));
		assert_false(d.notice.is_triggered);
		assert_int_equal(notice_line(&d.notice, line), 0);
		drop(&d);
	}
}

static void
test_what_is_no_text_is_not_read(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool is_read;
	} cases[] = {
	    {"", 0, false},
	    {"\0", 1, false},
	    {"\0\0", 2, false},
	    {"READY=1\0", 8, true},
	    {"READY=1\n\0", 9, true},
	    {"READY=1\0\0", 9, false},
	    {"READY=1\0READY=1", 15, false},
	    {"\0READY=1", 8, false},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		take(&d, cases[i].text, cases[i].len);
		assert_int_equal(d.is_read, cases[i].is_read);
		assert_int_equal(d.notice.is_ready, cases[i].is_read);
		assert_int_equal(notice_is_sign(&d.notice), cases[i].is_read);
		drop(&d);
	}
}

static void
test_the_longest_is_read_and_a_longer_one_is_not(void **state)
{
	char text[NOTICE_MAX + 1], line[NOTICE_MAX];
	struct notice notice;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "READY=1\nSTATUS=", 15);
	assert_true(notice_read(text, NOTICE_MAX, &notice));
	assert_int_equal(notice.status_len, NOTICE_MAX - 15);
	/* "phase=ready message=" takes more room than what it stands for. */
	assert_int_equal(notice_line(&notice, line), NOTICE_MAX);
	assert_memory_equal(line, "phase=ready message=xxx", 23);
	assert_false(notice_read(text, sizeof(text), &notice));
	assert_false(notice_is_sign(&notice));
	/* Its length is all that is known of one that did not fit: nothing of it may be touched. */
	assert_false(notice_read(NULL, SIZE_MAX, &notice));
}

static void
test_noise_does_no_harm(void **state)
{
	static const char *const pieces[] = {"WATCHDOG=", "1", "trigger", "\n",
	    "STATUS=", "READY=", "EXTEND_TIMEOUT_USEC=", "99999999999", "\xff", "="};
	char text[400], line[NOTICE_MAX];
	struct datagram d;
	unsigned seed = 1, i;
	size_t len, n;

	(void)state;
	for (i = 0; i < 20000; i++) {
		for (len = 0; len < 300 && rand_r(&seed) % 20 != 0; len += n) {
			const char *piece = pieces[(size_t)rand_r(&seed) % 10];

			n = strlen(piece);
			memcpy(text + len, piece, n);
		}
		take(&d, text, len);
		assert_int_equal(d.is_read, len > 0);
		if (d.notice.status != NULL) {
			assert_true(d.notice.status >= d.data);
			assert_true(d.notice.status + d.notice.status_len <= d.data + len);
			assert_null(memchr(d.notice.status, '\n', d.notice.status_len));
		}
		assert_true(d.notice.extend_ns <= HEARTBEAT_EXTEND_MAX_NS);
		n = notice_line(&d.notice, line);
		assert_true(n <= len + 30);
		drop(&d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_key_is_read),
	    cmocka_unit_test(test_other_values_say_nothing),
	    cmocka_unit_test(test_what_is_no_text_is_not_read),
	    cmocka_unit_test(test_the_longest_is_read_and_a_longer_one_is_not),
	    cmocka_unit_test(test_noise_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
