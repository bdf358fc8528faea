/*
 * waiters: see waiters.h.
 */
#include "store/waiters.h"

#include "base/clock.h"
#include "store/records.h"
#include "store/sql.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of SQL_EACH_WAITER; those of the table waiter are first, in the order of SQL_READ_WAITER. */
enum column {
	COLUMN_JOB,
	COLUMN_KIND,
	COLUMN_POLICY,
	COLUMN_SINCE,
	COLUMN_LAST,
	COLUMN_AFTER,
	COLUMN_IS_STRICT,
	COLUMN_STATUS
};

/* Runs a statement whose one parameter is a job. */
static int
run_for(struct store *s, enum sql which, int64_t job, int *ret_changes)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, which);
	sql_bind_int(&u, 1, job);
	return sql_run(&u, ret_changes);
}

static int
add_edge(struct store *s, int64_t job, const struct waits_edge *e)
{
	struct sql_use u;

	sql_use(&u, s, SQL_ADD_WAIT);
	sql_bind_int(&u, 1, job);
	sql_bind_int(&u, 2, e->after);
	sql_bind_int(&u, 3, e->is_strict);
	sql_bind_text(&u, 4, status_is_final(e->status) ? status_name(e->status) : NULL);
	return sql_run(&u, NULL);
}

int
waiters_add(struct store *s, const struct waiters_row *row, const struct waits_edge *edges,
    size_t count)
{
	struct sql_use u;
	int rc = run_for(s, SQL_DROP_WAITS, row->job, NULL);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_ADD_WAITER);
	sql_bind_int(&u, 1, row->job);
	sql_bind_int(&u, 2, row->kind);
	sql_bind_int(&u, 3, row->policy);
	sql_bind_int(&u, 4, row->since);
	sql_bind_int(&u, 5, row->last);
	rc = sql_run(&u, NULL);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_edge(s, row->job, &edges[i]);
	return rc;
}

int
waiters_end(struct store *s, int64_t after, enum status status)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_END_WAITS);
	sql_bind_int(&u, 1, after);
	sql_bind_text(&u, 2, status_name(status));
	return sql_run(&u, NULL);
}

int
waiters_drop(struct store *s, int64_t job)
{
	int rc = run_for(s, SQL_DROP_WAITS, job, NULL);

	return rc < 0 ? rc : run_for(s, SQL_DROP_WAITER, job, NULL);
}

int
waiters_suspend(struct store *s, int64_t job)
{
	struct waiters_row row;
	char body[64];
	int changes = 0, rc = waiters_read(s, job, &row);

	if (rc == 0)
		rc = run_for(s, SQL_SET_SUSPENDED, job, &changes);
	if (rc < 0 || changes == 0)
		return rc < 0 ? rc : -ENOENT;
	snprintf(body, sizeof(body), "{\"policy\":\"%s\"}", waits_policy_name(row.policy));
	return records_add_event(s, clock_wall_ms(), "suspended", job, body);
}

int
waiters_resume(struct store *s, int64_t job, int64_t last)
{
	struct sql_use u;
	int changes = 0, rc = run_for(s, SQL_SET_RESUMED, job, &changes);

	if (rc < 0 || changes == 0)
		return rc < 0 ? rc : -ENOENT;
	sql_use(&u, s, SQL_RESUME_WAITER);
	sql_bind_int(&u, 1, job);
	sql_bind_int(&u, 2, WAITERS_RESUMED);
	sql_bind_int(&u, 3, last);
	rc = sql_run(&u, NULL);
	if (rc == 0)
		rc = run_for(s, SQL_DROP_WAITS, job, NULL);
	if (rc == 0)
		rc = records_add_event(s, clock_wall_ms(), "resumed", job, "{}");
	return rc;
}

/* 0, or -EBADMSG where the row is none of ours. */
static int
load_row(const struct sql_use *u, struct waiters_row *row)
{
	int64_t kind = sql_int(u, COLUMN_KIND), policy = sql_int(u, COLUMN_POLICY);

	if (kind < 0 || kind >= WAITERS_KIND_COUNT || policy < 0 || policy >= WAITS_POLICY_COUNT)
		return fault_set(&u->store->fault, EBADMSG,
		    "job %" PRId64 " waits in an unknown way", sql_int(u, COLUMN_JOB));
	*row = (struct waiters_row){.job = sql_int(u, COLUMN_JOB),
	    .kind = (enum waiters_kind)kind,
	    .policy = (enum waits_policy)policy,
	    .since = sql_int(u, COLUMN_SINCE),
	    .last = sql_int(u, COLUMN_LAST)};
	return 0;
}

int
waiters_read(struct store *s, int64_t job, struct waiters_row *ret_row)
{
	struct sql_use u;
	int rc = -ENOENT, end;

	sql_use(&u, s, SQL_READ_WAITER);
	sql_bind_int(&u, 1, job);
	if (sql_step(&u))
		rc = load_row(&u, ret_row);
	end = sql_end(&u);
	return end < 0 ? end : rc;
}

int
waiters_first_seq(struct store *s, const char *child, int64_t job, int64_t *ret_seq)
{
	struct sql_use u;
	int64_t seq = 0;

	sql_use(&u, s, SQL_FIND_RUN_BEFORE);
	sql_bind_text(&u, 1, child);
	sql_bind_int(&u, 2, job);
	if (sql_step(&u))
		seq = sql_int(&u, 0);
	int rc = sql_end(&u);
	if (rc == 0)
		*ret_seq = seq;
	return rc;
}

/* One waiter, as its edges are read. */
struct gather {
	struct waiters_row row; /* job 0: none yet */
	struct waits_edge *edges;
	size_t count, size;
};

static int
gather_edge(const struct sql_use *u, struct gather *g)
{
	const char *name = sql_text(u, COLUMN_STATUS);
	int status = name == NULL ? STATUS_QUEUED : status_parse(name);
	struct waits_edge *edges = g->edges;

	if (sqlite3_column_type(u->stmt, COLUMN_AFTER) == SQLITE_NULL)
		return 0;
	if (status < 0)
		return fault_set(&u->store->fault, EBADMSG,
		    "job %" PRId64 " waits for the unknown status '%s'", g->row.job, name);
	if (g->count == g->size) {
		edges = reallocarray(edges, g->size * 2 + 4, sizeof(*edges));
		if (edges == NULL)
			return sql_fail(u->store, SQLITE_NOMEM);
		g->edges = edges;
		g->size = g->size * 2 + 4;
	}
	edges[g->count++] = (struct waits_edge){sql_int(u, COLUMN_AFTER),
	    sql_int(u, COLUMN_IS_STRICT) != 0, (enum status)status};
	return 0;
}

int
waiters_each(struct store *s, waiters_cb *cb, void *arg)
{
	struct gather g = {.edges = NULL};
	struct sql_use u;
	int rc = 0, end;

	sql_use(&u, s, SQL_EACH_WAITER);
	while (rc == 0 && sql_step(&u)) {
		if (sql_int(&u, COLUMN_JOB) != g.row.job) {
			if (g.row.job != 0)
				rc = cb(arg, &g.row, g.edges, g.count);
			g.count = 0;
			if (rc == 0)
				rc = load_row(&u, &g.row);
		}
		if (rc == 0)
			rc = gather_edge(&u, &g);
	}
	end = sql_end(&u);
	if (rc == 0 && end == 0 && g.row.job != 0)
		rc = cb(arg, &g.row, g.edges, g.count);
	free(g.edges);
	return rc != 0 ? rc : end;
}
