/*
 * prune: removes from the history what is beyond its bounds, a few rows at a time. Run by the server
 * only; see store.h.
 *
 * Jobs go in the order in which they ended, which is that of their records. Before a job goes, the mark
 * oldest_seq is moved over all events up to its record: those whose job is gone are deleted, the others
 * are put down in kept_event and go with their job. So nothing is looked at twice, above the mark
 * nothing is missing, and no index is needed over the jobs of events. A job whose record waits is
 * passed over; its acknowledgement makes it due.
 */
#include "store/sql.h"
#include "store/store.h"

#include <errno.h>

/* So many events are looked at in one go. */
#define SWEEP_MAX 100

struct over {
	int64_t job, record_seq, ended_ms;
	bool is_pending;
};

struct sweep {
	int64_t seq[SWEEP_MAX];
	int64_t job[SWEEP_MAX]; /* 0: about none that is still there */
	int count;
};

/* The job that ended first of those not passed. -ENOENT. */
static int
find_oldest(struct store *s, struct over *o)
{
	struct sql_use u;
	bool is_found;

	sql_use(&u, s, SQL_OLDEST_OVER);
	sql_bind_int(&u, 1, s->marks.oldest_seq);
	is_found = sql_step(&u);
	if (is_found)
		*o = (struct over){sql_int(&u, 0), sql_int(&u, 1), sql_int(&u, 2), false};
	int rc = sql_end(&u);
	return rc == 0 && !is_found ? -ENOENT : rc;
}

