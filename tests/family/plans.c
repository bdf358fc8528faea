/*
 * plans: see plans.h.
 */
#include "tests/family/plans.h"

#include "tests/sim/world.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* More than the longest grace period, and than a supervisor and a server need to come back. */
#define PATIENCE_NS (13 * NSEC_PER_SEC)

static struct {
	size_t count;
	bool are_orphans_ended;
	struct plan all[PLANS_MAX];
} * plans;

void
plans_init(bool are_orphans_ended)
{
	if (plans == NULL)
		plans = world_memory(sizeof(*plans));
	memset(plans->all, 0, plans->count * sizeof(plans->all[0]));
	plans->count = 0;
	plans->are_orphans_ended = are_orphans_ended;
}

size_t
plans_count(void)
{
	return plans->count;
}

struct plan *
plans_at(size_t i)
{
	return &plans->all[i];
}

struct plan *
plans_new(struct plan *above, const char *user)
{
	struct plan *p = &plans->all[plans->count];

	if (plans->count == PLANS_MAX)
		return NULL;
	p->number = (unsigned)++plans->count;
	p->above = above;
	p->depth = above == NULL ? 0 : above->depth + 1;
	snprintf(p->parent, sizeof(p->parent), "%s", above == NULL ? user : above->child);
	snprintf(p->child, sizeof(p->child), "c%u", p->number);
	if (above != NULL && above->is_cancel_asked)
		p->is_cancel_asked = true;
	return p;
}

struct plan *
plans_of_child(const char *child)
{
	unsigned long number = child == NULL || child[0] != 'c' ? 0 : strtoul(child + 1, NULL, 10);

	if (number == 0 || number > plans->count)
		world_broken(0, "no job comes from nowhere", "child '%s'",
		    child == NULL ? "" : child);
	return &plans->all[number - 1];
}

void
plans_accepted(struct plan *p, int64_t job)
{
	world_note(p->number, "accepted: job", job, 0);
	if (p->job != 0 && p->job != job)
		world_broken(p->number, "a call that is repeated makes one job",
		    "job %" PRId64 ", before %" PRId64, job, p->job);
	p->job = job;
}

bool
plans_is_unfinished(const struct plan *p)
{
	return p->job != 0 && p->seq == 0;
}

/* All that are below p, and p itself. */
static bool
is_below(const struct plan *q, const struct plan *p)
{
	while (q != NULL && q != p)
		q = q->above;
	return q == p;
}

void
plans_ask_cancel(struct plan *p)
{
	for (size_t i = 0; i < plans->count; i++) {
		if (is_below(&plans->all[i], p))
			plans->all[i].is_cancel_asked = true;
	}
}

static void
is_gone_by_now(void *arg, uint64_t tag)
{
	const struct plan *p = &plans->all[tag];

	(void)arg;
	if (p->is_alive || p->is_sent)
		world_broken(p->number, "cancel leaves nothing", "it runs long after that");
}

void
plans_cancelled(struct plan *p)
{
	world_note(p->number, "cancelled", 0, 0);
	for (size_t i = p->number - 1; i < plans->count; i++) {
		if (!is_below(&plans->all[i], p) || !plans_is_unfinished(&plans->all[i]))
			continue;
		plans->all[i].is_cancelled = true;
		world_at(world_now() + PATIENCE_NS, is_gone_by_now, NULL, i);
	}
}

/* One that came later, from a job that was to end. */
static bool
is_to_be_gone(const struct plan *p)
{
	for (; p != NULL; p = p->above) {
		if (p->is_cancelled)
			return true;
	}
	return false;
}

/* Whether it has certainly not completed, or certainly has; that of one that is lost nobody knows. */
static bool
has_failed(const struct plan *p)
{
	return p->has_status && !p->may_be_lost &&
	    (p->cause != WIRE_CAUSE_NONE || p->wait_status != 0) && !p->is_suspending;
}

static bool
has_completed(const struct plan *p)
{
	return p->has_status && p->cause == WIRE_CAUSE_NONE && p->wait_status == 0 &&
	    !p->is_suspending;
}

/* One above it has had an end, after which its children may be ended. */
static bool is_orphan(const struct plan *p);

/* Whether it has certainly failed, and certainly is to be run again. */
static bool
is_between_runs(const struct plan *p)
{
	return has_failed(p) && p->cause != WIRE_CAUSE_CANCEL && p->run <= p->retries &&
	    !p->is_cancel_asked && !is_orphan(p);
}

