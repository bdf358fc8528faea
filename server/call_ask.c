/*
 * call_ask: see call_ask.h. An asker whose connection is lost asks again with the same token: the
 * question stands by itself, and its decision is kept.
 */
#include "server/call_ask.h"

#include "base/clock.h"
#include "server/approvals.h"
#include "server/caller.h"
#include "server/lull.h"

#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 100

struct ask {
	const char *question, *token;
	int64_t timeout_ms, job;
	char id[APPROVAL_ID_SIZE]; /* "" before there is a question */
	bool is_lulled;
};

static const struct api_field ask_fields[] = {
    {"question", API_STRING, offsetof(struct ask, question), true},
    {"token", API_STRING, offsetof(struct ask, token), true},
    {"timeout_ms", API_INTEGER, offsetof(struct ask, timeout_ms), false},
    {"job", API_INTEGER, offsetof(struct ask, job), false},
    {NULL, API_STRING, 0, false},
};

/* A question's words and those of its decision, which outlive the callback. */
struct outcome {
	char id[APPROVAL_ID_SIZE];
	char ancestor[ID_SIZE];
	char question[APPROVAL_TEXT_SIZE], reason[APPROVAL_TEXT_SIZE];
	enum decision decision;
	enum decider decider;
	int64_t decided_ms;
	bool has_ancestor, has_reason;
};

static int
copy_outcome(void *arg, const struct store_approval *a)
{
	struct outcome *o = arg;

	*o = (struct outcome){.decision = a->decision,
	    .decider = a->decider,
	    .decided_ms = a->decided_ms,
	    .has_ancestor = a->ancestor != NULL,
	    .has_reason = a->reason != NULL};
	strlcpy(o->id, a->id, sizeof(o->id));
	strlcpy(o->question, a->question, sizeof(o->question));
	strlcpy(o->ancestor, a->ancestor != NULL ? a->ancestor : "", sizeof(o->ancestor));
	strlcpy(o->reason, a->reason != NULL ? a->reason : "", sizeof(o->reason));
	return 0;
}

/* What was decided, by whom, when. */
static json_t *
describe(const struct outcome *o)
{
	char at[CLOCK_TEXT_SIZE];

	clock_format(o->decided_ms, at);
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s}", "id", o->id, "decision",
	    decision_name(o->decision), "by", decider_name(o->decider), "ancestor",
	    o->has_ancestor ? o->ancestor : NULL, "reason", o->has_reason ? o->reason : NULL,
	    "decided_at", at);
}

static void
ask_fini(struct call *call)
{
	struct ask *a = call->own;

	if (a->is_lulled)
		lull_end(call->server, a->job);
}

/* Puts the question. Whether there is one; false: the call is answered. */
static bool
put(struct call *call, struct ask *a)
{
	struct store_approval q = {.job = a->job,
	    .token = a->token,
	    .question = a->question,
	    .timeout_ms = a->timeout_ms,
	    .deadline_ns = UINT64_MAX};
	int r;

	if (a->timeout_ms >= 0 && a->timeout_ms <= INT64_MAX / (int64_t)NSEC_PER_MSEC)
		q.deadline_ns =
		    clock_add_ns(clock_mono_ns(), (uint64_t)a->timeout_ms * NSEC_PER_MSEC);
	r = approvals_ask(call->server, &q, a->id);
	if (r == -EDQUOT || r == -EBUSY)
		call_fail(call, "TooManyQuestions",
		    json_pack("{s:s}", "reason",
			r == -EDQUOT ? "this job has too many questions; wait for an answer"
				     : "too many questions wait for an answer"));
	else if (r == -ENOENT)
		call_fail(call, "NotInJob", NULL);
	else if (r < 0)
		call_fail_store(call);
	return r == 0;
}

/* Finds the question by its token, or puts it. False: the call waits, or is answered. */
static bool
find_or_put(struct call *call, struct ask *a)
{
	struct server *s = call->server;
	struct outcome o;
	int r = server_check(s, store_find_approval(s->store, a->job, a->token, copy_outcome, &o));

	if (r == -ENOENT)
		/* Those who take it must have had time to come back. */
		return !approvals_is_settling(s) && put(call, a);
	if (r < 0) {
		call_fail_store(call);
		return false;
	}
	if (strcmp(o.question, a->question) != 0) {
		call_fail_argument(call, "token", "was used for another question of this job");
		return false;
	}
	strlcpy(a->id, o.id, sizeof(a->id));
	return true;
}

static void
ask_pump(struct call *call)
{
	struct server *s = call->server;
	struct ask *a = call->own;
	struct outcome o;
	int r;

	if (a->id[0] == '\0' && !find_or_put(call, a))
		return;
	if (approvals_find(s, a->id) != NULL) {
		if (!a->is_lulled)
			a->is_lulled = server_check(s, lull_begin(s, a->job)) == 0;
		return;
	}
	r = server_check(s, store_read_approval(s->store, a->id, copy_outcome, &o));
	if (r == -ENOENT)
		a->id[0] = '\0'; /* the turn in which it was put came to nothing */
	else if (r < 0)
		call_fail_store(call);
	else if (o.decision != DECISION_NONE)
		call_reply(call, describe(&o));
}

