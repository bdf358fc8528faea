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

struct parameters {
	int64_t job;
	const char *policy;
};

static const struct api_field fields[] = {
    {"job", API_INTEGER, offsetof(struct parameters, job), true},
    {"policy", API_STRING, offsetof(struct parameters, policy), false},
    {NULL, API_STRING, 0, false},
};

static int
copy_status(void *arg, const struct store_job *j)
{
	*(enum status *)arg = j->status;
	return 0;
}

/* The job that runs, or NULL: the call is answered. */
static struct queue_job *
find_running(struct call *call, int64_t number)
{
	struct server *s = call->server;
	struct queue_job *j = queue_find(s->queue, number);
	enum status status = j != NULL ? j->status : STATUS_LOST;
	const char *name;
	char what[32];

	if (j != NULL && j->status == STATUS_RUNNING && j->is_told && !j->is_cancelled)
		return j;
	if (j == NULL &&
	    server_check(s, store_read_job(s->store, number, copy_status, &status)) < 0) {
		snprintf(what, sizeof(what), "job %" PRId64, number);
		call_fail_not_found(call, what);
		return NULL;
	}
	name = status == STATUS_RUNNING ? "ending" : status_name(status);
	call_fail(call, "NotRunning",
	    json_pack("{s:I, s:s, s:s}", "job", (json_int_t)number, "child",
		j != NULL ? j->child : "", "status", name));
	return NULL;
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

void
call_suspend(struct call *call)
{
	struct parameters p = {.policy = "all"};
	struct fault f;
	const char *field = api_read(&call->api, fields, &p, &f), *child = "";
	struct queue_job *j;
	size_t count = 0;
	int policy, r;

	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	policy = waits_policy_parse(p.policy != NULL ? p.policy : "all");
	if (policy < 0) {
		call_fail_argument(call, "policy", "must be all, any or first_error");
		return;
	}
	j = find_running(call, p.job);
	if (j == NULL)
		return;
	r = suspension_begin(call->server, j, (enum waits_policy)policy, &count, &child);
	if (r < 0)
		fail(call, r, j, child);
	else
		call_reply(call, json_pack("{s:I}", "children", (json_int_t)count));
}
