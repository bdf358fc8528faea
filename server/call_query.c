/*
 * call_query: see call_query.h. Long answers are read from the store in batches, as the client
 * takes them.
 */
#include "server/call_query.h"

#include "base/clock.h"
#include "base/duration.h"
#include "server/jobs.h"
#include "server/opener.h"
#include "server/order.h"
#include "server/parents.h"
#include "server/reason.h"
#include "server/record.h"
#include "server/starter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 100

struct parameters {
	const char *child, *parent, *status;
	int64_t since;
};

#define AT(member) offsetof(struct parameters, member)

static const struct api_field status_fields[] = {
    {"child", API_STRING, AT(child), true},
    {NULL, API_STRING, 0, false},
};

static const struct api_field list_fields[] = {
    {"parent", API_STRING, AT(parent), false},
    {"status", API_STRING, AT(status), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field results_fields[] = {
    {"parent", API_STRING, AT(parent), false},
    {"since", API_INTEGER, AT(since), false},
    {NULL, API_STRING, 0, false},
};

struct query {
	struct parameters p;
	struct call *call;
	int status;    /* enum status, -1: any */
	int64_t after; /* the last job or record that was found */
	json_t *found; /* the one to be sent next: it may be the last */
	size_t count;  /* found in this batch */
	int64_t job;   /* Status: whose answer the supervisor owes us, 0: none */
	bool is_asked; /* Status: the supervisor was */
};

static void
query_fini(struct call *call)
{
	struct query *q = call->own;

	json_decref(q->found);
}

static struct query *
begin(struct call *call, const struct api_field *fields)
{
	struct query *q = calloc(1, sizeof(*q));
	const char *field;
	struct fault f;

	if (q == NULL) {
		conn_drop(call->conn);
		return NULL;
	}
	call->own = q;
	call->fini = query_fini;
	q->call = call;
	field = api_read(&call->api, fields, &q->p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return NULL;
	}
	return q;
}

static void
set_time(json_t *o, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_ms == 0) {
		json_object_set_new(o, key, json_null());
		return;
	}
	clock_format(wall_ms, text);
	json_object_set_new(o, key, json_string(text));
}

static void
set_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, text != NULL ? json_string(text) : json_null());
}

static json_t *
limits_object(const struct limits *l)
{
	const struct config_row *row;
	json_t *o = json_object();
	char text[128];

	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		config_format_limit(l, row, text, sizeof(text));
		json_object_set_new(o, row->key, json_string(text));
	}
	return o;
}

static void
set_file(json_t *o, const char *key, const char *size_key, const char *path)
{
	struct stat st;
	bool is_there = lstat(path, &st) == 0 && S_ISREG(st.st_mode);

	json_object_set_new(o, key, json_string(path));
	if (size_key != NULL)
		json_object_set_new(o, size_key, is_there ? json_integer(st.st_size) : json_null());
}

/* is_alone: of List, which tells many, not: what costs more is left out. */
static json_t *
job_object(struct server *s, const struct store_job *j, bool is_alone)
{
	struct queue_job *live = queue_find(s->queue, j->job);
	enum status shown = j->status == STATUS_STARTING ? STATUS_QUEUED : j->status;
	char reason[REASON_SIZE];
	bool does_wait = reason_to_wait(s, j, live, is_alone, reason);
	char path[PATH_MAX] = "";
	json_t *meta = j->meta == NULL ? NULL : json_loads(j->meta, 0, NULL);
	json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:s, s:o}", "job", (json_int_t)j->job,
	    "run", (json_int_t)j->run, "parent", j->parent, "child", j->child, "status",
	    status_name(shown), "depth", (json_int_t)j->depth, "command", j->command, "meta",
	    meta != NULL ? meta : json_null());

	order_show(s, o, j);
	set_text(o, "profile", j->profile);
	set_text(o, "model", j->model);
	set_text(o, "disabled_tools", j->disabled_tools);
	json_object_set_new(o, "approvals", json_string(policy_name(j->policy)));
	json_object_set_new(o, "paused", json_boolean(live != NULL && live->is_paused));
	json_object_set_new(o, "pid",
	    j->status == STATUS_RUNNING && j->standing.pid != 0 ? json_integer(j->standing.pid)
								: json_null());
	set_time(o, "queued_at", j->queued_ms);
	set_time(o, "started_at", j->started_ms);
	set_time(o, "completed_at", j->ended_ms);
	json_object_set_new(o, "elapsed_ms",
	    j->started_ms != 0 && j->ended_ms != 0 ? json_integer(j->ended_ms - j->started_ms)
						   : json_null());
	json_object_set_new(o, "idle_ms", json_null());
	json_object_set_new(o, "last_event", json_null());
	json_object_set_new(o, "limits", limits_object(&j->limits));
	starter_output_path(&s->paths, j->job, path);
	set_file(o, "output", "output_bytes", path);
	starter_result_path(&s->paths, j->job, path);
	set_file(o, "result", NULL, path);
	set_text(o, "waits_for", does_wait ? reason : NULL);
	json_object_set_new(o, "record", json_null());
	return o;
}

json_t *
query_job(struct server *s, const struct store_job *j)
{
	return job_object(s, j, false);
}

static int
keep_job(void *arg, const struct store_job *j)
{
	struct query *q = arg;

	q->found = job_object(q->call->server, j, true);
	q->job = j->job;
	return 0;
}

