/*
 * fuzz_heartbeat: any bytes on a heartbeat pipe. The first byte says how the others are split: fed
 * in any pieces they give the same lines and ask for the same; and those are the lines that a
 * plain reading gives. What a line is read as is text.
 */
#include "watchdog/heartbeat.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/* What is whole of it counts; what lies behind the ends of both buffers is nobody's. */
static void
must_be_same(const struct heartbeat *a, const struct heartbeat *b)
{
	must(a->partial_len == b->partial_len && a->last_len == b->last_len);
	must(a->is_partial_cut == b->is_partial_cut && a->is_last_cut == b->is_last_cut);
	must(a->has_partial_nul == b->has_partial_nul && a->extend_ns == b->extend_ns);
	must(memcmp(a->partial, b->partial, a->partial_len) == 0);
	must(memcmp(a->last, b->last, a->last_len) == 0);
}

/* The last line, byte by byte, with no cleverness. */
static void
read_plainly(const char *data, size_t size, struct heartbeat *h, unsigned *ret_lines)
{
	*h = (struct heartbeat){0};
	*ret_lines = 0;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' && h->partial_len > 0) {
			memcpy(h->last, h->partial, h->partial_len);
			h->last_len = h->partial_len;
			h->is_last_cut = h->is_partial_cut;
			(*ret_lines)++;
		}
		if (data[i] == '\n') {
			h->partial_len = 0;
			h->is_partial_cut = h->has_partial_nul = false;
		} else if (data[i] == '\0') {
			h->has_partial_nul = true;
		} else if (h->partial_len == HEARTBEAT_LINE_MAX) {
			h->is_partial_cut = true;
		} else {
			h->partial[h->partial_len++] = data[i];
		}
	}
}

static void
must_be_text(const char *text, size_t size)
{
	must(memchr(text, '\0', size) != NULL);
	for (; *text != '\0'; text++)
		must(!iscntrl((unsigned char)*text));
}

static void
check_event(const char *line, size_t len, bool is_cut)
{
	struct heartbeat_event event, again;

	heartbeat_read(line, len, is_cut, &event);
	must_be_text(event.tool, sizeof(event.tool));
	must_be_text(event.phase, sizeof(event.phase));
	must_be_text(event.message, sizeof(event.message));
	must(event.round >= -1 && event.is_cut == is_cut);
	must(event.progress == event.progress);
	must(event.extend_ns <= HEARTBEAT_EXTEND_MAX_NS);
	/* What was made clean once stays as it is. */
	heartbeat_clean(again.message, sizeof(again.message), event.message, strlen(event.message));
	must(strcmp(again.message, event.message) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct heartbeat whole, split, plain;
	const char *text = (const char *)data + 1;
	unsigned whole_lines, split_lines = 0, plain_lines;
	uint32_t step = size > 0 ? data[0] : 0;

	if (size == 0)
		return 0;
	size--;
	whole = split = (struct heartbeat){0};
	whole_lines = heartbeat_feed(&whole, text, size);
	for (size_t i = 0, n; i < size; i += n) {
		step = step * 1664525 + 1013904223;
		n = data[0] == 0 ? 1 : (step >> 16) % (data[0] * 8u) + 1;
		n = n < size - i ? n : size - i;
		split_lines += heartbeat_feed(&split, text + i, n);
	}
	read_plainly(text, size, &plain, &plain_lines);
	plain.extend_ns = whole.extend_ns;
	must_be_same(&whole, &split);
	must_be_same(&whole, &plain);
	must(whole_lines == split_lines && whole_lines == plain_lines);
	check_event(whole.last, whole.last_len, whole.is_last_cut);
	check_event(text, size, false);
	heartbeat_say(&split, text, size);
	must(split.last_len <= HEARTBEAT_LINE_MAX);
	must(memchr(split.last, '\n', split.last_len) == NULL);
	must(memchr(split.last, '\0', split.last_len) == NULL);
	return 0;
}
