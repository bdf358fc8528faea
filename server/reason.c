/*
 * reason: see reason.h.
 */
#include "server/reason.h"

#include "base/clock.h"
#include "server/approvals.h"
#include "server/due.h"
#include "server/waiting.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>

_Static_assert(REASON_SIZE >= WAITING_TEXT_SIZE, "what waiting.h writes fits");

static void
describe_time(struct server *s, const struct store_order *o, char reason[REASON_SIZE])
{
	char due[CLOCK_TEXT_SIZE];

	clock_format(due_wall_ms(s, o), due);
	if (o->retried > 0)
		snprintf(reason, REASON_SIZE, "retry %" PRIu32 " of %" PRIu32 " at %s", o->retried,
		    o->retries, due);
	else
		snprintf(reason, REASON_SIZE, "its time: delayed until %s", due);
}

static void
describe_room(struct server *s, struct queue_job *j, bool is_counted, char reason[REASON_SIZE])
{
	char ahead[32] = "";

	if (is_counted)
		snprintf(ahead, sizeof(ahead), ", %zu ahead", queue_ahead(s->queue, j));
	switch (queue_shortage_of(j)) {
	case QUEUE_SHORT_POOL_UNKNOWN:
		snprintf(reason, REASON_SIZE,
		    "pool %s, which the configuration does not have any more", j->pool->name);
		return;
	case QUEUE_SHORT_OF_PARENT:
		snprintf(reason, REASON_SIZE,
		    "room for its parent (max_running_per_parent %" PRIu32 ")%s",
		    s->config.max_running_per_parent, ahead);
		return;
	case QUEUE_SHORT_OF_POOL:
		snprintf(reason, REASON_SIZE, "room in pool %s%s", j->pool->name, ahead);
		return;
	case QUEUE_SHORT_OF_ALL:
		snprintf(reason, REASON_SIZE, "room%s", ahead);
		return;
	}
}

/* Whether the job has asked, and nobody has answered yet. */
static bool
describe_question(struct server *s, int64_t job, char reason[REASON_SIZE])
{
	const struct approval *a = approvals_next(s, NULL);

	while (a != NULL && a->row.job != job)
		a = approvals_next(s, a);
	if (a != NULL)
		snprintf(reason, REASON_SIZE, "an answer from %s",
		    a->row.put_to != NULL ? a->row.put_to : "you");
	return a != NULL;
}

bool
reason_to_wait(struct server *s, const struct store_job *job, struct queue_job *j, bool is_counted,
    char reason[REASON_SIZE])
{
	if (j == NULL)
		return false;
	if (j->status == STATUS_SUSPENDED || (j->holds & QUEUE_HOLD_WAIT))
		return waiting_describe(s, j, reason);
	if (j->status == STATUS_RUNNING && describe_question(s, job->job, reason))
		return true;
	if (j->is_lent) {
		strlcpy(reason,
		    j->place.line != NULL ? "room, to go on" : "others, and has lent its room",
		    REASON_SIZE);
		return true;
	}
	if (j->status != STATUS_QUEUED && j->status != STATUS_STARTING)
		return false;
	if (j->status == STATUS_STARTING)
		strlcpy(reason, "its start", REASON_SIZE);
	else if (j->holds & QUEUE_HOLD_TIME)
		describe_time(s, &job->order, reason);
	else if (s->is_stopping)
		strlcpy(reason, "spawnd stops: for its next start", REASON_SIZE);
	else
		describe_room(s, j, is_counted, reason);
	return true;
}
