/*
 * approvals: see approvals.h. Must never answer for anybody but the clock, a profile, or the end of the job.
 */
#include "server/approvals.h"

#include "base/clock.h"
#include "server/event.h"
#include "server/row.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a new server waits for those who took approvals before. */
#define SETTLE_NS NSEC_PER_SEC

TAILQ_HEAD(approval_list, approval);
TAILQ_HEAD(taker_list, approvals_taker);

struct approvals {
	struct approval_list pending;
	struct taker_list takers;
	size_t count;
	struct timer deadline; /* the earliest */
	struct timer settle;
	bool has_loaded;
	bool is_settling;
	bool has_changed;
};

static void
forget(struct approvals *all, struct approval *a)
{
	TAILQ_REMOVE(&all->pending, a, entry);
	all->count--;
	approval_free(a);
}

/* NULL: ENOMEM. */
static struct approval *
remember(struct approvals *all, const struct store_approval *row)
{
	struct approval *a = approval_new(row);

	if (a == NULL)
		return NULL;
	TAILQ_INSERT_TAIL(&all->pending, a, entry);
	all->count++;
	return a;
}

static int
copy_names(void *arg, const struct store_job *j)
{
	struct approval *a = arg;

	strlcpy(a->parent, j->parent, sizeof(a->parent));
	strlcpy(a->child, j->child, sizeof(a->child));
	return 0;
}

/* Whose it is, and whom that is below. 0 or -errno. */
static int
complete(struct server *s, struct approval *a)
{
	const struct family_node *n = family_find(s->family, a->row.job);
	const char *top = a->parent;
	int r = store_read_job(s->store, a->row.job, copy_names, a);

	for (n = n == NULL ? NULL : n->above; r == 0 && n != NULL; n = n->above) {
		r = approval_add_above(a, n->child, n->number);
		top = n->parent;
	}
	/* At the top is an id that is no job. */
	return r < 0 ? r : approval_add_above(a, top, 0);
}

static void
deadline_passed(void *arg)
{
	approvals_look(arg);
}

static void
settled(void *arg)
{
	struct server *s = arg;

	s->approvals->is_settling = false;
	approvals_look(s);
}

int
approvals_new(struct server *s)
{
	struct approvals *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return -ENOMEM;
	TAILQ_INIT(&all->pending);
	TAILQ_INIT(&all->takers);
	timer_init(&all->deadline, deadline_passed, s);
	timer_init(&all->settle, settled, s);
	s->approvals = all;
	return 0;
}

static void
clear(struct approvals *all)
{
	struct approval *a;

	while ((a = TAILQ_FIRST(&all->pending)) != NULL)
		forget(all, a);
}

void
approvals_free(struct server *s)
{
	if (s->approvals == NULL)
		return;
	clear(s->approvals);
	timer_disarm(&s->loop.timers, &s->approvals->deadline);
	timer_disarm(&s->loop.timers, &s->approvals->settle);
	free(s->approvals);
	s->approvals = NULL;
}

static int
load_row(void *arg, const struct store_approval *row)
{
	return remember(arg, row) == NULL ? -ENOMEM : 0;
}

int
approvals_load(struct server *s)
{
	struct approvals *all = s->approvals;
	struct approval *a;
	int r;

	clear(all);
	r = store_each_open_approval(s->store, load_row, all);
	TAILQ_FOREACH (a, &all->pending, entry) {
		if (r == 0)
			r = complete(s, a);
	}
	/* Who has a job that runs may have had somebody who takes approvals. */
	if (!all->has_loaded && queue_running(s->queue) > 0) {
		all->is_settling = true;
		timer_arm(&s->loop.timers, &all->settle, clock_add_ns(clock_mono_ns(), SETTLE_NS));
	}
	all->has_loaded = true;
	all->has_changed = true;
	return r;
}

void
approvals_look(struct server *s)
{
	s->approvals->has_changed = true;
	s->has_news = true;
}

bool
approvals_is_settling(const struct server *s)
{
	return s->approvals->is_settling;
}

struct approval *
approvals_next(const struct server *s, const struct approval *a)
{
	return a == NULL ? TAILQ_FIRST(&s->approvals->pending) : TAILQ_NEXT(a, entry);
}

