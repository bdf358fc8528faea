/*
 * inlined: see inlined.h. Makes no system call.
 */
#include "server/inlined.h"

#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3629: a character has up to three bytes behind its first. */
#define FOLLOWERS_MAX 3

void
inlined_begin(struct inlined *i)
{
	i->size = 0;
	i->is_skipped = false;
}

void
inlined_skip(struct inlined *i, uint64_t len)
{
	i->size = len;
	i->is_skipped = true;
}

static void
keep_tail(struct inlined *i, const uint8_t *bytes, size_t len)
{
	if (len >= INLINED_TAIL) {
		memcpy(i->tail, bytes + len - INLINED_TAIL, INLINED_TAIL);
		return;
	}
	memmove(i->tail, i->tail + len, INLINED_TAIL - len);
	memcpy(i->tail + INLINED_TAIL - len, bytes, len);
}

void
inlined_add(struct inlined *i, const void *bytes, size_t len)
{
	size_t room = i->size < INLINED_MAX ? INLINED_MAX - (size_t)i->size : 0;
	size_t first = len < room ? len : room;
	const uint8_t *rest = (const uint8_t *)bytes + first;

	if (first > 0)
		memcpy(i->head + i->size, bytes, first);
	i->size += first;
	len -= first;
	if (len == 0)
		return;
	if (i->size == INLINED_MAX && !i->is_skipped) {
		SHA256Init(&i->sha256);
		SHA256Update(&i->sha256, i->head, INLINED_MAX);
		keep_tail(i, i->head, INLINED_MAX);
	}
	if (!i->is_skipped)
		SHA256Update(&i->sha256, rest, len);
	keep_tail(i, rest, len);
	i->size += len;
}

static int
set(json_t *record, const char *key, json_t *value)
{
	return json_object_set_new(record, key, value) < 0 ? -ENOMEM : 0;
}

static int
set_base64(json_t *record, const char *key, const uint8_t *bytes, size_t len)
{
	size_t size = (len + 2) / 3 * 4 + 1;
	char *text = malloc(size);
	int r;

	if (text == NULL)
		return -ENOMEM;
	b64_ntop(bytes, len, text, size);
	r = set(record, key, json_string(text));
	free(text);
	return r;
}

/* NULL: it is no text. A NUL is UTF-8 too, but there ends what reads text. */
static json_t *
text_of(const uint8_t *bytes, size_t len)
{
	return memchr(bytes, '\0', len) == NULL ? json_stringn((const char *)bytes, len) : NULL;
}

/* How many bytes at the beginning may belong to a character that was cut. */
static size_t
count_followers(const uint8_t *bytes)
{
	size_t n = 0;

	while (n < FOLLOWERS_MAX && (bytes[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static int
describe_digest(struct inlined *i, json_t *record)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];
	int r;

	if (!i->is_skipped)
		return set(record, "result_sha256", json_string(SHA256End(&i->sha256, hex)));
	r = set(record, "result_sha256", json_null());
	if (r < 0)
		return r;
	return set(record, "result_error",
	    json_string("longer than 1 GiB: no SHA-256 was made of it"));
}

static int
describe_long(struct inlined *i, json_t *record)
{
	size_t cut = count_followers(i->tail);
	int r = describe_digest(i, record);
	json_t *text;

	if (r < 0)
		return r;
	text = text_of(i->tail + cut, INLINED_TAIL - cut);
	if (text != NULL)
		return set(record, "result_tail", text);
	return set_base64(record, "result_tail_base64", i->tail, INLINED_TAIL);
}

int
inlined_describe(struct inlined *i, json_t *record)
{
	int r = set(record, "result_bytes", json_integer((json_int_t)i->size));
	json_t *text;

	if (r < 0)
		return r;
	if (i->size > INLINED_MAX)
		return describe_long(i, record);
	text = text_of(i->head, (size_t)i->size);
	if (text != NULL)
		return set(record, "result_text", text);
	return set_base64(record, "result_base64", i->head, (size_t)i->size);
}

const char *
inlined_reason(int error)
{
	if (error == ENOENT)
		return NULL;
	return error == EOPNOTSUPP ? "no regular file" : strerror(error);
}

int
inlined_describe_none(json_t *record, const char *reason)
{
	int r = set(record, "result_bytes", json_integer(0));

	if (r == 0)
		r = set(record, "result_text", json_null());
	if (r == 0 && reason != NULL)
		r = set(record, "result_error", json_string(reason));
	return r;
}