/* What it waited for has come. */
static void
check_after(const struct plan *p)
{
	size_t ended = 0;

	for (size_t i = 0; i < p->after_count; i++) {
		const struct plan *q = p->after[i];

		ended += !q->is_alive && !q->is_sent && !is_between_runs(q);
		if (p->is_after_ok && !p->is_after_any && has_failed(q))
			world_broken(p->number, "who was to wait for success is skipped",
			    "c%u has failed", q->number);
	}
	if (p->after_count > 0 && ended < (p->is_after_any ? 1 : p->after_count))
		world_broken(p->number, "nobody starts before those it waits for have ended",
		    "%zu of %zu have", ended, p->after_count);
	if (world_now() < p->not_before_ns)
		world_broken(p->number, "nobody starts before the time", "%" PRIu64 " ms too early",
		    (p->not_before_ns - world_now()) / NSEC_PER_MSEC);
}

/* It is run again, after it was suspended: its children have ended, or one of them. */
static void
check_resumed(const struct plan *p)
{
	size_t living = 0, children = 0;

	for (size_t i = p->number; i < plans->count; i++) {
		if (plans->all[i].above != p || plans->all[i].job == 0)
			continue;
		children++;
		living += plans->all[i].is_alive || plans->all[i].is_sent ||
		    is_between_runs(&plans->all[i]);
	}
	if (living > 0)
		world_broken(p->number,
		    "who was suspended is run again when its children have ended", "%zu of %zu run",
		    living, children);
}

/* Whether the run that was sent last may have come to an end after which another is due. */
static bool
may_be_retried(const struct plan *p)
{
	if (p->is_not_executable || (p->is_retry_on_lost && p->may_be_lost))
		return true;
	return p->executed_of_run > 0 && p->has_status &&
	    (p->cause == WIRE_CAUSE_TOTAL || (p->cause == WIRE_CAUSE_NONE && p->wait_status != 0));
}

/* It is sent for another run. */
static void
check_retry(const struct plan *p, unsigned run)
{
	if (run != p->run + 1 && (run <= p->run || run > p->run + 1 + p->unsent))
		world_broken(p->number, "every run that is counted was executed",
		    "run %u is started, after run %u", run, p->run);
	if (run > p->retries + 1)
		world_broken(p->number, "no job is run more often than it may", "run %u of %u", run,
		    p->retries + 1);
	if (p->run > 0 && !may_be_retried(p))
		world_broken(p->number, "only what has failed is run again", "run %u", run);
}

static void
begin_run(struct plan *p, unsigned run)
{
	check_retry(p, run);
	p->run = run;
	p->executed_of_run = 0;
	p->is_suspending = p->is_suspended = p->is_not_executable = false;
}

void
plans_spawned(struct plan *p, int64_t job, unsigned run)
{
	world_note(p->number, "SPAWN sent: job, times before", job, p->spawned);
	plans_accepted(p, job);
	if (is_to_be_gone(p))
		world_broken(p->number, "cancel leaves nothing", "it is started afterwards");
	if (p->seq != 0)
		world_broken(p->number, "what has ended stays so", "it is started");
	if (p->is_alive || p->is_sent)
		world_broken(p->number, "no job runs twice at once", "it is started again");
	if (run != p->run)
		begin_run(p, run);
	if (p->executed_of_run > 0 && !p->is_suspending)
		world_broken(p->number, "no run is executed twice", "run %u is started again", run);
	if (p->executed_of_run > 0) {
		check_resumed(p);
		p->was_suspended = true;
	}
	check_after(p);
	if (p->is_not_executable)
		world_broken(p->number, "what cannot be started is not tried again", "it is");
	p->spawned++;
	p->unsent = 0;
	p->is_sent = true;
	p->has_status = p->may_be_lost = false;
}

void
plans_executed(struct plan *p)
{
	p->is_sent = false;
	p->is_alive = true;
	p->has_status = p->may_be_lost = p->is_suspending = p->is_suspended = false;
	p->cause = WIRE_CAUSE_NONE;
	p->executed++;
	p->executed_of_run++;
	world_note(p->number, "it is executed: times, run", p->executed, p->run);
}

