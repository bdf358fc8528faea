/*
 * test_inlined: how a child's result is told in its record.
 */
#include "server/inlined.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The record of a result that came in pieces of that size; the caller's. */
static json_t *
describe(const void *bytes, size_t len, size_t piece)
{
	struct inlined *i = malloc(sizeof(*i));
	json_t *record = json_pack("{s:i}", "job", 7);

	assert_non_null(i);
	inlined_begin(i);
	for (size_t at = 0; at < len; at += piece)
		inlined_add(i, (const char *)bytes + at, len - at < piece ? len - at : piece);
	assert_int_equal(inlined_describe(i, record), 0);
	assert_int_equal(json_integer_value(json_object_get(record, "job")), 7);
	assert_int_equal(json_integer_value(json_object_get(record, "result_bytes")), len);
	free(i);
	return record;
}

static void
assert_text(const json_t *record, const char *key, const char *text, size_t len)
{
	const json_t *value = json_object_get(record, key);

	assert_true(json_is_string(value));
	assert_int_equal(json_string_length(value), len);
	assert_memory_equal(json_string_value(value), text, len);
}

static void
assert_only(const json_t *record, const char *key)
{
	static const char *const keys[] = {"result_text", "result_base64", "result_tail",
	    "result_tail_base64", "result_error"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(json_object_get(record, keys[i]) != NULL,
		    strcmp(keys[i], key) == 0);
}

static void
a_short_text_is_told_whole(void **state)
{
	json_t *record = describe("caf\xc3\xa9 \"1\"\n", 10, 3);

	(void)state;
	assert_text(record, "result_text", "caf\xc3\xa9 \"1\"\n", 10);
	assert_only(record, "result_text");
	assert_null(json_object_get(record, "result_sha256"));
	json_decref(record);
}

static void
an_empty_result_is_not_none(void **state)
{
	json_t *record = describe("", 0, 1);

	(void)state;
	assert_text(record, "result_text", "", 0);
	json_decref(record);
	record = json_object();
	assert_int_equal(inlined_describe_none(record, NULL), 0);
	assert_true(json_is_null(json_object_get(record, "result_text")));
	assert_null(json_object_get(record, "result_error"));
	assert_int_equal(inlined_describe_none(record, "no regular file"), 0);
	assert_text(record, "result_error", "no regular file", 15);
	json_decref(record);
}

static void
bytes_that_are_no_text_are_told_in_base64(void **state)
{
	json_t *record = describe("\xff\xfe!", 3, 1);

	(void)state;
	assert_text(record, "result_base64", "//4h", 4);
	assert_only(record, "result_base64");
	json_decref(record);
	record = describe("a\0b", 3, 3);
	assert_text(record, "result_base64", "YQBi", 4);
	assert_only(record, "result_base64");
	json_decref(record);
}

static void
what_is_just_48_kib_is_whole_and_a_byte_more_is_not(void **state)
{
	char *bytes = malloc(INLINED_MAX + 1);
	json_t *record;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'a', INLINED_MAX + 1);
	bytes[INLINED_MAX] = 'z';
	record = describe(bytes, INLINED_MAX, 1000);
	assert_text(record, "result_text", bytes, INLINED_MAX);
	json_decref(record);
	record = describe(bytes, INLINED_MAX + 1, INLINED_MAX + 1);
	assert_text(record, "result_tail", bytes + INLINED_MAX + 1 - INLINED_TAIL, INLINED_TAIL);
	/* { head -c 49152 /dev/zero | tr '\0' a; printf z; } | sha256sum */
	assert_text(record, "result_sha256",
	    "5c452f230d6c4134e8f64236d310a8798fd2fa282f40e73f8b7c36b0a613ad5f", 64);
	assert_only(record, "result_tail");
	json_decref(record);
	free(bytes);
}

static void
digest_and_tail_are_the_same_however_it_came(void **state)
{
	static const size_t pieces[] = {1, 777, INLINED_TAIL, INLINED_TAIL + 1, 64 * 1024, 200000};
	char *bytes = malloc(200000);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 200000; i++)
		bytes[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		json_t *record = describe(bytes, 200000, pieces[i]);

		assert_text(record, "result_tail", bytes + 200000 - INLINED_TAIL, INLINED_TAIL);
		/* yes abcdefghijklmnopqrstuvwxyz | tr -d '\n' | head -c 200000 | sha256sum */
		assert_text(record, "result_sha256",
		    "215fd793b3307b85788c29cd609b538beebaf5fb352bdf7c549fb6951ce0314d", 64);
		json_decref(record);
	}
	free(bytes);
}

static void
a_tail_begins_with_a_whole_character(void **state)
{
	const size_t len = INLINED_MAX + 100;
	char *bytes = malloc(len);
	json_t *record;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'a', len);
	/* The euro sign: its first byte is just before the tail. */
	memcpy(bytes + len - INLINED_TAIL - 1, "\xe2\x82\xac", 3);
	record = describe(bytes, len, 4096);
	assert_text(record, "result_tail", bytes + len - INLINED_TAIL + 2, INLINED_TAIL - 2);
	json_decref(record);
	/* What is no text is told from its first byte on. */
	bytes[len - 1] = '\xff';
	record = describe(bytes, len, 4096);
	assert_only(record, "result_tail_base64");
	assert_int_equal(json_string_length(json_object_get(record, "result_tail_base64")),
	    (INLINED_TAIL + 2) / 3 * 4);
	json_decref(record);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_short_text_is_told_whole),
	    cmocka_unit_test(an_empty_result_is_not_none),
	    cmocka_unit_test(bytes_that_are_no_text_are_told_in_base64),
	    cmocka_unit_test(what_is_just_48_kib_is_whole_and_a_byte_more_is_not),
	    cmocka_unit_test(digest_and_tail_are_the_same_however_it_came),
	    cmocka_unit_test(a_tail_begins_with_a_whole_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