/* Which job asks: by its process, else as it says itself. False: the call is answered. */
static bool
find_asker(struct call *call, struct ask *a)
{
	struct server *s = call->server;
	const struct queue_job *j;
	bool is_certain;
	int64_t job = 0;
	int r = caller_find(s, call->conn, &job, &is_certain);

	if (r < 0 && r != -ESRCH) {
		call_fail_store(call);
		return false;
	}
	if (job != 0)
		a->job = job;
	j = queue_find(s->queue, a->job);
	if (j != NULL && (j->status == STATUS_RUNNING || j->status == STATUS_STARTING))
		return true;
	call_fail(call, "NotInJob", NULL);
	return false;
}

void
call_ask(struct call *call)
{
	struct ask *a = calloc(1, sizeof(*a));
	const char *field;
	struct fault f;

	if (a == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = a;
	call->fini = ask_fini;
	a->timeout_ms = -1;
	field = api_read(&call->api, ask_fields, a, &f);
	if (field != NULL)
		call_fail_argument(call, field, f.text);
	else if (a->question[0] == '\0' || strlen(a->question) >= APPROVAL_TEXT_SIZE)
		call_fail_argument(call, "question", "must have 1 to 4096 bytes");
	else if (a->token[0] == '\0' || strlen(a->token) > TOKEN_MAX)
		call_fail_argument(call, "token", "must have 1 to 100 bytes");
	else if (find_asker(call, a)) {
		call->pump = ask_pump;
		ask_pump(call);
	}
}

struct answer {
	const char *id, *decision, *reason, *parent;
};

static const struct api_field answer_fields[] = {
    {"id", API_STRING, offsetof(struct answer, id), true},
    {"decision", API_STRING, offsetof(struct answer, decision), true},
    {"reason", API_STRING, offsetof(struct answer, reason), false},
    {"parent", API_STRING, offsetof(struct answer, parent), false},
    {NULL, API_STRING, 0, false},
};

/* It does not wait for anybody: late, or never asked. */
static void
fail_closed(struct call *call, const char *id)
{
	struct server *s = call->server;
	struct outcome o;
	char what[96];
	int r = server_check(s, store_read_approval(s->store, id, copy_outcome, &o));

	snprintf(what, sizeof(what), "approval %.*s; 'spawnd approvals' lists them",
	    APPROVAL_ID_SIZE, id);
	if (r == -ENOENT)
		call_fail_not_found(call, what);
	else if (r < 0 || o.decision == DECISION_NONE)
		call_fail_store(call);
	else
		call_fail(call, "AlreadyDecided", describe(&o));
}

static void
fail_not_allowed(struct call *call, const struct approval *a)
{
	char reason[ID_SIZE + 64];

	if (a->row.put_to == NULL)
		strlcpy(reason, "the question is put to the user, outside of all jobs",
		    sizeof(reason));
	else
		snprintf(reason, sizeof(reason), "the question is put to '%s'", a->put_to);
	call_fail(call, "NotAllowed", json_pack("{s:s}", "reason", reason));
}

/* By its id, or that of the child that asks, if it asks nothing else. NULL: the call is answered. */
static struct approval *
find_named(struct call *call, const char *id)
{
	struct approval *a = approvals_find(call->server, id), *found = NULL;
	size_t count = 0;

	if (a != NULL)
		return a;
	while ((a = approvals_next(call->server, a)) != NULL) {
		if (strcmp(a->child, id) != 0)
			continue;
		found = a;
		count++;
	}
	if (count == 0)
		fail_closed(call, id);
	else if (count > 1)
		call_fail_argument(call, "id",
		    "this child has several questions that wait: answer one by its own id, "
		    "'spawnd approvals' lists them");
	return count == 1 ? found : NULL;
}

static void
answer(struct call *call, const struct answer *p, enum decision decision)
{
	struct server *s = call->server;
	struct taker who = {.id = p->parent};
	struct approval *a;
	json_t *reply;
	int r;

	/* What is due comes first: a timeout that has passed, a job that has ended. */
	approvals_look(s);
	approvals_turn(s);
	a = find_named(call, p->id);
	if (a == NULL)
		return;
	r = caller_prove(s, call->conn, &who.job);
	if (r == 0 && who.job != 0 && p->parent != NULL &&
	    (a->row.put_to == NULL || strcmp(p->parent, a->put_to) != 0))
		r = -ESRCH;
	if (r < 0 || !escalation_may_answer(&who, approval_put_to(a))) {
		fail_not_allowed(call, a);
		return;
	}
	reply = json_pack("{s:I, s:s}", "job", (json_int_t)a->row.job, "child", a->child);
	r = approvals_decide(s, a, decision,
	    who.id == NULL && who.job == 0 ? DECIDER_USER : DECIDER_ANCESTOR, p->reason);
	if (r == 0) {
		call_reply(call, reply);
		return;
	}
	json_decref(reply);
	call_fail_store(call);
}

void
call_answer(struct call *call)
{
	struct answer p = {.id = NULL};
	struct fault f;
	const char *field = api_read(&call->api, answer_fields, &p, &f);

	if (field != NULL)
		call_fail_argument(call, field, f.text);
	else if (p.reason != NULL && strlen(p.reason) >= APPROVAL_TEXT_SIZE)
		call_fail_argument(call, "reason", "must have no more than 4096 bytes");
	else if (strcmp(p.decision, "allow") == 0)
		answer(call, &p, DECISION_ALLOW);
	else if (strcmp(p.decision, "deny") == 0)
		answer(call, &p, DECISION_DENY);
	else
		call_fail_argument(call, "decision", "must be allow or deny");
}
