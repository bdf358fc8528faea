/*
 * scripts: see scripts.h.
 */
#include "tests/family/scripts.h"

#include "tests/family/clients.h"
#include "tests/family/plans.h"
#include "tests/family/promises.h"
#include "tests/family/supervisor.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define USERS_MAX 8
#define PAUSE_NS (400 * NSEC_PER_MSEC)

enum doing {
	DOING_NOTHING,
	DOING_ENQUEUE,
	DOING_WAIT,
	DOING_ACKNOWLEDGE,
	DOING_CANCEL,
	DOING_PAUSE,
	DOING_SUSPEND,
	DOING_RESULTS
};

/* A user, or a job's process: who makes one call at a time. */
struct actor {
	unsigned client;
	unsigned plan; /* its number; 0: a user */
	char name[PLAN_ID_SIZE];
	enum doing doing;
	unsigned object; /* the plan that the call is about, or 0 */
	unsigned executed;
	unsigned acts_left;
	int64_t seqs[64];
	unsigned seq_count;
	bool is_ending; /* it was cancelled, and knows */
	bool is_over;
};

/* Users first, then the job of plan number n at USERS_MAX + n. */
static struct {
	unsigned users, jobs;
	bool is_calm, has_results;
	bool has_priorities, has_pools, has_waits, has_suspensions, has_retries;
	struct actor all[USERS_MAX + PLANS_MAX + 1];
} * scripts;

static void act(void *arg, uint64_t tag);
static void replied(unsigned number, uint64_t tag, const char *error, const json_t *parameters,
    bool is_last);

static struct plan *
plan_of(const struct actor *a)
{
	return a->plan == 0 ? NULL : plans_at(a->plan - 1);
}

static struct plan *
object_of(const struct actor *a)
{
	return plans_at(a->object - 1);
}

static uint64_t
tag_of(const struct actor *a)
{
	return (uint64_t)(a - scripts->all) << 32 | a->executed;
}

static void
act_soon(const struct actor *a)
{
	world_at(world_now() + world_below(PAUSE_NS), act, NULL, tag_of(a));
}

static void
enter(struct actor *a, unsigned plan, const char *name, unsigned executed)
{
	*a = (struct actor){.plan = plan, .executed = executed};
	snprintf(a->name, sizeof(a->name), "%s", name);
	a->client = clients_new((pid_t)plan, replied, tag_of(a));
	a->acts_left = (unsigned)world_between(1, plan == 0 ? 200 : 6);
	act_soon(a);
}

static void
begun(struct plan *p)
{
	enter(&scripts->all[USERS_MAX + p->number], p->number, p->child, p->executed);
}

static void
gone(struct plan *p)
{
	struct actor *a = &scripts->all[USERS_MAX + p->number];

	p->is_waiting = false;
	a->is_over = true;
	clients_close(a->client);
}

void
scripts_init(unsigned users, unsigned jobs)
{
	static const struct supervisor_handlers handlers = {begun, gone};
	char name[16];

	if (scripts == NULL)
		scripts = world_memory(sizeof(*scripts));
	memset(scripts, 0, sizeof(*scripts));
	scripts->users = users;
	scripts->jobs = jobs;
	scripts->has_priorities = world_once_in(3);
	scripts->has_pools = world_once_in(3);
	scripts->has_waits = world_once_in(2);
	scripts->has_suspensions = world_once_in(2);
	scripts->has_retries = world_once_in(2);
	supervisor_init(&handlers, 64, world_once_in(2));
	for (unsigned i = 0; i < users; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		enter(&scripts->all[i], 0, name, 0);
	}
}

void
scripts_calm_down(void)
{
	scripts->is_calm = true;
}

bool
scripts_are_done(void)
{
	return scripts->has_results;
}

/* One of those below it that live, or any; NULL: there is none. */
static struct plan *
any_below(const struct actor *a, bool is_child)
{
	struct plan *found = NULL, *p, *q;
	uint64_t seen = 0;

	for (size_t i = 0; i < plans_count(); i++) {
		p = q = plans_at(i);
		if (!plans_is_unfinished(p))
			continue;
		while (!is_child && q->above != NULL && strcmp(q->parent, a->name) != 0)
			q = q->above;
		if (strcmp(q->parent, a->name) == 0 && world_once_in(++seen))
			found = p;
	}
	return found;
}

