/*
 * approval: see approval.h.
 */
#include "server/approval.h"

#include "base/clock.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
approval_set_put(struct approval *a, int64_t seq, const struct ancestor *to)
{
	a->row.put_seq = seq;
	a->row.put_job = to == NULL ? 0 : to->job;
	strlcpy(a->put_to, to == NULL ? "" : to->id, sizeof(a->put_to));
	a->row.put_to = to == NULL ? NULL : a->put_to;
}

void
approval_free(struct approval *a)
{
	for (size_t i = 0; i < a->above_count; i++)
		free((char *)(uintptr_t)a->above[i].id);
	free(a->above);
	free(a->token);
	free(a->question);
	free(a);
}

struct approval *
approval_new(const struct store_approval *row)
{
	struct approval *a = calloc(1, sizeof(*a));
	const struct ancestor to = {row->put_to, row->put_job};

	if (a == NULL)
		return NULL;
	a->row = *row;
	strlcpy(a->id, row->id, sizeof(a->id));
	a->token = strdup(row->token);
	a->question = strdup(row->question);
	a->row.id = a->id;
	a->row.token = a->token;
	a->row.question = a->question;
	approval_set_put(a, row->put_seq, row->put_to == NULL ? NULL : &to);
	if (a->token != NULL && a->question != NULL)
		return a;
	approval_free(a);
	return NULL;
}

int
approval_add_above(struct approval *a, const char *id, int64_t job)
{
	struct ancestor *above = reallocarray(a->above, a->above_count + 1, sizeof(*above));

	if (above == NULL)
		return -ENOMEM;
	a->above = above;
	above[a->above_count] = (struct ancestor){strdup(id), job};
	if (above[a->above_count].id == NULL)
		return -ENOMEM;
	a->above_count++;
	return 0;
}

const struct ancestor *
approval_put_to(const struct approval *a)
{
	for (size_t i = 0; a->row.put_to != NULL && i < a->above_count; i++) {
		if (a->above[i].job == a->row.put_job && strcmp(a->above[i].id, a->put_to) == 0)
			return &a->above[i];
	}
	return NULL;
}

bool
approval_is_put_to(const struct approval *a, const struct taker *t)
{
	const struct ancestor *to = approval_put_to(a);

	if (to == NULL)
		return t->job == 0 && t->id == NULL;
	return escalation_is_bound(t, to);
}

static json_t *
string_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static json_t *
expires_at(const struct store_approval *row)
{
	char at[CLOCK_TEXT_SIZE];

	if (row->timeout_ms < 0)
		return json_null();
	clock_format(row->asked_ms + row->timeout_ms, at);
	return json_string(at);
}

json_t *
approval_describe(const struct approval *a)
{
	char at[CLOCK_TEXT_SIZE];

	clock_format(a->row.asked_ms, at);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o}", "id", a->id, "job",
	    (json_int_t)a->row.job, "parent", a->parent, "child", a->child, "question", a->question,
	    "asked_at", at, "expires_at", expires_at(&a->row), "to", string_or_null(a->row.put_to));
}

json_t *
approval_requested(const struct approval *a, const struct ancestor *to)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "id", a->id, "question", a->question, "to",
	    string_or_null(to == NULL ? NULL : to->id), "expires_at", expires_at(&a->row));
}

json_t *
approval_decided(const struct store_approval *row)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", row->id, "decision",
	    decision_name(row->decision), "by", decider_name(row->decider), "ancestor",
	    string_or_null(row->ancestor), "reason", string_or_null(row->reason));
}
