/*
 * call_approvals: see call_approvals.h.
 */
#include "server/call_approvals.h"

#include "base/id.h"
#include "server/approvals.h"
#include "server/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct api_field no_fields[] = {{NULL, API_STRING, 0, false}};

static json_t *
reply_of(json_t *approval)
{
	return json_pack("{s:o}", "approval", approval != NULL ? approval : json_null());
}

void
call_approvals(struct call *call)
{
	struct server *s = call->server;
	const struct approval *a;
	json_t *last = NULL;
	struct fault f;
	const char *field = api_read(&call->api, no_fields, NULL, &f);

	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	for (a = approvals_next(s, NULL); a != NULL; a = approvals_next(s, a)) {
		if (last != NULL && !call->api.is_more)
			break;
		if (last != NULL)
			call_reply_more(call, reply_of(last));
		last = approval_describe(a);
	}
	call_reply(call, reply_of(last));
}

struct take {
	const char *parent;
	int64_t since;
	struct approvals_taker taker;
	bool has_taken;
};

static const struct api_field take_fields[] = {
    {"parent", API_STRING, offsetof(struct take, parent), false},
    {"since", API_INTEGER, offsetof(struct take, since), false},
    {NULL, API_STRING, 0, false},
};

static void
take_fini(struct call *call)
{
	struct take *t = call->own;

	if (t->has_taken)
		approvals_leave(call->server, &t->taker);
}

static void
told(void *arg, json_t *event)
{
	struct call *call = arg;
	json_t *seq = json_incref(json_object_get(event, "seq"));

	call_reply_more(call, json_pack("{s:o, s:o}", "event", event, "seq", seq));
}

static int
is_child(void *arg, const struct store_job *j)
{
	return strcmp(arg, j->child) == 0;
}

/* For whom: a job takes for itself alone. False: the call is answered. */
static bool
find_taker(struct call *call, struct take *t)
{
	struct server *s = call->server;
	int64_t job = 0;
	int r = caller_prove(s, call->conn, &job);

	if (r == 0 && job != 0 && t->parent != NULL) {
		r = server_check(s,
		    store_read_job(s->store, job, is_child, (char *)(uintptr_t)t->parent));
		r = r == 0 ? -ESRCH : r < 0 ? r : 0;
	}
	t->taker.who = (struct taker){t->parent, job};
	if (r == -ESRCH)
		call_fail(call, "NotAllowed",
		    json_pack("{s:s}", "reason",
			"a job takes approvals for itself alone, in its own name"));
	else if (r < 0)
		call_fail_store(call);
	return r == 0;
}

void
call_take_approvals(struct call *call)
{
	struct take *t = calloc(1, sizeof(*t));
	const char *field;
	struct fault f;

	if (t == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = t;
	call->fini = take_fini;
	field = api_read(&call->api, take_fields, t, &f);
	if (field != NULL)
		call_fail_argument(call, field, f.text);
	else if (!call->api.is_more || call->api.is_oneway)
		call_fail_argument(call, "more", "this method needs a call with more");
	else if (t->parent != NULL && id_fault(t->parent) != NULL)
		call_fail_argument(call, "parent", id_fault(t->parent));
	else if (find_taker(call, t)) {
		call_rest(call);
		t->taker.told = told;
		t->taker.arg = call;
		t->taker.since = t->since;
		t->has_taken = true;
		call_reply_more(call,
		    json_pack("{s:n, s:I}", "event", "seq", (json_int_t)t->since));
		approvals_take(call->server, &t->taker);
	}
}
