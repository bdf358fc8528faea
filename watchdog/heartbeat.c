/*
 * heartbeat: see heartbeat.h. heartbeat_feed() in the supervisor, heartbeat_read() in the server.
 * Pure: no system call, no allocation. Every byte comes from a stranger.
 */
#include "watchdog/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#define EXTEND "extend_usec="

/* Adds bytes that hold no NUL, as far as there is room. */
static void
append_clean(struct heartbeat *h, const char *data, size_t len)
{
	size_t room = (size_t)(HEARTBEAT_LINE_MAX - h->partial_len);

	if (len > room) {
		h->is_partial_cut = true;
		len = room;
	}
	memcpy(h->partial + h->partial_len, data, len);
	h->partial_len = (uint16_t)(h->partial_len + len);
}

/* Adds a piece of a line without its NULs. */
static void
append(struct heartbeat *h, const char *data, size_t len)
{
	const char *nul;

	while (len > 0 && (nul = memchr(data, '\0', len)) != NULL) {
		h->has_partial_nul = true;
		append_clean(h, data, (size_t)(nul - data));
		len -= (size_t)(nul - data) + 1;
		data = nul + 1;
	}
	if (len > 0)
		append_clean(h, data, len);
}

/* Whole lines without that word, nearly all, are not looked into. */
static void
note_extend(struct heartbeat *h)
{
	struct heartbeat_event event;

	if (h->is_partial_cut || h->has_partial_nul ||
	    memmem(h->partial, h->partial_len, EXTEND, strlen(EXTEND)) == NULL)
		return;
	heartbeat_read(h->partial, h->partial_len, false, &event);
	if (event.extend_ns > h->extend_ns)
		h->extend_ns = event.extend_ns;
}

/* A newline has come. Returns whether the line had anything in it. */
static bool
finish(struct heartbeat *h)
{
	bool has_text = h->partial_len > 0;

	if (has_text) {
		note_extend(h);
		memcpy(h->last, h->partial, h->partial_len);
		h->last_len = h->partial_len;
		h->is_last_cut = h->is_partial_cut;
	}
	h->partial_len = 0;
	h->is_partial_cut = false;
	h->has_partial_nul = false;
	return has_text;
}

unsigned
heartbeat_feed(struct heartbeat *h, const char *data, size_t len)
{
	const char *newline;
	unsigned lines = 0;

	while (len > 0 && (newline = memchr(data, '\n', len)) != NULL) {
		append(h, data, (size_t)(newline - data));
		lines += finish(h);
		len -= (size_t)(newline - data) + 1;
		data = newline + 1;
	}
	append(h, data, len);
	return lines;
}

void
heartbeat_say(struct heartbeat *h, const char *text, size_t len)
{
	size_t have = 0, i;
	bool is_cut = false;

	for (i = 0; i < len && !is_cut; i++) {
		if (text[i] == '\0' || text[i] == '\n')
			continue;
		is_cut = have == HEARTBEAT_LINE_MAX;
		if (!is_cut)
			h->last[have++] = text[i];
	}
	if (have == 0)
		return;
	h->last_len = (uint16_t)have;
	h->is_last_cut = is_cut;
}

uint64_t
heartbeat_take_extend_ns(struct heartbeat *h)
{
	uint64_t extend_ns = h->extend_ns;

	h->extend_ns = 0;
	return extend_ns;
}

bool
heartbeat_read_usec(const char *text, size_t len, uint64_t *ret_ns)
{
	const uint64_t max_usec = HEARTBEAT_EXTEND_MAX_NS / 1000;
	uint64_t usec = 0;
	size_t i;

	if (len == 0)
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		usec = usec * 10 + (uint64_t)(text[i] - '0');
		if (usec > max_usec)
			usec = max_usec;
	}
	*ret_ns = usec * 1000;
	return true;
}

/*
 * The length of the well-formed UTF-8 sequence at p, 0 if there is none: Unicode, table 3-7, which
 * leaves out surrogates, overlong forms and what is beyond U+10FFFF.
 */
static size_t
utf8_length(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t want, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < want)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < want; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return want;
}

