/*
 * settle: see settle.h.
 */
#include "server/settle.h"

#include "server/jobs.h"
#include "server/suspension.h"
#include "server/waiting.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A record takes no more, server/record.h; what is cut off is the far end of the chain. */
#define ERROR_SIZE 3072

/* What is said of a job that has ended so, before its error. */
static const char *
past(const char *status)
{
	if (strcmp(status, "skipped") == 0)
		return "was skipped";
	if (strcmp(status, "cancelled") == 0)
		return "was cancelled";
	if (strcmp(status, "timeout") == 0)
		return "ran out of time";
	return strcmp(status, "lost") == 0 ? "was lost" : "ended with error";
}

/* Errors of some kinds begin with what past() says already. */
static const char *
skip_word(const char *error, const char *word)
{
	size_t len = strlen(word);

	return strncmp(error, word, len) == 0 ? error + len : error;
}

static int
describe_record(void *arg, const struct store_record *r)
{
	char *text = arg;
	size_t used = strlen(text);
	json_t *record = json_loads(r->body, 0, NULL);
	const char *status = json_string_value(json_object_get(record, "status"));
	const char *error = json_string_value(json_object_get(record, "error"));

	if (status == NULL)
		status = "";
	error = error == NULL ? "" : skip_word(skip_word(error, "skipped: "), "lost: ");
	if (strcmp(status, "cancelled") == 0)
		error = "";
	snprintf(text + used, ERROR_SIZE - used, "%s, which %s%s%s", r->child, past(status),
	    error[0] != '\0' ? ": " : "", error);
	json_decref(record);
	return 0;
}

/* "skipped: after build, which was skipped: after fetch, which ended with error: exited with code 2" */
static void
describe_skip(struct server *s, const struct queue_job *j, int64_t cause, char error[ERROR_SIZE])
{
	bool is_any = waits_policy(s->waits, j->number) == WAITS_ANY;
	size_t used;

	strlcpy(error, "skipped: after ", ERROR_SIZE);
	if (is_any)
		strlcat(error, "several of which none completed, the last being ", ERROR_SIZE);
	used = strlen(error);
	if (server_check(s, store_read_record(s->store, cause, describe_record, error)) < 0)
		snprintf(error + used, ERROR_SIZE - used, "job %" PRId64 ", which did not complete",
		    cause);
}

static void
settle(struct server *s, int64_t number)
{
	struct queue_job *j = queue_find(s->queue, number);
	char error[ERROR_SIZE];
	const struct ending e = {.status = STATUS_SKIPPED, .error = error};
	int64_t cause = 0;

	if (j == NULL)
		return;
	if (j->status == STATUS_SUSPENDED) {
		suspension_leave(s, j);
	} else if (j->status != STATUS_QUEUED) {
		return; /* it is to be suspended first: suspension_enter() */
	} else if (waits_verdict(s->waits, number, &cause) == WAITS_NEVER) {
		describe_skip(s, j, cause, error);
		jobs_end(s, number, &e);
	} else {
		waiting_drop(s, j);
		queue_release(s->queue, j, QUEUE_HOLD_WAIT);
		s->has_news = true;
	}
}

void
settle_waits(struct server *s)
{
	int64_t number;

	while (s->store_error == 0 && !s->is_store_down && waits_next_settled(s->waits, &number))
		settle(s, number);
}
