/*
 * approvals: see approvals.h. Adds no event: the server does, whose words these are.
 */
#include "store/approvals.h"

#include "store/sql.h"

#include <errno.h>
#include <string.h>

/* In the order of APPROVAL_COLUMNS in sql.c. */
enum column {
	COLUMN_ID,
	COLUMN_JOB,
	COLUMN_TOKEN,
	COLUMN_QUESTION,
	COLUMN_ASKED_MS,
	COLUMN_TIMEOUT_MS,
	COLUMN_DEADLINE_NS,
	COLUMN_PUT_SEQ,
	COLUMN_PUT_JOB,
	COLUMN_PUT_TO,
	COLUMN_DECISION,
	COLUMN_DECIDED_MS,
	COLUMN_DECIDER,
	COLUMN_ANCESTOR,
	COLUMN_REASON
};

static const char *const decisions[DECISION_COUNT] = {
    [DECISION_ALLOW] = "allow",
    [DECISION_DENY] = "deny",
    [DECISION_WITHDRAWN] = "withdrawn",
};

static const char *const deciders[DECIDER_COUNT] = {
    [DECIDER_USER] = "user",
    [DECIDER_ANCESTOR] = "ancestor",
    [DECIDER_TIMEOUT] = "timeout",
    [DECIDER_PROFILE] = "profile",
    [DECIDER_END] = "end",
};

const char *
decision_name(enum decision d)
{
	return decisions[d];
}

const char *
decider_name(enum decider d)
{
	return deciders[d];
}

/* The word's place in the list; 0: it is not there, or NULL. */
static int
place_of(const char *word, const char *const *words, int count)
{
	for (int i = 1; word != NULL && i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return 0;
}

static void
bind_decision(struct sql_use *u, int first, const struct store_approval *a)
{
	sql_bind_text(u, first, decision_name(a->decision));
	sql_bind_known(u, first + 1, a->decided_ms);
	sql_bind_text(u, first + 2, decider_name(a->decider));
	sql_bind_text(u, first + 3, a->ancestor);
	sql_bind_text(u, first + 4, a->reason);
}

int
store_add_approval(struct store *s, const struct store_approval *a)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_ADD_APPROVAL);
	sql_bind_text(&u, 1, a->id);
	sql_bind_int(&u, 2, a->job);
	sql_bind_text(&u, 3, a->token);
	sql_bind_text(&u, 4, a->question);
	sql_bind_int(&u, 5, a->asked_ms);
	if (a->timeout_ms >= 0)
		sql_bind_int(&u, 6, a->timeout_ms);
	if (a->deadline_ns <= INT64_MAX)
		sql_bind_int(&u, 7, (int64_t)a->deadline_ns);
	sql_bind_int(&u, 8, a->put_seq);
	sql_bind_known(&u, 9, a->put_job);
	sql_bind_text(&u, 10, a->put_to);
	bind_decision(&u, 11, a);
	return sql_run(&u, NULL);
}

static int
run_on_one(struct sql_use *u)
{
	int changes, rc = sql_run(u, &changes);

	return rc == 0 && changes == 0 ? -ENOENT : rc;
}

int
store_put_approval(struct store *s, const struct store_approval *a)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_PUT_APPROVAL);
	sql_bind_text(&u, 1, a->id);
	sql_bind_int(&u, 2, a->put_seq);
	sql_bind_known(&u, 3, a->put_job);
	sql_bind_text(&u, 4, a->put_to);
	return run_on_one(&u);
}

int
store_decide_approval(struct store *s, const struct store_approval *a)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_DECIDE_APPROVAL);
	sql_bind_text(&u, 1, a->id);
	bind_decision(&u, 2, a);
	return run_on_one(&u);
}

