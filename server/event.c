/*
 * event: see event.h. Texts are put together as they are: ids need no escapes, base/id.h, and a body is
 * an object that was made by us.
 */
#include "server/event.h"

#include "base/clock.h"
#include "server/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An object that already stands in the store, without its braces, and what is put before it. */
static char *
make_row(const struct store_event *e, const char *at)
{
	size_t len = strlen(e->body);
	int inner = len > 2 ? (int)(len - 2) : 0;
	char job[32] = "null", *line;
	const char *quote = e->parent != NULL ? "\"" : "", *child_quote = e->child ? "\"" : "";

	if (e->job != 0)
		snprintf(job, sizeof(job), "%" PRId64, e->job);
	if (asprintf(&line,
		"{\"seq\":%" PRId64 ",\"event\":\"%s\",\"at\":\"%s\",\"job\":%s,\"parent\":%s%s%s,"
		"\"child\":%s%s%s%s%.*s}",
		e->seq, e->kind, at, job, quote, e->parent != NULL ? e->parent : "null", quote,
		child_quote, e->child != NULL ? e->child : "null", child_quote,
		inner > 0 ? "," : "", inner, e->body + 1) < 0)
		return NULL;
	return line;
}

char *
event_of_row(const struct store_event *e)
{
	size_t len = strlen(e->body);
	char at[CLOCK_TEXT_SIZE], *line;

	clock_format(e->at_ms, at);
	if (strcmp(e->kind, "completed") != 0 || len < 2)
		return make_row(e, at);
	/* The record has all that a line begins with, but for the time. */
	if (asprintf(&line, "%.*s,\"at\":\"%s\"}", (int)(len - 1), e->body, at) < 0)
		return NULL;
	return line;
}

static json_t *
make_head(const char *kind, const struct kept_job *job, int64_t at_ms)
{
	char at[CLOCK_TEXT_SIZE];

	clock_format(at_ms, at);
	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "event", kind, "at", at, "job",
	    (json_int_t)job->number, "parent", job->parent, "child", job->child);
}

static char *
dump(json_t *o)
{
	char *line = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(15));

	json_decref(o);
	return line;
}

char *
event_progress(const struct kept_job *job, const struct kept_line *line, bool is_kept)
{
	json_t *o = make_head("progress", job, line->at_ms), *said;
	struct wire_line copy = {.len = line->len, .is_cut = line->is_cut};

	memcpy(copy.text, line->text, line->len);
	said = record_last_event(&copy);
	json_object_update(o, said);
	json_decref(said);
	if (line->skipped > 0)
		json_object_set_new(o, "skipped", json_integer(line->skipped));
	if (is_kept)
		json_object_set_new(o, "kept", json_true());
	return dump(o);
}

char *
event_idle(const struct kept_job *job, int64_t at_ms, bool is_idle, int64_t idle_ms)
{
	json_t *o = make_head(is_idle ? "idle" : "active", job, at_ms);

	if (is_idle)
		json_object_set_new(o, "idle_ms", json_integer(idle_ms));
	return dump(o);
}

char *
event_reset(int64_t from_seq)
{
	char *line;

	if (asprintf(&line, "{\"event\":\"feed_reset\",\"from_seq\":%" PRId64 "}", from_seq) < 0)
		return NULL;
	return line;
}

char *
event_reply(const char *line, int64_t seq, size_t *ret_len)
{
	char *text;
	int len = asprintf(&text,
	    "{\"parameters\":{\"event\":%s,\"seq\":%" PRId64 "},\"continues\":true}", line, seq);

	if (len < 0)
		return NULL;
	*ret_len = (size_t)len + 1;
	return text;
}
