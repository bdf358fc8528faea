/*
 * call_control: see call_control.h.
 */
#include "server/call_control.h"

#include "base/id.h"
#include "server/caller.h"
#include "server/cancel.h"
#include "server/jobs.h"
#include "server/opener.h"
#include "server/parents.h"
#include "server/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parameters {
	json_t *children, *jobs;
	const char *parent, *path, *format;
	bool is_now, is_exec;
};

#define AT(member) offsetof(struct parameters, member)

static const struct api_field cancel_fields[] = {
    {"children", API_STRINGS, AT(children), false},
    {"jobs", API_NUMBERS, AT(jobs), false},
    {"parent", API_STRING, AT(parent), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field fifo_fields[] = {
    {"parent", API_STRING, AT(parent), true},
    {"path", API_STRING, AT(path), false},
    {"format", API_STRING, AT(format), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field reload_fields[] = {
    {"exec", API_BOOLEAN, AT(is_exec), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field stop_fields[] = {
    {"now", API_BOOLEAN, AT(is_now), false},
    {NULL, API_STRING, 0, false},
};

/* Reads the parameters; false where one is wrong: the call is answered. */
static bool
read_parameters(struct call *call, const struct api_field *fields, struct parameters *p)
{
	struct fault f;
	const char *field;

	memset(p, 0, sizeof(*p));
	field = api_read(&call->api, fields, p, &f);
	if (field != NULL)
		call_fail_argument(call, field, f.text);
	return field == NULL;
}

static int
copy_number(void *arg, const struct store_job *j)
{
	*(int64_t *)arg = j->job;
	return 0;
}

/* A job that has ended is cancelled enough, but for what is below it; one that never was is an error. */
static int
cancel_child(struct server *s, const char *child, size_t *count)
{
	int64_t number = 0;
	int r = server_find_child(s, child, copy_number, &number);

	if (r == 0)
		*count += cancel_job(s, number);
	return r;
}

static int
cancel_number(struct server *s, int64_t number, size_t *count)
{
	int r = 0;

	if (queue_find(s->queue, number) == NULL)
		r = server_check(s, store_read_job(s->store, number, copy_number, &number));
	if (r == 0)
		*count += cancel_job(s, number);
	return r;
}

void
call_cancel(struct call *call)
{
	struct server *s = call->server;
	struct parameters p;
	size_t count = 0, i;
	json_t *value;
	const char *unknown = NULL;
	char number[32];

	if (!read_parameters(call, cancel_fields, &p))
		return;
	/* Who wants several ended wants those ended that are there. */
	json_array_foreach (p.children, i, value) {
		if (cancel_child(s, json_string_value(value), &count) < 0 && unknown == NULL)
			unknown = json_string_value(value);
	}
	json_array_foreach (p.jobs, i, value) {
		if (cancel_number(s, json_integer_value(value), &count) < 0 && unknown == NULL) {
			snprintf(number, sizeof(number), "job %lld",
			    (long long)json_integer_value(value));
			unknown = number;
		}
	}
	if (p.parent != NULL)
		count += cancel_parent(s, p.parent);
	if (p.parent != NULL && count == 0 && !parents_check(call, p.parent))
		return;
	if (unknown == number)
		call_fail_not_found(call, number);
	else if (unknown != NULL)
		call_fail_no_child(call, unknown);
	else
		call_reply(call, json_pack("{s:I}", "cancelled", (json_int_t)count));
}

void
call_fifo(struct call *call)
{
	struct server *s = call->server;
	struct parameters p;
	char path[PATH_MAX];
	const char *fault;
	struct fault f;
	int r;

	if (!read_parameters(call, fifo_fields, &p))
		return;
	fault = id_fault(p.parent);
	if (fault != NULL) {
		call_fail_argument(call, "parent", fault);
		return;
	}
	if (p.format != NULL && strcmp(p.format, "json") != 0 && strcmp(p.format, "tsv") != 0) {
		call_fail_argument(call, "format", "must be json or tsv");
		return;
	}
	if (p.path != NULL && (p.path[0] != '/' || strlen(p.path) >= PATH_MAX)) {
		call_fail_argument(call, "path", "must be an absolute path");
		return;
	}
	r = deliver_configure(s->deliver, p.parent, p.path, p.format, path, &f);
	if (r < 0)
		call_fail_argument(call, "path", f.text);
	else
		call_reply(call, json_pack("{s:s}", "path", path));
}

void
call_reload(struct call *call)
{
	struct parameters p;
	char *faults = NULL;

	if (!read_parameters(call, reload_fields, &p))
		return;
	if (settings_load(call->server, &faults) == 0) {
		call->server->is_upgrading |= p.is_exec;
		call_reply(call, NULL);
	} else {
		call_fail_argument(call, "config", faults != NULL ? faults : "cannot be read");
	}
	free(faults);
}

/* The state of a call of Stop. */
struct stop {
	bool has_told; /* what keeps the daemon from its end */
};

static void
stop_pump(struct call *call)
{
	struct server *s = call->server;
	struct stop *stop = call->own;
	bool has_ended = s->store != NULL && queue_running(s->queue) == 0;

	/* The reply of a turn that is undone would be taken back, and the daemon goes on to its end all the same. */
	if (has_ended && store_is_dirty(s->store)) {
		s->has_news = true;
	} else if (has_ended || s->is_leaving) {
		call_reply(call, NULL);
	} else if (s->trouble.is_on && call->api.is_more && !stop->has_told) {
		stop->has_told = true;
		call_reply_more(call,
		    json_pack("{s:s, s:b}", "trouble", s->trouble.fault.text, "waits",
			!opener_lets_go(s)));
	}
}

/* Who waits for all that runs, and is of a job that does, waits for the end of that job. Answers such a call. */
static bool
check_outside(struct call *call)
{
	struct server *s = call->server;
	const struct queue_job *j;
	char reason[ID_SIZE + 200];
	bool is_certain = false;
	int64_t job = 0;

	if (caller_find(s, call->conn, &job, &is_certain) < 0 || !is_certain)
		return true;
	j = job == 0 ? NULL : queue_find(s->queue, job);
	if (j == NULL || !queue_is_live(j))
		return true;
	snprintf(reason, sizeof(reason),
	    "'%s' is the job that calls: it would wait for its own end; stop with --now, which cancels "
	    "it as well, or from outside of it",
	    j->child);
	call_fail_argument(call, "now", reason);
	return false;
}

void
call_stop(struct call *call)
{
	struct server *s = call->server;
	struct parameters p;

	if (!read_parameters(call, stop_fields, &p))
		return;
	if (!p.is_now && s->store == NULL) {
		call_fail_store(call);
		return;
	}
	if (!p.is_now && !check_outside(call))
		return;
	call->own = calloc(1, sizeof(struct stop));
	if (call->own == NULL) {
		conn_drop(call->conn);
		return;
	}
	s->is_stopping = true;
	s->is_hurried |= p.is_now;
	s->has_news = true;
	if (p.is_now)
		jobs_cancel_running(s);
	if (s->store == NULL)
		opener_ask(s); /* no queue knows what runs */
	call->pump = stop_pump;
	stop_pump(call);
}