struct approval *
approvals_find(const struct server *s, const char *id)
{
	struct approval *a;

	TAILQ_FOREACH (a, &s->approvals->pending, entry) {
		if (strcmp(a->id, id) == 0)
			break;
	}
	return a;
}

static int
take_line(void *arg, const struct store_event *e)
{
	*(char **)arg = event_of_row(e);
	return 0;
}

/* Tells t the event of that number, in the words of the feed. 0 or -errno. */
static int
tell(struct server *s, struct approvals_taker *t, int64_t seq)
{
	char *line = NULL;
	json_t *event;
	int r = store_each_event(s->store, seq - 1, seq, 1, take_line, &line);

	event = line == NULL ? NULL : json_loads(line, 0, NULL);
	free(line);
	if (r == 0 && event != NULL)
		t->told(t->arg, event);
	return r;
}

static int
tell_all(struct server *s, const struct approval *a, int64_t seq)
{
	struct approvals_taker *t, *next;
	int r = 0;

	TAILQ_FOREACH_SAFE (t, &s->approvals->takers, entry, next) {
		if (r == 0 && approval_is_put_to(a, &t->who))
			r = tell(s, t, seq);
	}
	return r;
}

/* Adds an event; takes body. 0 with its number, or -errno. */
static int
add_event(struct server *s, const struct approval *a, const char *kind, json_t *body,
    int64_t *ret_seq)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	int r = text == NULL ? -ENOMEM : store_next_seq(s->store, ret_seq);

	if (r == 0)
		r = store_add_event(s->store, kind, a->row.job, a->parent, a->child, text);
	free(text);
	json_decref(body);
	return r;
}

/* Says to whom it is put: its first event, or another. 0 or -errno. */
static int
put(struct server *s, struct approval *a, const struct ancestor *to, bool is_new)
{
	int64_t seq;
	int r = add_event(s, a, "approval_requested", approval_requested(a, to), &seq);

	if (r < 0)
		return r;
	approval_set_put(a, seq, to);
	r = is_new ? store_add_approval(s->store, &a->row) : store_put_approval(s->store, &a->row);
	return r < 0 ? r : tell_all(s, a, seq);
}

int
approvals_decide(struct server *s, struct approval *a, enum decision decision, enum decider decider,
    const char *reason)
{
	struct store_approval row = a->row;
	int64_t seq;
	int r;

	row.decision = decision;
	row.decider = decider;
	row.decided_ms = clock_wall_ms();
	row.ancestor = decider == DECIDER_ANCESTOR ? a->row.put_to : NULL;
	row.reason = reason;
	r = server_check(s, store_decide_approval(s->store, &row));
	if (r == 0)
		r = server_check(s,
		    add_event(s, a, "approval_decided", approval_decided(&row), &seq));
	if (r == 0)
		r = server_check(s, tell_all(s, a, seq));
	if (r < 0)
		return r;
	forget(s->approvals, a);
	s->has_news = true;
	return 0;
}

static bool
is_there(void *arg, int64_t job)
{
	struct server *s = arg;

	return queue_find(s->queue, job) != NULL;
}

static bool
is_taken(void *arg, const struct ancestor *a)
{
	struct server *s = arg;
	struct approvals_taker *t;

	TAILQ_FOREACH (t, &s->approvals->takers, entry) {
		if (escalation_is_bound(&t->who, a))
			return true;
	}
	return false;
}

static const struct ancestor *
find_next(struct server *s, const struct approval *a)
{
	const struct escalation_world w = {is_there, is_taken, s};
	size_t i = escalation_find(a->above, a->above_count, &w);

	return i == a->above_count ? NULL : &a->above[i];
}

/* Whatever is due for one that is pending. 0 or -errno. */
static int
move_on(struct server *s, struct approval *a)
{
	const struct ancestor *to;

	if (queue_find(s->queue, a->row.job) == NULL)
		return approvals_decide(s, a, DECISION_WITHDRAWN, DECIDER_END, NULL);
	if (a->row.deadline_ns <= clock_mono_ns())
		return approvals_decide(s, a, DECISION_DENY, DECIDER_TIMEOUT, NULL);
	if (s->approvals->is_settling)
		return 0;
	to = find_next(s, a);
	return to == approval_put_to(a) ? 0 : server_check(s, put(s, a, to, false));
}