static void
call(struct actor *a, enum doing doing, const char *method, json_t *parameters, bool is_more)
{
	world_note(a->plan, method, a->object, 0);
	a->doing = doing;
	clients_call(a->client, method, parameters, is_more);
}

/* Some siblings that are older: so nobody ever waits in a circle. */
static void
wait_before(struct actor *a, struct plan *p, json_t *parameters)
{
	char names[PLAN_AFTER_MAX * PLAN_ID_SIZE] = "";

	for (size_t i = p->number - 1; i-- > 0 && p->after_count < PLAN_AFTER_MAX;) {
		struct plan *q = plans_at(i);

		if (q->job == 0 || strcmp(q->parent, a->name) != 0 || world_once_in(3))
			continue;
		p->after[p->after_count++] = q;
		if (names[0] != '\0')
			strcat(names, ",");
		strcat(names, q->child);
	}
	if (p->after_count == 0)
		return;
	p->is_after_any = world_once_in(3);
	p->is_after_ok = world_once_in(2);
	json_object_set_new(parameters, p->is_after_ok ? "after_ok" : "after", json_string(names));
	if (p->is_after_any)
		json_object_set_new(parameters, "after_policy", json_string("any"));
}

static void
choose_retries(struct plan *p, json_t *parameters)
{
	static const char *const delays[] = {"0", "0.05s", "2s"};

	p->retries = (unsigned)world_between(1, 3);
	p->is_retry_on_lost = world_once_in(2);
	json_object_set_new(parameters, "retries", json_integer(p->retries));
	json_object_set_new(parameters, "retry_delay", json_string(delays[world_below(3)]));
	if (p->is_retry_on_lost)
		json_object_set_new(parameters, "retry_on", json_string("error,timeout,lost"));
}

/* What makes jobs wait, and go before others. */
static void
choose_order(struct actor *a, struct plan *p, json_t *j)
{
	char text[24];

	if (scripts->has_priorities)
		json_object_set_new(j, "priority", json_integer((json_int_t)world_below(3)));
	if (scripts->has_pools && world_once_in(2)) {
		p->pool = (unsigned)world_between(1, PROMISES_POOLS);
		snprintf(text, sizeof(text), "p%u", p->pool);
		json_object_set_new(j, "pool", json_string(text));
	}
	if (scripts->has_waits && world_once_in(4))
		wait_before(a, p, j);
	if (scripts->has_waits && world_once_in(8)) {
		uint64_t seconds = world_between(1, 20);

		snprintf(text, sizeof(text), "%" PRIu64 "s", seconds);
		json_object_set_new(j, "delay", json_string(text));
		/* The wall clock is told in milliseconds. */
		p->not_before_ns = world_now() + seconds * NSEC_PER_SEC - NSEC_PER_MSEC;
	}
}

static bool
enqueue(struct actor *a)
{
	struct plan *p = plans_count() >= scripts->jobs ? NULL : plans_new(plan_of(a), a->name);
	char token[24];
	json_t *j;

	if (p == NULL)
		return false;
	snprintf(token, sizeof(token), "token-%u", p->number);
	j = json_pack("{s:s, s:s, s:[s], s:s, s:s}", "parent", a->name, "child", p->child, "argv",
	    p->child, "token", token, "max_idle", "off");
	/* No limit that would end a deadlock. */
	json_object_set_new(j, "max_total",
	    json_string(world_once_in(5) ? (world_once_in(2) ? "1s" : "20s") : "off"));
	if (a == scripts->all || world_once_in(4))
		json_object_set_new(j, "no_wait", json_true());
	else if (a->plan != 0)
		plan_of(a)->is_waiting = true;
	if (a->plan != 0)
		json_object_set_new(j, "parent_job", json_integer(plan_of(a)->job));
	choose_order(a, p, j);
	if (scripts->has_retries && world_once_in(2))
		choose_retries(p, j);
	a->object = p->number;
	call(a, DOING_ENQUEUE, "Enqueue", j, false);
	return true;
}

