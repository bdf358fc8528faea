/*
 * call_suspend: see call_suspend.h. The answer leaves after the commit, as all answers do: then the wait is
 * stored, and the job's process is being ended.
 */
#include "server/call_suspend.h"

#include "server/suspension.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct parameters {
	int64_t job;
	const char *word;
	enum waits_policy policy;
};

static const struct api_field fields[] = {
    {"job", API_INTEGER, offsetof(struct parameters, job), true},
    {"policy", API_STRING, offsetof(struct parameters, word), false},
    {NULL, API_STRING, 0, false},
};

static int
copy_status(void *arg, const struct store_job *j)
{
	*(enum status *)arg = j->status;
	return 0;
}

static void
refuse(struct call *call, int64_t number, const struct queue_job *j)
{
	enum status status = j != NULL ? j->status : STATUS_LOST;
	const char *name;
	char what[32];

	if (j == NULL &&
	    server_check(call->server,
		store_read_job(call->server->store, number, copy_status, &status)) < 0) {
		snprintf(what, sizeof(what), "job %" PRId64, number);
		call_fail_not_found(call, what);
		return;
	}
	name = status == STATUS_RUNNING ? "ending" : status_name(status);
	call_fail(call, "NotRunning",
	    json_pack("{s:I, s:s, s:s}", "job", (json_int_t)number, "child",
		j != NULL ? j->child : "", "status", name));
}

static void
fail(struct call *call, int error, const struct queue_job *j, const char *child)
{
	char text[3 * ID_SIZE + 160];

	if (error == -ENOENT) {
		snprintf(text, sizeof(text),
		    "children of %s that have not ended, or whose records nobody has taken; enqueue "
		    "some, and then suspend",
		    j->child);
		call_fail_not_found(call, text);
	} else if (error == -ELOOP) {
		snprintf(text, sizeof(text),
		    "%s, a child of %s, waits for %s itself: neither would ever go on; cancel %s",
		    child, j->child, j->child, child);
		call_fail_argument(call, "job", text);
	} else {
		call_fail_store(call);
	}
}

/*
 * Whether it is not known yet how the job is: it may ask before the supervisor's word that it runs has
 * come, to this server or to the first after a crash.
 */
static bool
is_to_come(const struct server *s, const struct queue_job *j)
{
	if (s->is_store_down)
		return true;
	if (j == NULL)
		return !s->is_synced;
	return queue_is_live(j) && (j->status != STATUS_RUNNING || !j->is_told);
}

static void
suspend_pump(struct call *call)
{
	struct server *s = call->server;
	const struct parameters *p = call->own;
	struct queue_job *j = queue_find(s->queue, p->job);
	const char *child = "";
	size_t count = 0;
	int r;

	if (is_to_come(s, j))
		return;
	if (j == NULL || j->status != STATUS_RUNNING || j->is_cancelled) {
		refuse(call, p->job, j);
		return;
	}
	r = suspension_begin(s, j, p->policy, &count, &child);
	if (r < 0)
		fail(call, r, j, child);
	else
		call_reply(call, json_pack("{s:I}", "children", (json_int_t)count));
}

void
call_suspend(struct call *call)
{
	struct parameters *p = calloc(1, sizeof(*p));
	const char *field;
	struct fault f;
	int policy;

	if (p == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = p;
	field = api_read(&call->api, fields, p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	policy = p->word == NULL ? WAITS_ALL : waits_policy_parse(p->word);
	if (policy < 0) {
		call_fail_argument(call, "policy", "must be all, any or first_error");
		return;
	}
	p->policy = (enum waits_policy)policy;
	call->pump = suspend_pump;
	suspend_pump(call);
}