static int
hand_out(const struct sql_use *u, store_approval_cb *cb, void *arg)
{
	bool has_timeout = sqlite3_column_type(u->stmt, COLUMN_TIMEOUT_MS) != SQLITE_NULL;
	bool has_deadline = sqlite3_column_type(u->stmt, COLUMN_DEADLINE_NS) != SQLITE_NULL;
	const struct store_approval a = {
	    .id = sql_text(u, COLUMN_ID),
	    .job = sql_int(u, COLUMN_JOB),
	    .token = sql_text(u, COLUMN_TOKEN),
	    .question = sql_text(u, COLUMN_QUESTION),
	    .asked_ms = sql_int(u, COLUMN_ASKED_MS),
	    .timeout_ms = has_timeout ? sql_int(u, COLUMN_TIMEOUT_MS) : -1,
	    .deadline_ns = has_deadline ? (uint64_t)sql_int(u, COLUMN_DEADLINE_NS) : UINT64_MAX,
	    .put_seq = sql_int(u, COLUMN_PUT_SEQ),
	    .put_job = sql_int(u, COLUMN_PUT_JOB),
	    .put_to = sql_text(u, COLUMN_PUT_TO),
	    .decision =
		(enum decision)place_of(sql_text(u, COLUMN_DECISION), decisions, DECISION_COUNT),
	    .decided_ms = sql_int(u, COLUMN_DECIDED_MS),
	    .decider = (enum decider)place_of(sql_text(u, COLUMN_DECIDER), deciders, DECIDER_COUNT),
	    .ancestor = sql_text(u, COLUMN_ANCESTOR),
	    .reason = sql_text(u, COLUMN_REASON),
	};

	if (a.id == NULL || a.token == NULL || a.question == NULL)
		return sql_fail(u->store, SQLITE_NOMEM);
	return cb(arg, &a);
}

static int
read_one(struct sql_use *u, store_approval_cb *cb, void *arg)
{
	int rc = -ENOENT, end;

	if (sql_step(u))
		rc = hand_out(u, cb, arg);
	end = sql_end(u);
	return end < 0 ? end : rc;
}

int
store_read_approval(struct store *s, const char *id, store_approval_cb *cb, void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_READ_APPROVAL);
	sql_bind_text(&u, 1, id);
	return read_one(&u, cb, arg);
}

int
store_find_approval(struct store *s, int64_t job, const char *token, store_approval_cb *cb,
    void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_FIND_APPROVAL);
	sql_bind_int(&u, 1, job);
	sql_bind_text(&u, 2, token);
	return read_one(&u, cb, arg);
}

int
store_each_open_approval(struct store *s, store_approval_cb *cb, void *arg)
{
	struct sql_use u;
	int rc = 0, end;

	sql_use(&u, s, SQL_EACH_OPEN_APPROVAL);
	while (rc == 0 && sql_step(&u))
		rc = hand_out(&u, cb, arg);
	end = sql_end(&u);
	return rc != 0 ? rc : end;
}

static int
read_number(struct sql_use *u, int64_t *ret_number)
{
	int64_t number = 0;
	int rc;

	if (sql_step(u))
		number = sql_int(u, 0);
	rc = sql_end(u);
	if (rc == 0)
		*ret_number = number;
	return rc;
}

int
store_count_approvals(struct store *s, int64_t job, int64_t *ret_count)
{
	struct sql_use u;

	sql_use(&u, s, SQL_COUNT_APPROVALS);
	sql_bind_int(&u, 1, job);
	return read_number(&u, ret_count);
}

int
store_find_marked(struct store *s, uint64_t mark, int64_t *ret_job)
{
	struct sql_use u;

	sql_use(&u, s, SQL_FIND_MARKED);
	sql_bind_int(&u, 1, (int64_t)mark);
	return read_number(&u, ret_job);
}

int
store_find_leader(struct store *s, int64_t pid, uint64_t start_time, int64_t *ret_job)
{
	struct sql_use u;

	sql_use(&u, s, SQL_FIND_LEADER);
	sql_bind_int(&u, 1, pid);
	sql_bind_int(&u, 2, (int64_t)start_time);
	return read_number(&u, ret_job);
}
