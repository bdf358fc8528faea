/*
 * kin: see kin.h.
 */
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

int64_t
kin_depth(const struct server *s, const char *parent)
{
	const struct queue_job *above = queue_find_child(s->queue, parent);

	return above == NULL ? 0 : above->depth + 1;
}

bool
kin_admit(struct call *call, const char *parent, const char *child)
{
	int64_t depth = kin_depth(call->server, parent);

	if (depth <= call->server->config.max_depth)
		return true;
	fail_depth(call, child, depth);
	return false;
}