static bool
is_orphan(const struct plan *p)
{
	for (p = p->above; plans->are_orphans_ended && p != NULL; p = p->above) {
		if ((p->has_status || p->may_be_lost || p->is_not_executable) &&
		    !is_between_runs(p))
			return true;
	}
	return false;
}

/* One that it waited for may not have completed. */
static bool
may_be_skipped(const struct plan *p)
{
	for (size_t i = 0; p->is_after_ok && i < p->after_count; i++) {
		if (!has_completed(p->after[i]) || p->after[i]->may_be_lost)
			return true;
	}
	return false;
}

/* Whether a record may say so, after what has happened in truth. */
static bool
is_possible(const struct plan *p, enum status status)
{
	bool by_itself = p->has_status && p->cause == WIRE_CAUSE_NONE && !p->is_suspended;

	switch (status) {
	case STATUS_COMPLETED:
		return by_itself && p->wait_status == 0;
	case STATUS_ERROR:
		return p->is_not_executable || (by_itself && p->wait_status != 0);
	case STATUS_TIMEOUT:
		return p->has_status && p->cause == WIRE_CAUSE_TOTAL;
	case STATUS_CANCELLED:
		return (p->is_cancel_asked || is_orphan(p)) &&
		    (!p->has_status || p->cause == WIRE_CAUSE_CANCEL || p->is_suspending ||
			(p->run <= p->retries && may_be_retried(p)));
	case STATUS_LOST:
		return p->may_be_lost;
	case STATUS_SKIPPED:
		return p->spawned == 0 && may_be_skipped(p);
	case STATUS_QUEUED:
	case STATUS_STARTING:
	case STATUS_RUNNING:
	case STATUS_SUSPENDED:
	case STATUS_COUNT:
		break;
	}
	return false;
}

/* The run that the record is of has been, or was never begun. */
static void
check_run(const struct plan *p, enum status status, json_int_t run)
{
	bool never_was = status == STATUS_CANCELLED || status == STATUS_SKIPPED;
	unsigned least = p->run == 0 ? 1 : p->run;
	unsigned most = p->run + (never_was ? 1 : 0) + p->unsent;

	if (run < (json_int_t)least || run > (json_int_t)(most < least ? least : most))
		world_broken(p->number, "every run that is counted was executed",
		    "it has ended in run %d, and was started for run %u last", (int)run, p->run);
	if ((status == STATUS_ERROR || status == STATUS_TIMEOUT) && p->run <= p->retries &&
	    !p->is_cancel_asked && !is_orphan(p))
		world_broken(p->number, "what has failed is run again", "it has ended in run %u",
		    p->run);
}

struct plan *
plans_record(const json_t *record)
{
	struct plan *p = plans_of_child(json_string_value(json_object_get(record, "child")));
	const char *parent = json_string_value(json_object_get(record, "parent"));
	int64_t seq = json_integer_value(json_object_get(record, "seq"));
	const char *name = json_string_value(json_object_get(record, "status"));
	enum status status = (enum status)status_parse(name);

	plans_accepted(p, json_integer_value(json_object_get(record, "job")));
	if (p->seq != 0 && (p->seq != seq || p->status != status))
		world_broken(p->number, "one record each", "%s, seq %" PRId64 ", and before %s",
		    name, seq, status_name(p->status));
	if (strcmp(parent, p->parent) != 0)
		world_broken(p->number, "a record names its parent", "%s", parent);
	if (p->is_alive)
		world_broken(p->number, "nothing is left of what has ended", "%s, and it runs",
		    name);
	if (p->seq == 0)
		world_note(p->number, "its record was seen: seq, status", seq, (int64_t)status);
	p->seq = seq;
	p->status = status;
	check_run(p, status, json_integer_value(json_object_get(record, "run")));
	if (!is_possible(p, status))
		world_broken(p->number, "a record tells the truth", "%s, cause %" PRIu32, name,
		    p->cause);
	return p;
}

void
plans_check_end(void)
{
	for (size_t i = 0; i < plans->count; i++) {
		const struct plan *p = &plans->all[i];

		if (p->is_alive)
			world_broken(p->number, "nothing is left at the end", "it runs");
		if (p->job != 0 && p->seq == 0)
			world_broken(p->number, "every job ends in a record", "it has none");
		if (p->is_refused && p->job != 0)
			world_broken(p->number, "what was refused is no job", "job %" PRId64,
			    p->job);
	}
}
