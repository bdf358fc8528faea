/*
 * call_events: see call_events.h. The feed does the work; a call is where a listener comes from.
 */
#include "server/call_events.h"

#include "server/call.h"

#include <errno.h>
#include <stdlib.h>

struct events {
	const char *parent;
	bool is_tree, is_followed;
	int64_t since;
	struct listener *listener;
};

static const struct api_field fields[] = {
    {"parent", API_STRING, offsetof(struct events, parent), false},
    {"tree", API_BOOLEAN, offsetof(struct events, is_tree), false},
    {"follow", API_BOOLEAN, offsetof(struct events, is_followed), false},
    {"since", API_INTEGER, offsetof(struct events, since), false},
    {NULL, API_STRING, 0, false},
};

static void
events_fini(struct call *call)
{
	struct events *e = call->own;

	if (e->listener != NULL)
		listeners_remove(e->listener);
}

static void
events_stream(struct call *call)
{
	struct events *e = call->own;

	feed_resume(e->listener);
}

static json_t *
reply_of(struct call *call, json_t *event)
{
	struct events *e = call->own;

	return json_pack("{s:o, s:I}", "event", event != NULL ? event : json_null(), "seq",
	    (json_int_t)feed_position(call->server->feed, e->listener));
}

static void
ended(void *arg, int result, const char *line)
{
	struct call *call = arg;

	if (result < 0)
		call_fail_store(call);
	else
		call_reply(call, reply_of(call, line == NULL ? NULL : json_loads(line, 0, NULL)));
}

/* False: the call is answered. */
static bool
read_parameters(struct call *call, struct events *e)
{
	struct fault f;
	const char *field = api_read(&call->api, fields, e, &f);
	bool has_since = json_is_integer(json_object_get(call->api.parameters, "since"));

	if (field != NULL)
		call_fail_argument(call, field, f.text);
	else if (has_since && e->since < 0)
		call_fail_argument(call, "since", "must be 0 or the seq of an event");
	else if (e->is_followed && (!call->api.is_more || call->api.is_oneway))
		call_fail_argument(call, "follow", "needs a call with more");
	else
		return true;
	return false;
}

void
call_events(struct call *call)
{
	struct events *e = calloc(1, sizeof(*e));
	struct listener_request request = {.conn = call->conn, .ended = ended, .arg = call};

	if (e == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = e;
	call->fini = events_fini;
	e->since = -1;
	if (!read_parameters(call, e))
		return;
	request.parent = e->parent;
	request.is_tree = e->is_tree;
	request.is_followed = e->is_followed;
	request.is_single = !call->api.is_more;
	request.since = e->since;
	e->listener = feed_subscribe(call->server->feed, &request);
	if (e->listener == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->stream = events_stream;
	call_rest(call);
	if (e->is_followed)
		call_reply_more(call, reply_of(call, NULL));
}
