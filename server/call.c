/*
 * call: see call.h.
 */
#include "server/call.h"

#include "base/clock.h"
#include "base/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
call_abandon(struct call *call)
{
	struct server *s = call->server;

	TAILQ_REMOVE(call->is_resting ? &s->resting : &s->calls, call, entry);
	timer_disarm(&s->loop.timers, &call->timeout);
	if (call->fini != NULL)
		call->fini(call);
	free(call->own);
	api_call_fini(&call->api);
	free(call);
}

/* Ends the call; the connection is ready for the next one. */
static void
end(struct call *call, bool is_refused)
{
	struct conn *c = call->conn;

	call_abandon(call);
	conn_end_call(c, is_refused);
}

static void
send_last(struct call *call, json_t *message, bool is_refused)
{
	if (call->api.is_oneway)
		json_decref(message);
	else
		conn_send(call->conn, message);
	end(call, is_refused);
}

void
call_reply_more(struct call *call, json_t *parameters)
{
	conn_send(call->conn, api_reply(parameters, true));
}

void
call_reply(struct call *call, json_t *parameters)
{
	send_last(call, api_reply(parameters, false), false);
}

void
call_fail(struct call *call, const char *error, json_t *parameters)
{
	send_last(call, api_error(error, parameters), true);
}

void
call_fail_argument(struct call *call, const char *field, const char *reason)
{
	call_fail(call, "InvalidArgument",
	    json_pack("{s:s, s:s}", "field", field, "reason", reason));
}

void
call_fail_not_found(struct call *call, const char *what)
{
	call_fail(call, "NotFound", json_pack("{s:s}", "what", what));
}

void
call_fail_unknown(struct call *call, const char *id, const char *why)
{
	char text[ID_SIZE + 128];

	/* What is no id may be of any length, and is none that could be cut. */
	if (id_fault(id) != NULL) {
		call_fail_not_found(call, id);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", id, why);
	call_fail_not_found(call, text);
}

void
call_fail_no_child(struct call *call, const char *child)
{
	call_fail_unknown(call, child,
	    "no child has had that id, and no job that number; 'spawnd list' shows all");
}

void
call_fail_store(struct call *call)
{
	call_fail(call, "StoreFailed",
	    json_pack("{s:s}", "reason",
		call->server->trouble.is_on ? call->server->trouble.fault.text
					    : store_fault(call->server->store)));
}

static void
timed_out(void *arg)
{
	struct call *call = arg;

	if (call->expired != NULL)
		call->expired(call);
	else
		call_fail(call, "TimedOut", NULL);
}

void
call_set_timeout(struct call *call, int64_t timeout_ms)
{
	struct loop *l = &call->server->loop;

	if (timeout_ms < 0 || timeout_ms > INT64_MAX / (int64_t)NSEC_PER_MSEC)
		return;
	timer_arm(&l->timers, &call->timeout,
	    clock_add_ns(l->now_ns, (uint64_t)timeout_ms * NSEC_PER_MSEC));
}

void
call_rest(struct call *call)
{
	struct server *s = call->server;

	TAILQ_REMOVE(&s->calls, call, entry);
	TAILQ_INSERT_TAIL(&s->resting, call, entry);
	call->is_resting = true;
}

struct call *
call_new(struct server *s, struct conn *c, json_t *message)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL || api_call_init(&call->api, message) < 0) {
		if (call == NULL)
			json_decref(message);
		free(call);
		conn_drop(c);
		return NULL;
	}
	call->server = s;
	call->conn = c;
	timer_init(&call->timeout, timed_out, call);
	TAILQ_INSERT_TAIL(&s->calls, call, entry);
	conn_set_state(c, call);
	return call;
}

void
calls_pump(struct server *s)
{
	struct call *call, *next;

	TAILQ_FOREACH_SAFE (call, &s->calls, entry, next) {
		if (call->pump != NULL)
			call->pump(call);
	}
}

void
calls_end(struct server *s)
{
	struct call *call, *next;

	TAILQ_FOREACH_SAFE (call, &s->calls, entry, next) {
		call_fail(call, "ShuttingDown", NULL);
	}
	TAILQ_FOREACH_SAFE (call, &s->resting, entry, next) {
		call_fail(call, "ShuttingDown", NULL);
	}
}