/* For all of its own, or for one. */
static bool
wait_for(struct actor *a)
{
	struct plan *p = any_below(a, true);
	json_t *j;

	if (p == NULL)
		return false;
	a->seq_count = 0;
	a->object = world_once_in(3) ? p->number : 0;
	j = a->object != 0 ? json_pack("{s:[s]}", "children", p->child)
			   : json_pack("{s:s}", "parent", a->name);
	if (plan_of(a) != NULL) {
		plan_of(a)->is_waiting = true;
		json_object_set_new(j, "by_job", json_integer(plan_of(a)->job));
	}
	call(a, DOING_WAIT, "Wait", j, true);
	return true;
}

static bool
cancel(struct actor *a)
{
	struct plan *p = any_below(a, false);

	if (p == NULL)
		return false;
	plans_ask_cancel(p);
	a->object = p->number;
	call(a, DOING_CANCEL, "Cancel", json_pack("{s:[s]}", "children", p->child), false);
	return true;
}

static bool
pause_or_not(struct actor *a)
{
	struct plan *p = any_below(a, false);

	if (p == NULL)
		return false;
	call(a, DOING_PAUSE, world_once_in(2) ? "Pause" : "Unpause",
	    json_pack("{s:[s]}", "children", p->child), false);
	return true;
}

/* One of them stays awake: what is stopped goes on, and when all has ended he looks at what came of it. */
static void
take_care(struct actor *a)
{
	if (promises_is_idle()) {
		call(a, DOING_RESULTS, "Results", json_object(), true);
		return;
	}
	for (size_t i = 0; i < plans_count(); i++) {
		const struct plan *p = plans_at(i);

		if (p->is_paused && world_once_in(2)) {
			call(a, DOING_PAUSE, "Unpause", json_pack("{s:[s]}", "children", p->child),
			    false);
			return;
		}
	}
	act_soon(a);
}

static void
act_as_user(struct actor *a)
{
	uint64_t what = world_below(100);
	bool is_done = false;

	if (scripts->is_calm && a == scripts->all) {
		take_care(a);
		return;
	}
	if (a->acts_left > 0)
		a->acts_left--;
	if (scripts->is_calm || a->acts_left == 0)
		is_done = a != scripts->all && wait_for(a);
	else if (what < 50)
		is_done = enqueue(a);
	else if (what < 60)
		is_done = cancel(a);
	else if (what < 75)
		is_done = pause_or_not(a);
	else if (what < 80 && a != scripts->all)
		is_done = wait_for(a);
	if (!is_done)
		act_soon(a);
}

/* Its process is ended, or ends by itself. */
static bool
suspend(struct actor *a)
{
	struct plan *p = plan_of(a);

	if (!scripts->has_suspensions || any_below(a, true) == NULL)
		return false;
	p->is_suspending = true;
	call(a, DOING_SUSPEND, "Suspend", json_pack("{s:I}", "job", (json_int_t)p->job), false);
	return true;
}

static void
suspend_replied(struct actor *a, const char *error)
{
	struct plan *p = plan_of(a);

	if (error == NULL) {
		p->is_suspended = true;
		if (world_once_in(2))
			supervisor_exit(p, world_once_in(3) ? 7 << 8 : 0);
		return;
	}
	p->is_suspending = false;
	if (strcmp(error, "NotFound") != 0 && strcmp(error, "NotRunning") != 0)
		world_broken(p->number, "who has children may suspend", "%s", error);
}

static void
act_as_job(struct actor *a)
{
	struct plan *p = plan_of(a);
	uint64_t what = world_below(100);

	if (p->is_paused || p->is_suspended) {
		act_soon(a);
		return;
	}
	if (a->acts_left > 0)
		a->acts_left--;
	if (a->acts_left == 0 || scripts->is_calm) {
		/* A good parent waits, a bad one goes. */
		if (world_once_in(3) || !wait_for(a))
			supervisor_exit(p, world_once_in(5) ? 3 << 8 : 0);
		return;
	}
	if (what < 60       ? enqueue(a)
		: what < 75 ? wait_for(a)
		: what < 80 ? cancel(a)
		: what < 90 ? suspend(a)
			    : false)
		return;
	act_soon(a);
}

