/*
 * call_pause: see call_pause.h. The reply waits for the supervisor: it is asked how each job is
 * after it was told to stop it, and the wire keeps the order. All jobs are found before the first
 * is touched.
 */
#include "server/call_pause.h"

#include "server/jobs.h"
#include "server/parents.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum target_state {
	TARGET_FOUND,  /* nothing was sent: the supervisor may not have told of it yet */
	TARGET_SENT,   /* an answer about it is on its way that may be older than what was sent */
	TARGET_ASKED,  /* the next answer about it knows of what was sent */
	TARGET_DONE,   /* it is as it was to be */
	TARGET_MISSED, /* it has ended, or is about to */
	TARGET_STATE_COUNT
};

struct target {
	int64_t number;
	enum target_state state;
	bool is_named; /* not found by its parent: to miss it is an error */
};

struct pause {
	json_t *children, *jobs;
	const char *parent;
	bool is_paused; /* what is wished for */
	size_t count;
	struct target targets[];
};

static const struct api_field fields[] = {
    {"children", API_STRINGS, offsetof(struct pause, children), false},
    {"jobs", API_NUMBERS, offsetof(struct pause, jobs), false},
    {"parent", API_STRING, offsetof(struct pause, parent), false},
    {NULL, API_STRING, 0, false},
};

/* A row of the store that outlives the callback. */
struct row {
	int64_t number;
	enum status status;
	char child[ID_SIZE];
};

static int
copy_row(void *arg, const struct store_job *j)
{
	struct row *row = arg;

	row->number = j->job;
	row->status = j->status == STATUS_STARTING ? STATUS_QUEUED : j->status;
	strlcpy(row->child, j->child, sizeof(row->child));
	return 0;
}

static void
fail_not_running(struct call *call, const struct row *row)
{
	const char *status = row->status == STATUS_RUNNING ? "ending" : status_name(row->status);

	call_fail(call, "NotRunning",
	    json_pack("{s:I, s:s, s:s}", "job", (json_int_t)row->number, "child", row->child,
		"status", status));
}

/* Takes what was looked up, with result r, among the targets. False: the call is answered. */
static bool
add(struct call *call, struct pause *p, int r, const struct row *row, const char *what)
{
	if (r < 0)
		call_fail_not_found(call, what);
	else if (row->status != STATUS_RUNNING)
		fail_not_running(call, row);
	else
		p->targets[p->count++] = (struct target){.number = row->number, .is_named = true};
	return r == 0 && row->status == STATUS_RUNNING;
}

/* False: the call is answered. */
static bool
add_named(struct call *call, struct pause *p)
{
	struct server *s = call->server;
	struct row row;
	json_t *value;
	char what[32];
	size_t i;
	int r;

	json_array_foreach (p->children, i, value) {
		const char *child = json_string_value(value);

		r = server_find_child(s, child, copy_row, &row);
		if (r < 0) {
			call_fail_no_child(call, child);
			return false;
		}
		if (!add(call, p, 0, &row, child))
			return false;
	}
	json_array_foreach (p->jobs, i, value) {
		int64_t number = json_integer_value(value);

		r = server_check(s, store_read_job(s->store, number, copy_row, &row));
		snprintf(what, sizeof(what), "job %lld", (long long)number);
		if (!add(call, p, r, &row, what))
			return false;
	}
	return true;
}

/* False: the call is answered. */
static bool
add_children(struct call *call, struct pause *p)
{
	struct queue_parent *parent;
	struct queue_job *j;
	const size_t before = p->count;
	char what[ID_SIZE + 32];

	if (p->parent == NULL)
		return true;
	parent = queue_find_parent(call->server->queue, p->parent);
	for (j = parent == NULL ? NULL : TAILQ_FIRST(&parent->jobs); j != NULL;
	     j = TAILQ_NEXT(j, in_parent)) {
		if (j->status == STATUS_RUNNING)
			p->targets[p->count++] = (struct target){.number = j->number};
	}
	if (p->count > before)
		return true;
	if (!parents_check(call, p->parent))
		return false;
	snprintf(what, sizeof(what), "a running child of '%.*s'", ID_SIZE, p->parent);
	call_fail_not_found(call, what);
	return false;
}

/* Does for one target what can be done by now. */
static void
further(struct server *s, const struct pause *p, struct target *t)
{
	struct queue_job *j = queue_find(s->queue, t->number);

	if (t->state == TARGET_DONE || t->state == TARGET_MISSED)
		return;
	if (j == NULL || j->status != STATUS_RUNNING) {
		/* Who was told to go on may have ended before the answer. */
		t->state = !p->is_paused && t->state != TARGET_FOUND ? TARGET_DONE : TARGET_MISSED;
		return;
	}
	if (t->state != TARGET_FOUND || !j->is_told)
		return;
	jobs_pause(s, j, p->is_paused);
	t->state = j->is_asked ? TARGET_SENT : TARGET_ASKED;
	jobs_look(s, j);
}

static void
answer(struct call *call)
{
	struct pause *p = call->own;
	json_int_t done = 0;
	struct row row;

	for (size_t i = 0; i < p->count; i++) {
		const struct target *t = &p->targets[i];

		if (t->state == TARGET_MISSED && t->is_named &&
		    server_check(call->server,
			store_read_job(call->server->store, t->number, copy_row, &row)) == 0) {
			fail_not_running(call, &row);
			return;
		}
		done += t->state == TARGET_DONE;
	}
	call_reply(call, json_pack("{s:I}", p->is_paused ? "paused" : "unpaused", done));
}

static void
pause_pump(struct call *call)
{
	struct pause *p = call->own;
	bool is_settled = true;

	for (size_t i = 0; i < p->count; i++) {
		struct target *t = &p->targets[i];

		further(call->server, p, t);
		is_settled &= t->state == TARGET_DONE || t->state == TARGET_MISSED;
	}
	if (is_settled)
		answer(call);
}

static void
pause_looked(struct call *call, const struct wire_looked *m)
{
	struct server *s = call->server;
	struct pause *p = call->own;
	struct queue_job *j = queue_find(s->queue, (int64_t)m->job);

	for (size_t i = 0; i < p->count; i++) {
		struct target *t = &p->targets[i];

		if (t->number != (int64_t)m->job)
			continue;
		if (t->state == TARGET_SENT && j != NULL) {
			jobs_look(s, j);
			t->state = TARGET_ASKED;
		} else if (t->state == TARGET_ASKED) {
			t->state =
			    (m->is_paused != 0) == p->is_paused ? TARGET_DONE : TARGET_MISSED;
		}
	}
}

/* More than enough for all that these parameters can name. */
static size_t
room_for(struct call *call)
{
	const json_t *parameters = call->api.parameters;
	const char *parent = json_string_value(json_object_get(parameters, "parent"));

	return json_array_size(json_object_get(parameters, "children")) +
	    json_array_size(json_object_get(parameters, "jobs")) +
	    (parent == NULL ? 0 : server_unfinished(call->server, parent));
}

static void
begin(struct call *call, bool is_paused)
{
	struct pause *p = calloc(1, sizeof(*p) + room_for(call) * sizeof(p->targets[0]));
	const char *field;
	struct fault f;

	if (p == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = p;
	p->is_paused = is_paused;
	field = api_read(&call->api, fields, p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	if (!add_named(call, p) || !add_children(call, p))
		return;
	call->pump = pause_pump;
	call->looked = pause_looked;
	pause_pump(call);
}

void
call_pause(struct call *call)
{
	begin(call, true);
}

void
call_unpause(struct call *call)
{
	begin(call, false);
}
