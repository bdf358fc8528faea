/*
 * call_wait: see call_wait.h. A call of a job lends that job's room, server/lend.h, and so is answered in
 * three steps: it waits, without sending anything; what it waits for has come, and it waits for its room; it
 * is answered like any other.
 */
#include "server/call_wait.h"

#include "server/await.h"
#include "server/caller.h"
#include "server/circle.h"
#include "server/lend.h"
#include "server/lull.h"
#include "server/parents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parameters {
	json_t *children, *jobs;
	const char *parent, *policy;
	int64_t by_job, timeout_ms;
	bool is_peek;
};

#define AT(member) offsetof(struct parameters, member)

static const struct api_field wait_fields[] = {
    {"children", API_STRINGS, AT(children), false},
    {"jobs", API_NUMBERS, AT(jobs), false},
    {"parent", API_STRING, AT(parent), false},
    {"policy", API_STRING, AT(policy), false},
    {"by_job", API_INTEGER, AT(by_job), false},
    {"timeout_ms", API_INTEGER, AT(timeout_ms), false},
    {"peek", API_BOOLEAN, AT(is_peek), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field next_fields[] = {
    {"parent", API_STRING, AT(parent), true},
    {"by_job", API_INTEGER, AT(by_job), false},
    {"timeout_ms", API_INTEGER, AT(timeout_ms), false},
    {NULL, API_STRING, 0, false},
};

struct wait {
	struct await await; /* first: await_find() looks for it here */
	struct parameters p;
	struct lender lender;
	bool is_lulled;   /* the lender's idle clock stands still */
	bool has_expired; /* a lender's time is over */
	char *
	    endless; /* it waits for ever: the call fails with this, once the lender has its room */
	bool is_doubtful; /* a circle is looked for each time, or when these have changed: */
	uint64_t begun;   /* s->waits_begun, */
	size_t children;  /* and how many of the parent's children have not ended */
};

static void
wait_fini(struct call *call)
{
	struct wait *w = call->own;

	lender_fini(call->server, &w->lender);
	if (w->is_lulled)
		lull_end(call->server, w->lender.job);
	await_fini(&w->await);
	free(w->endless);
}

static json_t *
reply_of(json_t *record)
{
	return json_pack("{s:o}", "record", record != NULL ? record : json_null());
}

/* Whether the call may be answered now, as far as its lender goes. 1, 0 or -errno. */
static int
is_due(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = call->own;
	int r;

	if (w->lender.is_lending) {
		r = w->has_expired || w->endless != NULL || await_is_hopeless(call)
		    ? 1
		    : await_is_met(call);
		if (r == 0)
			lender_wait(s, &w->lender);
		if (r <= 0)
			return r;
	}
	return lender_settle(s, &w->lender);
}

static const char *
awaited_field(const struct wait *w)
{
	if (w->await.parent != NULL)
		return "parent";
	return w->p.children != NULL ? "children" : "jobs";
}

static size_t
count_children(struct server *s, const struct wait *w)
{
	const struct queue_parent *p =
	    w->await.parent == NULL ? NULL : queue_find_parent(s->queue, w->await.parent);

	return p == NULL ? 0 : p->unfinished;
}

/* What could close a circle has been looked at, as it is now. */
static void
note_looked(struct server *s, struct wait *w, enum circle circle)
{
	w->is_doubtful = circle == CIRCLE_DOUBTFUL;
	w->begun = s->waits_begun;
	w->children = count_children(s, w);
}

/* Others may come to wait for the job that waits here, and of those that it waits for the last may have ended. */
static void
look_for_circle(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = call->own;
	char text[CIRCLE_TEXT_SIZE];
	enum circle circle;

	if (w->lender.job == 0 || w->endless != NULL ||
	    (!w->is_doubtful && w->begun == s->waits_begun && w->children == count_children(s, w)))
		return;
	circle = circle_look(s, w->lender.job, &w->await, text);
	note_looked(s, w, circle);
	if (circle == CIRCLE_CLOSED)
		w->endless = strdup(text);
}

static void
wait_pump(struct call *call)
{
	struct wait *w = call->own;
	json_t *record;
	int r;

	if (conn_pending(call->conn) > CONN_OUTPUT_HIGH)
		return;
	look_for_circle(call);
	r = is_due(call);
	if (r == 0)
		return;
	if (r > 0)
		r = await_find(call);
	record = w->await.record;
	w->await.record = NULL;
	if (r < 0) {
		json_decref(record);
		call_fail_store(call);
		return;
	}
	if (r > 0) {
		call_reply(call, reply_of(record));
		return;
	}
	if (record != NULL)
		call_reply_more(call, reply_of(record));
	if (w->has_expired)
		call_fail(call, "TimedOut", NULL);
	else if (w->endless != NULL)
		call_fail_argument(call, awaited_field(w), w->endless);
	else if (record == NULL && await_is_hopeless(call))
		call_fail(call, "ShuttingDown", NULL);
	else if (record == NULL && w->lender.job != 0 && await_is_met(call) == 0)
		lender_wait(call->server, &w->lender); /* somebody else was faster */
}

/* A lender is told once it has its room. */
static void
wait_expired(struct call *call)
{
	struct wait *w = call->own;

	if (w->lender.job == 0) {
		call_fail(call, "TimedOut", NULL);
		return;
	}
	w->has_expired = true;
	wait_pump(call);
}

static int
note_job(void *arg, const struct store_job *j)
{
	struct call *call = arg;
	struct wait *w = call->own;

	server_note(call->server, &w->await.jobs, j->job);
	return 0;
}

/*
 * The jobs that are meant, looked up once. Returns false where one does not exist: the call is
 * answered.
 */
static bool
look_up_jobs(struct call *call)
{
	struct wait *w = call->own;
	struct store *store = call->server->store;
	size_t i;
	json_t *value;
	char number[32];

	json_array_foreach (w->p.children, i, value) {
		if (server_find_child(call->server, json_string_value(value), note_job, call) < 0) {
			call_fail_no_child(call, json_string_value(value));
			return false;
		}
	}
	json_array_foreach (w->p.jobs, i, value) {
		if (store_read_job(store, json_integer_value(value), note_job, call) < 0) {
			snprintf(number, sizeof(number), "job %lld",
			    (long long)json_integer_value(value));
			call_fail_not_found(call, number);
			return false;
		}
	}
	return true;
}

/* Makes the call's state; NULL where a parameter is wrong: the call is answered. */
static struct wait *
begin(struct call *call, const struct api_field *fields)
{
	struct wait *w = calloc(1, sizeof(*w));
	const char *field;
	struct fault f;

	if (w == NULL) {
		conn_drop(call->conn);
		return NULL;
	}
	call->own = w;
	call->fini = wait_fini;
	w->p.timeout_ms = -1;
	field = api_read(&call->api, fields, &w->p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return NULL;
	}
	w->await.parent = w->p.parent;
	w->await.is_peek = w->p.is_peek;
	return w;
}

static int
stop_at_first(void *arg, const struct store_job *j)
{
	(void)arg;
	(void)j;
	return 1;
}

/* Whether the job is this one, or below it. */
static bool
is_within(struct server *s, int64_t job, int64_t top)
{
	return job == top || family_is_below(s->family, job, top);
}

/* Whether the job, or one above it, is a child of the parent. */
static bool
is_within_parent(struct server *s, const struct queue_job *j, const char *parent)
{
	const struct family_node *n = family_find(s->family, j->number);
	bool is = strcmp(j->parent->name, parent) == 0;

	for (; n != NULL && !is; n = n->above)
		is = strcmp(n->parent, parent) == 0;
	return is;
}

/* Nobody ends before himself, nor do those above him before he has been answered. Answers such a call. */
static bool
check_endless(struct call *call)
{
	struct server *s = call->server;
	const struct wait *w = call->own;
	const struct queue_job *me = w->p.by_job <= 0 ? NULL : queue_find(s->queue, w->p.by_job);
	const struct queue_job *j;
	char reason[2 * ID_SIZE + 100];

	if (me == NULL)
		return true;
	if (w->await.parent != NULL && is_within_parent(s, me, w->await.parent)) {
		snprintf(reason, sizeof(reason),
		    "'%s' has the job that waits among what is below it: it would wait for its own end",
		    w->await.parent);
		call_fail_argument(call, "parent", reason);
		return false;
	}
	for (size_t i = 0; i < w->await.jobs.count; i++) {
		j = queue_find(s->queue, w->await.jobs.items[i]);
		if (j == NULL || !is_within(s, me->number, j->number))
			continue;
		snprintf(reason, sizeof(reason), "'%s' is %s: it would wait for its own end",
		    j->child, j == me ? "the job that waits" : "above the job that waits");
		call_fail_argument(call, awaited_field(w), reason);
		return false;
	}
	return true;
}

/* Nor does the job itself before those that wait for it, where it waits for them. Answers such a call. */
static bool
check_circle(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = call->own;
	char text[CIRCLE_TEXT_SIZE];
	enum circle circle = circle_look(s, w->p.by_job, &w->await, text);

	note_looked(s, w, circle);
	if (circle == CIRCLE_CLOSED)
		call_fail_argument(call, awaited_field(w), text);
	return circle != CIRCLE_CLOSED;
}

/* Whether all that is waited for, and has not ended, is below the job. */
static bool
is_own(struct server *s, const struct wait *w, int64_t job)
{
	const struct queue_job *j;

	if (w->await.parent != NULL) {
		j = queue_find_child(s->queue, w->await.parent);
		return j != NULL && is_within(s, j->number, job);
	}
	for (size_t i = 0; i < w->await.jobs.count; i++) {
		j = queue_find(s->queue, w->await.jobs.items[i]);
		if (j != NULL && !family_is_below(s->family, j->number, job))
			return false;
	}
	return true;
}

/* The call is right: it waits, and is answered at once if it can be. */
static void
start(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = call->own;

	call->expired = wait_expired;
	call_set_timeout(call, w->p.timeout_ms);
	call->pump = wait_pump;
	w->lender.job = caller_job(s, call->conn, w->p.by_job);
	lender_wait(s, &w->lender);
	call->waiting_job = w->lender.job;
	if (w->lender.job != 0 && w->p.timeout_ms < 0)
		call->awaits = &w->await;
	if (w->lender.job != 0 && is_own(s, w, w->lender.job))
		w->is_lulled = lull_begin(s, w->lender.job) == 0;
	wait_pump(call);
}

void
call_wait(struct call *call)
{
	struct wait *w = begin(call, wait_fields);
	int policy;

	if (w == NULL)
		return;
	policy = w->p.policy == NULL ? AWAIT_ALL : await_policy_parse(w->p.policy);
	if (policy < 0) {
		call_fail_argument(call, "policy", "must be all, any or first_error");
		return;
	}
	/* The first of one reply is the last. */
	w->await.policy = call->api.is_more ? (enum await_policy)policy : AWAIT_ANY;
	if ((w->p.parent != NULL) == (w->p.children != NULL || w->p.jobs != NULL)) {
		call_fail_argument(call, "children", "name either children or jobs, or a parent");
		return;
	}
	if (w->p.parent != NULL &&
	    store_each_job(call->server->store, w->p.parent, -1, 0, 1, stop_at_first, NULL) == 0) {
		call_fail_unknown(call, w->p.parent, "no child has had that parent");
		return;
	}
	if (!look_up_jobs(call) || !check_endless(call) || !check_circle(call))
		return;
	call->stream = wait_pump;
	start(call);
}

void
call_next(struct call *call)
{
	struct wait *w = begin(call, next_fields);

	if (w == NULL)
		return;
	/* One reply, whatever was asked for. */
	call->api.is_more = false;
	w->await.policy = AWAIT_ANY;
	if (queue_find_parent(call->server->queue, w->p.parent) == NULL &&
	    !parents_check(call, w->p.parent))
		return;
	if (check_circle(call))
		start(call);
}
