/*
 * retry: see retry.h.
 */
#include "server/retry.h"

#include "base/clock.h"
#include "server/due.h"
#include "server/starter.h"
#include "server/waiting.h"
#include "wire/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bit of enum store_retry, 0: after that it never is. */
static uint32_t
bit_of(enum status status)
{
	if (status == STATUS_ERROR)
		return STORE_RETRY_ERROR;
	if (status == STATUS_TIMEOUT)
		return STORE_RETRY_TIMEOUT;
	return status == STATUS_LOST ? STORE_RETRY_LOST : 0;
}

bool
retry_is_due(const struct queue_job *j, const struct store_order *order,
    const struct retry_cause *cause)
{
	return queue_is_live(j) && !j->is_cancelled && order->retried < order->retries &&
	    (order->retry_on & bit_of(cause->status)) != 0 && cause->cause != WIRE_CAUSE_OUTPUT &&
	    !cause->has_survivors;
}

uint64_t
retry_wait_ns(const struct store_order *order)
{
	uint64_t wait = order->retry_delay_ns;

	for (uint32_t i = 0; i < order->retried && wait != 0 && wait < RETRY_LONGEST_NS; i++) {
		wait *= 2;
		if (wait > RETRY_LONGEST_NS)
			wait = RETRY_LONGEST_NS;
	}
	return wait;
}

/* The event's body; the caller frees it. */
static char *
describe(const struct server *s, const struct store_job *job, const struct store_order *next,
    const struct retry_cause *cause)
{
	char due[CLOCK_TEXT_SIZE], *text;
	json_t *body;

	clock_format(due_wall_ms(s, next), due);
	body = json_pack("{s:I, s:s, s:s?, s:i, s:i, s:s}", "run", (json_int_t)job->run + 1,
	    "status", status_name(cause->status), "error",
	    cause->error != NULL && cause->error[0] != '\0' ? cause->error : NULL, "retry",
	    (int)next->retried, "retries", (int)next->retries, "due_at", due);
	/* What is wrong in words may have bytes of a path that are not UTF-8. */
	if (body == NULL)
		body = json_pack("{s:I, s:s, s:n, s:i, s:i, s:s}", "run", (json_int_t)job->run + 1,
		    "status", status_name(cause->status), "error", "retry", (int)next->retried,
		    "retries", (int)next->retries, "due_at", due);
	text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

/* What the run has left that the next one must not find; its output stays. */
static void
clean(struct server *s, struct queue_job *j, const struct limits *limits)
{
	char path[PATH_MAX];

	outputs_finish(s->outputs, j->number, limits);
	if (starter_beats_path(&s->paths, j->number, path) == 0)
		unlink(path);
	if (starter_result_path(&s->paths, j->number, path) == 0)
		unlink(path);
	leaders_drop(&s->leaders, (uint64_t)j->number);
	if (j->is_suspending)
		waiting_drop(s, j);
	j->is_told = j->is_paused = j->is_asked = false;
}

int
retry_begin(struct server *s, struct queue_job *j, const struct store_job *job,
    const struct retry_cause *cause)
{
	struct store_order next = job->order;
	char *body;
	int r;

	next.delay_ns = retry_wait_ns(&job->order);
	next.retried++;
	due_delay(s, &next);
	body = describe(s, job, &next, cause);
	r = body == NULL ? -ENOMEM
			 : store_set_retry(s->store, j->number, cause->started_ms, &next, body);
	free(body);
	if (server_check(s, r) < 0)
		return r;
	clean(s, j, &job->limits);
	/* Also where there is nothing to wait for: the supervisor is to forget the run before. */
	queue_put_back(s->queue, j, QUEUE_HOLD_TIME);
	queue_hold_until(s->queue, j, DUE_BOOT, next.due_ns);
	j->is_retry = true;
	s->has_news = true;
	return 0;
}