static int
add_record(void *arg, const struct store_record *r)
{
	struct query *q = arg;
	json_t *record = json_loads(r->body, 0, NULL);

	/* The record knows more exactly than the row. */
	json_object_set(q->found, "elapsed_ms", json_object_get(record, "elapsed_ms"));
	json_object_set(q->found, "idle_ms", json_object_get(record, "idle_ms"));
	json_object_set(q->found, "last_event", json_object_get(record, "last_event"));
	json_object_set_new(q->found, "record", record);
	return 0;
}

static void
answer_status(struct call *call)
{
	struct query *q = call->own;
	json_t *job = q->found;

	q->found = NULL;
	call_reply(call, json_pack("{s:o}", "job", job));
}

static void
status_looked(struct call *call, const struct wire_looked *m)
{
	struct query *q = call->own;
	json_t *last;

	if ((int64_t)m->job != q->job)
		return;
	json_object_set_new(q->found, "paused", json_boolean(m->is_paused));
	last = record_last_event(&m->last);
	json_object_set_new(q->found, "elapsed_ms",
	    json_integer((json_int_t)(m->elapsed_ns / NSEC_PER_MSEC)));
	json_object_set_new(q->found, "idle_ms",
	    json_integer((json_int_t)(m->idle_ns / NSEC_PER_MSEC)));
	json_object_set_new(q->found, "last_event", last != NULL ? last : json_null());
	answer_status(call);
}

/* Answers what the store knows; of a running job, once the supervisor has said how it is. */
static void
status_pump(struct call *call)
{
	struct server *s = call->server;
	struct query *q = call->own;
	struct queue_job *j;

	json_decref(q->found);
	q->found = NULL;
	if (server_find_child(s, q->p.child, keep_job, q) < 0) {
		call_fail_no_child(call, q->p.child);
		return;
	}
	j = queue_find(s->queue, q->job);
	if (j == NULL || j->status != STATUS_RUNNING || !j->is_told) {
		store_read_record(s->store, q->job, add_record, q);
		answer_status(call);
	} else if (!q->is_asked) {
		jobs_look(s, j);
		q->is_asked = true;
	}
}

void
call_status(struct call *call)
{
	if (begin(call, status_fields) == NULL)
		return;
	call->pump = status_pump;
	call->looked = status_looked;
	status_pump(call);
}

/* Sends what was found before, now that it is not the last, and keeps this one. */
static void
found(struct query *q, json_t *object, int64_t number, const char *key)
{
	if (q->found != NULL && q->call->api.is_more)
		call_reply_more(q->call, json_pack("{s:o}", key, q->found));
	else
		json_decref(q->found);
	q->found = object;
	q->after = number;
	q->count++;
}

static int
found_job(void *arg, const struct store_job *j)
{
	struct query *q = arg;

	found(q, job_object(q->call->server, j, false), j->job, "job");
	return 0;
}

static int
found_record(void *arg, const struct store_record *r)
{
	struct query *q = arg;

	found(q, json_loads(r->body, 0, NULL), r->seq, "record");
	return 0;
}

/* Ends the stream, or leaves it to go on when the client has taken what was sent. */
static void
end_batch(struct call *call, int r, const char *key)
{
	struct query *q = call->own;
	json_t *last = q->found;

	if (r < 0) {
		call_fail_store(call);
	} else if (q->count < BATCH || !call->api.is_more) {
		q->found = NULL;
		call_reply(call, json_pack("{s:o}", key, last != NULL ? last : json_null()));
	}
}

static void
list_stream(struct call *call)
{
	struct query *q = call->own;
	int r;

	q->count = 0;
	r = server_check(call->server,
	    store_each_job(call->server->store, q->p.parent, q->status, q->after,
		call->api.is_more ? BATCH : 1, found_job, q));
	end_batch(call, r, "job");
}

static void
results_stream(struct call *call)
{
	struct query *q = call->own;
	int r;

	q->count = 0;
	r = server_check(call->server,
	    store_each_record(call->server->store, q->p.parent, q->after,
		call->api.is_more ? BATCH : 1, found_record, q));
	end_batch(call, r, "record");
}

void
call_list(struct call *call)
{
	struct query *q = begin(call, list_fields);

	if (q == NULL)
		return;
	q->status = q->p.status == NULL ? -1 : status_parse(q->p.status);
	if (q->p.status != NULL && (q->status < 0 || q->status == STATUS_STARTING)) {
		call_fail_argument(call, "status",
		    "must be queued, running, suspended, completed, error, "
		    "timeout, cancelled, lost or skipped");
		return;
	}
	if (q->p.parent != NULL && !parents_check(call, q->p.parent))
		return;
	call->stream = list_stream;
	list_stream(call);
}

void
call_results(struct call *call)
{
	struct query *q = begin(call, results_fields);

	if (q == NULL)
		return;
	if (q->p.parent != NULL && !parents_check(call, q->p.parent))
		return;
	q->after = q->p.since;
	call->stream = results_stream;
	results_stream(call);
}

void
call_info(struct call *call)
{
	struct server *s = call->server;
	char program[PATH_MAX];
	char *trouble = opener_trouble(s);

	path_of_program(program);
	call_reply(call,
	    json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:s, s:s, s:s?}",
		"version", SPAWND_VERSION, "pid", (int)s->supervisor_pid, "server_pid",
		(int)getpid(), "running", (json_int_t)queue_running(s->queue), "queued",
		(json_int_t)queue_queued(s->queue), "max_running",
		(json_int_t)s->config.max_running, "queue_limit", (json_int_t)s->config.queue_limit,
		"is_stopping", s->is_stopping, "socket", s->paths.listening, "database",
		s->paths.database, "config", s->paths.config, "program", program, "trouble",
		trouble));
	free(trouble);
}