static void
act(void *arg, uint64_t tag)
{
	struct actor *a = &scripts->all[tag >> 32];

	(void)arg;
	if (a->is_over || a->executed != (uint32_t)tag || clients_is_calling(a->client))
		return;
	a->object = 0;
	if (a->plan == 0)
		act_as_user(a);
	else
		act_as_job(a);
}

static void
enqueue_replied(struct actor *a, const char *error, const json_t *parameters)
{
	struct plan *p = object_of(a);

	if (error == NULL) {
		plans_accepted(p, json_integer_value(json_object_get(parameters, "job")));
		return;
	}
	if (strcmp(error, "QueueFull") != 0 && strcmp(error, "DepthExceeded") != 0 &&
	    (strcmp(error, "ParentGone") != 0 ||
		(!p->is_cancel_asked && !promises_room()->are_orphans_ended)))
		world_broken(p->number, "a good call is not refused", "%s", error);
	if (strcmp(error, "DepthExceeded") == 0 && p->depth <= promises_room()->max_depth)
		world_broken(p->number, "who is not too deep is accepted", "depth %u", p->depth);
	world_note(p->number, "refused", 0, 0);
	p->is_refused = true;
}

static void
wait_replied(struct actor *a, const char *error, const json_t *parameters, bool is_last)
{
	const json_t *record = json_object_get(parameters, "record");

	if (error != NULL)
		world_broken(a->plan, "every wait ends well", "%s", error);
	if (json_is_object(record)) {
		plans_record(record);
		if (a->seq_count < sizeof(a->seqs) / sizeof(a->seqs[0]))
			a->seqs[a->seq_count++] =
			    json_integer_value(json_object_get(record, "seq"));
	}
	if (!is_last)
		return;
	if (a->object != 0 && object_of(a)->seq == 0)
		world_broken(a->plan, "who waits for a child gets its record", "c%u", a->object);
}

/* A job that was answered works again; of one that is being ended nobody knows whether it does. */
static void
go_on(struct actor *a, const char *error)
{
	struct plan *p = plan_of(a);

	if (error != NULL && strcmp(error, "ParentGone") == 0)
		a->is_ending = true;
	if (p == NULL || !p->is_waiting || a->is_ending)
		return;
	p->is_waiting = false;
	promises_resumes(p);
}

/* As the command does, what was shown is acknowledged. Returns whether there was something. */
static bool
acknowledge(struct actor *a)
{
	json_t *seqs = json_array();

	for (unsigned i = 0; i < a->seq_count; i++)
		json_array_append_new(seqs, json_integer(a->seqs[i]));
	if (a->seq_count == 0) {
		json_decref(seqs);
		return false;
	}
	call(a, DOING_ACKNOWLEDGE, "Acknowledge", json_pack("{s:o}", "seqs", seqs), false);
	return true;
}

static void
results_replied(const char *error, const json_t *parameters, bool is_last)
{
	const json_t *record = json_object_get(parameters, "record");

	if (error != NULL)
		world_broken(0, "results are told", "%s", error);
	if (json_is_object(record))
		plans_record(record);
	if (is_last)
		scripts->has_results = true;
}

static void
replied(unsigned number, uint64_t tag, const char *error, const json_t *parameters, bool is_last)
{
	struct actor *a = &scripts->all[tag >> 32];

	(void)number;
	if (is_last)
		go_on(a, error);
	switch (a->doing) {
	case DOING_ENQUEUE:
		enqueue_replied(a, error, parameters);
		break;
	case DOING_WAIT:
		wait_replied(a, error, parameters, is_last);
		if (is_last && acknowledge(a))
			return;
		break;
	case DOING_CANCEL:
		if (error == NULL)
			plans_cancelled(object_of(a));
		break;
	case DOING_SUSPEND:
		suspend_replied(a, error);
		break;
	case DOING_RESULTS:
		results_replied(error, parameters, is_last);
		return;
	case DOING_ACKNOWLEDGE:
	case DOING_PAUSE:
	case DOING_NOTHING:
		break;
	}
	if (is_last)
		act_soon(a);
}