/* C0, DEL, and C1, which in UTF-8 is C2 80 to C2 9F. */
static bool
is_control(const unsigned char *p)
{
	return p[0] < ' ' || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

void
heartbeat_clean(char *out, size_t size, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t have = 0, n;

	while (p < end) {
		n = utf8_length(p, (size_t)(end - p));
		if (have + (n == 0 ? 1 : n) >= size)
			break;
		if (n == 0 || is_control(p)) {
			out[have++] = n != 0 && *p == '\t' ? ' ' : '?';
		} else {
			memcpy(out + have, p, n);
			have += n;
		}
		p += n == 0 ? 1 : n;
	}
	out[have] = '\0';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What of a line is still to be read. */
struct rest {
	const char *p;
	size_t len;
};

static void
trim(struct rest *r)
{
	while (r->len > 0 && is_blank(r->p[0])) {
		r->p++;
		r->len--;
	}
	while (r->len > 0 && is_blank(r->p[r->len - 1]))
		r->len--;
}

/* Takes the first word away. */
static struct rest
next_word(struct rest *r)
{
	struct rest word = {.p = r->p};

	while (word.len < r->len && !is_blank(r->p[word.len]))
		word.len++;
	r->p += word.len;
	r->len -= word.len;
	trim(r);
	return word;
}

/* Whether word begins with key; what follows it is the value. */
static bool
has_key(const struct rest *word, const char *key, struct rest *ret_value)
{
	size_t len = strlen(key);

	if (word->len < len || memcmp(word->p, key, len) != 0)
		return false;
	*ret_value = (struct rest){.p = word->p + len, .len = word->len - len};
	return true;
}

/* Up to 18 digits, so that nothing can overflow, with a point among them if may_have_point. */
static bool
copy_number(const struct rest *value, bool may_have_point, char number[20])
{
	size_t i, points = 0;

	if (value->len == 0 || value->len > 18)
		return false;
	for (i = 0; i < value->len; i++) {
		if (value->p[i] == '.' && may_have_point)
			points++;
		else if (value->p[i] < '0' || value->p[i] > '9')
			return false;
	}
	if (points > 1 || points == value->len)
		return false;
	memcpy(number, value->p, value->len);
	number[value->len] = '\0';
	return true;
}

/* "0.4", "40", "40%": as it was given, but a percentage as the fraction that it is. */
static bool
read_progress(struct rest value, double *ret_progress)
{
	bool is_percent = value.len > 0 && value.p[value.len - 1] == '%';
	char number[20];

	value.len -= is_percent;
	if (!copy_number(&value, true, number))
		return false;
	*ret_progress = strtod(number, NULL) / (is_percent ? 100 : 1);
	return true;
}

/* Reads one word; false if it is none that we know. */
static bool
read_word(const struct rest *word, struct heartbeat_event *event)
{
	struct rest value;
	char number[20];

	if (has_key(word, "tool=", &value)) {
		heartbeat_clean(event->tool, sizeof(event->tool), value.p, value.len);
		return true;
	}
	if (has_key(word, "phase=", &value)) {
		heartbeat_clean(event->phase, sizeof(event->phase), value.p, value.len);
		return true;
	}
	if (has_key(word, "round=", &value) && copy_number(&value, false, number)) {
		event->round = strtoll(number, NULL, 10);
		return true;
	}
	if (has_key(word, "progress=", &value))
		return read_progress(value, &event->progress);
	return has_key(word, EXTEND, &value) &&
	    heartbeat_read_usec(value.p, value.len, &event->extend_ns);
}

static void
reset(struct heartbeat_event *event, bool is_cut)
{
	*event = (struct heartbeat_event){.round = -1, .progress = -1, .is_cut = is_cut};
}

void
heartbeat_read(const char *line, size_t len, bool is_cut, struct heartbeat_event *ret_event)
{
	struct rest all = {.p = line, .len = len}, left, word, message;

	reset(ret_event, is_cut);
	trim(&all);
	left = all;
	while (left.len > 0) {
		if (has_key(&left, "message=", &message)) {
			heartbeat_clean(ret_event->message, sizeof(ret_event->message), message.p,
			    message.len);
			return;
		}
		word = next_word(&left);
		if (!read_word(&word, ret_event)) {
			reset(ret_event, is_cut);
			heartbeat_clean(ret_event->message, sizeof(ret_event->message), all.p,
			    all.len);
			return;
		}
	}
}