static void
arm_deadline(struct server *s)
{
	struct approval *a;
	uint64_t at_ns = UINT64_MAX;

	TAILQ_FOREACH (a, &s->approvals->pending, entry) {
		if (a->row.deadline_ns < at_ns)
			at_ns = a->row.deadline_ns;
	}
	if (at_ns == UINT64_MAX)
		timer_disarm(&s->loop.timers, &s->approvals->deadline);
	else
		timer_arm(&s->loop.timers, &s->approvals->deadline, at_ns);
}

void
approvals_turn(struct server *s)
{
	struct approval *a, *next;
	int r = 0;

	/* What cannot be stored is tried when all is loaded again. */
	if (!s->approvals->has_changed || s->is_store_down || s->store_error != 0)
		return;
	s->approvals->has_changed = false;
	TAILQ_FOREACH_SAFE (a, &s->approvals->pending, entry, next) {
		if (r == 0)
			r = move_on(s, a);
	}
	arm_deadline(s);
}

static size_t
count_of(const struct server *s, int64_t job)
{
	struct approval *a;
	size_t count = 0;

	TAILQ_FOREACH (a, &s->approvals->pending, entry)
		count += a->row.job == job;
	return count;
}

/* Whether there is room for one more of the job. 0 or -errno as approvals_ask(). */
static int
check_room(struct server *s, int64_t job)
{
	int64_t ever;
	int r = server_check(s, store_count_approvals(s->store, job, &ever));

	if (r < 0)
		return r;
	if (count_of(s, job) >= APPROVALS_OF_JOB || ever >= APPROVALS_OF_JOB_EVER)
		return -EDQUOT;
	return s->approvals->count >= APPROVALS_PENDING ? -EBUSY : 0;
}

static int
decide_by_policy(struct server *s, struct approval *a, enum policy policy)
{
	if (policy == POLICY_ASK)
		return 0;
	return approvals_decide(s, a, policy == POLICY_ALLOW ? DECISION_ALLOW : DECISION_DENY,
	    DECIDER_PROFILE, NULL);
}

int
approvals_ask(struct server *s, const struct store_approval *q, char ret_id[APPROVAL_ID_SIZE])
{
	struct store_approval row = *q;
	struct approval *a;
	struct row job;
	uint64_t random[2];
	int r = server_check(s, store_read_job(s->store, q->job, row_copy, &job));

	if (r == 0)
		r = check_room(s, q->job);
	if (r < 0)
		return r;
	arc4random_buf(random, sizeof(random));
	snprintf(ret_id, APPROVAL_ID_SIZE, "%016llx%016llx", (unsigned long long)random[0],
	    (unsigned long long)random[1]);
	row.id = ret_id;
	row.asked_ms = clock_wall_ms();
	row.put_to = NULL;
	a = remember(s->approvals, &row);
	r = a == NULL ? -ENOMEM : complete(s, a);
	if (r == 0)
		r = put(s, a, job.job.policy == POLICY_ASK ? find_next(s, a) : NULL, true);
	r = server_check(s, r);
	if (r == 0)
		r = decide_by_policy(s, a, job.job.policy);
	approvals_look(s);
	return r;
}

int64_t
approvals_position(const struct server *s)
{
	return store_added_seq(s->store);
}

void
approvals_take(struct server *s, struct approvals_taker *t)
{
	struct approval *a;
	int r = 0;

	TAILQ_INSERT_TAIL(&s->approvals->takers, t, entry);
	/* What is put to it only now is told then. */
	TAILQ_FOREACH (a, &s->approvals->pending, entry) {
		if (r == 0 && a->row.put_seq > t->since && approval_is_put_to(a, &t->who))
			r = server_check(s, tell(s, t, a->row.put_seq));
	}
	approvals_look(s);
}

void
approvals_leave(struct server *s, struct approvals_taker *t)
{
	TAILQ_REMOVE(&s->approvals->takers, t, entry);
	approvals_look(s);
}