/* Without what would overflow. */
static int64_t
add_ms(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* When that job may go. One that ended in the future, by a clock that was wrong, is spared by none. */
static int64_t
due_ms(const struct store *s, const struct store_keep *k, const struct over *o)
{
	int64_t by_age = add_ms(o->ended_ms, k->keep_ms < k->spare_ms ? k->spare_ms : k->keep_ms);
	int64_t by_count = o->ended_ms > k->now_ms ? k->now_ms : add_ms(o->ended_ms, k->spare_ms);

	if (s->marks.over <= k->jobs || by_age < by_count)
		return by_age;
	return by_count;
}

int
store_prune_due(struct store *s, const struct store_keep *k, int64_t *ret_due_ms)
{
	struct over o;
	int rc;

	if (s->has_due) {
		*ret_due_ms = k->now_ms;
		return 0;
	}
	rc = find_oldest(s, &o);
	if (rc == 0 || rc == -ENOENT)
		*ret_due_ms = rc == 0 ? due_ms(s, k, &o) : INT64_MAX;
	return rc == -ENOENT ? 0 : rc;
}

static int
run_with(struct store *s, enum sql which, int64_t a, int64_t b, int *ret_changes)
{
	struct sql_use u;

	sql_use(&u, s, which);
	sql_bind_int(&u, 1, a);
	if (b != 0)
		sql_bind_int(&u, 2, b);
	return sql_run(&u, ret_changes);
}

/* The job, with what was kept of its events. */
static int
remove_job(struct store *s, int64_t job, int *budget)
{
	int events = 0, questions = 0, rc;

	rc = run_with(s, SQL_DROP_KEPT_EVENTS, job, 0, &events);
	if (rc == 0)
		rc = run_with(s, SQL_DROP_KEPT, job, 0, NULL);
	if (rc == 0)
		rc = run_with(s, SQL_DROP_APPROVALS, job, 0, &questions);
	if (rc == 0)
		rc = run_with(s, SQL_DROP_JOB, job, 0, NULL);
	if (rc == 0)
		rc = run_with(s, SQL_ADD_REMOVED, job, 0, NULL);
	*budget -= 1 + events + questions;
	return rc;
}

/* Those whose records have been acknowledged since they were passed. */
static int
remove_due(struct store *s, int *budget)
{
	int rc = 0;

	while (rc == 0 && *budget > 0) {
		int64_t job = 0;

		rc = sql_read_number(s, SQL_NEXT_DUE, &job);
		if (rc < 0)
			return rc;
		s->has_due = job != 0;
		if (job == 0)
			break;
		rc = remove_job(s, job, budget);
		if (rc == 0)
			rc = run_with(s, SQL_DROP_DUE, job, 0, NULL);
	}
	return rc;
}

static int
load_sweep(struct store *s, int64_t last_seq, int max, struct sweep *w)
{
	struct sql_use u;

	w->count = 0;
	sql_use(&u, s, SQL_EACH_EVENT);
	sql_bind_int(&u, 1, s->marks.oldest_seq);
	sql_bind_int(&u, 2, last_seq);
	sql_bind_int(&u, 3, max < SWEEP_MAX ? max : SWEEP_MAX);
	while (w->count < SWEEP_MAX && sql_step(&u)) {
		w->seq[w->count] = sql_int(&u, 0);
		w->job[w->count] = sql_int(&u, 1);
		w->count++;
	}
	return sql_end(&u);
}

/* Moves the mark on towards that job's record; whether it is behind it then, in *ret_is_there. */
static int
sweep(struct store *s, const struct over *o, int *budget, bool *ret_is_there)
{
	struct sweep w;
	int max = *budget < SWEEP_MAX ? *budget : SWEEP_MAX;
	int rc = load_sweep(s, o->record_seq, max, &w);

	for (int i = 0; i < w.count && rc == 0; i++) {
		bool is_kept = w.job[i] != 0 && (w.job[i] != o->job || o->is_pending);

		if (is_kept)
			rc = run_with(s, SQL_KEEP_EVENT, w.job[i], w.seq[i], NULL);
		else
			rc = run_with(s, SQL_DROP_EVENT, w.seq[i], 0, NULL);
		s->marks.oldest_seq = w.seq[i] + 1;
	}
	*budget -= w.count;
	if (rc == 0 && w.count < max) /* also where somebody has deleted its record */
		s->marks.oldest_seq = o->record_seq + 1;
	*ret_is_there = s->marks.oldest_seq > o->record_seq;
	return rc;
}

static int
find_pending(struct store *s, struct over *o)
{
	struct sql_use u;

	sql_use(&u, s, SQL_IS_PENDING);
	sql_bind_int(&u, 1, o->job);
	sql_bind_int(&u, 2, o->record_seq);
	o->is_pending = sql_step(&u);
	return sql_end(&u);
}

/* The oldest that are beyond the bounds, as far as the budget goes. */
static int
remove_oldest(struct store *s, const struct store_keep *k, int *budget)
{
	struct over o;
	bool is_there;
	int rc = 0;

	while (rc == 0 && *budget > 0) {
		rc = find_oldest(s, &o);
		if (rc == -ENOENT || (rc == 0 && due_ms(s, k, &o) > k->now_ms))
			return 0;
		if (rc == 0)
			rc = find_pending(s, &o);
		if (rc == 0)
			rc = sweep(s, &o, budget, &is_there);
		if (rc < 0 || !is_there)
			continue;
		s->marks.passed++;
		s->marks.over--;
		if (!o.is_pending)
			rc = remove_job(s, o.job, budget);
	}
	return rc;
}

int
store_prune(struct store *s, const struct store_keep *k, int budget)
{
	int rc = sql_begin(s);

	if (rc == 0)
		rc = remove_due(s, &budget);
	if (rc == 0)
		rc = remove_oldest(s, k, &budget);
	if (rc == 0)
		rc = sql_set_meta(s, "oldest_seq", s->marks.oldest_seq);
	if (rc == 0)
		rc = sql_set_meta(s, "passed", s->marks.passed);
	return rc;
}

int
store_each_removed(struct store *s, store_number_cb *cb, void *arg)
{
	struct sql_use u;
	int rc = 0;

	sql_use(&u, s, SQL_EACH_REMOVED);
	while (rc == 0 && sql_step(&u))
		rc = cb(arg, sql_int(&u, 0));
	int end = sql_end(&u);
	return rc != 0 ? rc : end;
}

int
store_forget_removed(struct store *s)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_DROP_REMOVED);
	return sql_run(&u, NULL);
}
