/*
 * admit: see admit.h.
 */
#include "server/admit.h"

#include "server/caller.h"
#include "server/kin.h"

#include <inttypes.h>
#include <stdio.h>

static void
fail_depth(struct call *call, const char *child, int64_t depth)
{
	int64_t limit = call->server->config.max_depth;
	char reason[160];

	snprintf(reason, sizeof(reason),
	    "would be at depth %" PRId64 ", and max_depth in spawnd.ini is %" PRId64
	    " (a job whose parent is no job is at depth 0)",
	    depth, limit);
	call_fail(call, "DepthExceeded",
	    json_pack("{s:s, s:I, s:I, s:s}", "child", child, "depth", (json_int_t)depth, "limit",
		(json_int_t)limit, "reason", reason));
}

static void
fail_gone(struct call *call, const char *child, int64_t job, const char *why)
{
	char reason[160];

	snprintf(reason, sizeof(reason),
	    "is not accepted: job %" PRId64 ", which it would be below, %s", job, why);
	call_fail(call, "ParentGone",
	    json_pack("{s:s, s:I, s:s}", "child", child, "job", (json_int_t)job, "reason", reason));
}

bool
admit_child(struct call *call, const char *parent, int64_t parent_job, const char *child)
{
	struct server *s = call->server;
	struct kin above;
	int64_t cancelled;

	if (kin_find(s, parent, parent_job, &above) < 0) {
		call_fail_store(call);
		return false;
	}
	cancelled = above.job == 0 ? 0 : kin_cancelled(s, above.job);
	if (cancelled != 0)
		fail_gone(call, child, cancelled, "was cancelled with all that is below it");
	else if (above.has_ended && s->config.orphans == ORPHANS_CANCEL)
		fail_gone(call, child, above.job,
		    "has ended, and so has all that was below it (orphans = cancel)");
	else if (above.depth > s->config.max_depth)
		fail_depth(call, child, above.depth);
	else
		return true;
	return false;
}

bool
admit_to_queue(struct call *call, bool no_wait, int64_t parent_job, struct lender *l)
{
	struct server *s = call->server;

	/* One that is repeated may have waited before the server was killed. */
	if (l->job == 0 && !no_wait &&
	    (queue_is_full(s->queue) || lender_is_doubtful(s, parent_job)))
		l->job = caller_job(s, call->conn, parent_job);
	if (!queue_is_full(s->queue))
		return lender_settle(s, l);
	if (no_wait) {
		call_fail(call, "QueueFull",
		    json_pack("{s:I}", "limit", (json_int_t)s->config.queue_limit));
		return false;
	}
	lender_wait(s, l);
	return false;
}
