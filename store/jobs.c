/*
 * jobs: the jobs in the store and what they are executed with. Run by the server only; see store.h.
 * A job's status goes forward by the guarded updates here alone; a job that has ended never changes
 * again.
 */
#include "base/clock.h"
#include "store/joblimits.h"
#include "store/joborders.h"
#include "store/jobprofiles.h"
#include "store/records.h"
#include "store/sql.h"
#include "store/standings.h"
#include "store/store.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In the order of JOB_COLUMNS in sql.c. */
enum job_column {
	COLUMN_JOB,
	COLUMN_RUN,
	COLUMN_PARENT,
	COLUMN_CHILD,
	COLUMN_STATUS,
	COLUMN_DEPTH,
	COLUMN_IS_DELIVERED,
	COLUMN_COMMAND,
	COLUMN_META,
	COLUMN_LIMITS,
	COLUMN_PROFILE = COLUMN_LIMITS + JOBLIMITS_COUNT,
	COLUMN_ORDER = COLUMN_PROFILE + JOBPROFILES_COUNT,
	COLUMN_QUEUED = COLUMN_ORDER + JOBORDERS_COUNT,
	COLUMN_ENDED,
	COLUMN_BOOT_ID,
	COLUMN_SUPERVISOR,
	COLUMN_RECORD_SEQ,
	COLUMN_IS_CANCELLED,
	COLUMN_STANDING
};

int
store_find_token(struct store *s, const char *token, int64_t *ret_job, int64_t *ret_run)
{
	struct sql_use u;
	bool is_found;

	sql_use(&u, s, SQL_FIND_TOKEN);
	sql_bind_text(&u, 1, token);
	is_found = sql_step(&u);
	if (is_found) {
		*ret_job = sql_int(&u, 0);
		*ret_run = sql_int(&u, 1);
	}
	int rc = sql_end(&u);
	return rc == 0 && !is_found ? -ENOENT : rc;
}

/* The number of the next run of a child. */
static int
count_run(struct store *s, const char *child, int64_t *ret_run)
{
	struct sql_use u;
	int64_t run = 1;

	sql_use(&u, s, SQL_FIND_RUN);
	sql_bind_text(&u, 1, child);
	if (sql_step(&u))
		run = sql_int(&u, 0) + 1;
	int rc = sql_end(&u);
	if (rc == 0)
		*ret_run = run;
	return rc;
}

/* What SQL_ADD_JOB and SQL_ADD_FOUND_JOB have in common. */
static void
bind_job(struct sql_use *u, const struct store_job *j, int64_t run, const char *token)
{
	sql_bind_int(u, 1, run);
	sql_bind_text(u, 2, j->parent);
	sql_bind_text(u, 3, j->child);
	sql_bind_int(u, 4, j->depth);
	sql_bind_int(u, 5, j->is_delivered);
	sql_bind_text(u, 6, j->command);
	sql_bind_text(u, 7, j->meta);
	sql_bind_text(u, 8, token);
	sql_bind_int(u, 9, j->queued_ms);
	joblimits_bind(u, 10, &j->limits);
	jobprofiles_bind(u, 10 + JOBLIMITS_COUNT, j);
	joborders_bind(u, 10 + JOBLIMITS_COUNT + JOBPROFILES_COUNT, &j->order);
}

static int
insert_job(struct store *s, const struct store_job *j, int64_t run, const char *token,
    int64_t *ret_job)
{
	struct sql_use u;

	sql_use(&u, s, SQL_ADD_JOB);
	bind_job(&u, j, run, token);
	int rc = sql_run(&u, NULL);
	if (rc == 0)
		*ret_job = sqlite3_last_insert_rowid(s->db);
	return rc;
}

static int
insert_launch(struct store *s, int64_t job, const void *block, size_t len)
{
	struct sql_use u;

	sql_use(&u, s, SQL_ADD_LAUNCH);
	sql_bind_int(&u, 1, job);
	sql_bind_blob(&u, 2, block, len);
	return sql_run(&u, NULL);
}

int
store_add_job(struct store *s, const struct store_job *j, const char *token, const void *block,
    size_t block_len, int64_t *ret_job, int64_t *ret_run)
{
	char body[48];
	int64_t job = 0, run = 0;
	int rc;

	if (j->parent == NULL || j->child == NULL || j->command == NULL || block == NULL)
		return fault_set(&s->fault, EINVAL,
		    "a job without parent, child, command or launch block");
	rc = token != NULL ? store_find_token(s, token, ret_job, ret_run) : -ENOENT;
	if (rc != -ENOENT)
		return rc == 0 ? -EEXIST : rc;
	rc = sql_begin(s);
	if (rc == 0)
		rc = count_run(s, j->child, &run);
	if (rc == 0)
		rc = insert_job(s, j, run, token, &job);
	if (rc == 0)
		rc = insert_launch(s, job, block, block_len);
	if (rc < 0)
		return rc;
	snprintf(body, sizeof(body), "{\"run\":%" PRId64 "}", run);
	rc = records_add_event(s, j->queued_ms, "queued", job, body);
	if (rc == 0) {
		*ret_job = job;
		*ret_run = run;
	}
	return rc;
}

/* Numbers below the highest were given away, or skipped for such as this one. */
int
store_add_found_job(struct store *s, const struct store_job *j)
{
	struct sql_use u;
	int changes = 0, rc = sql_begin(s);

	if (rc == 0)
		rc = store_raise_numbers(s, j->job);
	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_ADD_FOUND_JOB);
	bind_job(&u, j, j->run > 0 ? j->run : 1, NULL);
	sql_bind_int(&u, 40, j->job);
	sql_bind_known(&u, 41, (int64_t)j->supervisor);
	sql_bind_text(&u, 42, j->boot_id);
	rc = sql_run(&u, &changes);
	if (rc < 0)
		return rc;
	if (changes == 0)
		return -EEXIST;
	s->marks.passed--;
	return sql_set_meta(s, "passed", s->marks.passed);
}

/* Runs a guarded update that was bound; -ENOENT where the guard let nothing through. */
static int
run_guarded(struct sql_use *u)
{
	int changes, rc = sql_run(u, &changes);

	return rc == 0 && changes == 0 ? -ENOENT : rc;
}

int
store_set_starting(struct store *s, int64_t job, uint64_t instance, const char *boot_id,
    uint64_t mark)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_STARTING);
	sql_bind_int(&u, 1, job);
	sql_bind_known(&u, 2, (int64_t)instance);
	sql_bind_text(&u, 3, boot_id);
	sql_bind_known(&u, 4, (int64_t)mark);
	return run_guarded(&u);
}

int
store_set_queued(struct store *s, int64_t job)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_QUEUED);
	sql_bind_int(&u, 1, job);
	return run_guarded(&u);
}

/* 0, or -ENOENT if the job is not running. */
static int
check_running(struct store *s, int64_t job)
{
	struct sql_use u;

	sql_use(&u, s, SQL_IS_RUNNING);
	sql_bind_int(&u, 1, job);
	bool is_running = sql_step(&u);
	int rc = sql_end(&u);
	return rc == 0 && !is_running ? -ENOENT : rc;
}

int
store_set_running(struct store *s, const struct standing *st)
{
	int64_t job = (int64_t)st->job;
	struct sql_use u;
	char body[48];
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_RUNNING);
	sql_bind_int(&u, 1, job);
	standings_bind(&u, 2, st);
	rc = run_guarded(&u);
	if (rc == -ENOENT)
		return check_running(s, job);
	if (rc < 0)
		return rc;
	snprintf(body, sizeof(body), "{\"pid\":%" PRId32 "}", st->pid);
	return records_add_event(s, st->started_wall_ms, "started", job, body);
}

/* Whether the job, which runs, is stored as paused: 1, 0, or -errno. */
static int
was_paused(struct store *s, int64_t job)
{
	struct sql_use u;
	int is_paused = 0;

	sql_use(&u, s, SQL_IS_PAUSED);
	sql_bind_int(&u, 1, job);
	if (sql_step(&u))
		is_paused = sql_int(&u, 0) != 0;
	int rc = sql_end(&u);
	return rc < 0 ? rc : is_paused;
}

int
store_set_standing(struct store *s, const struct standing *st)
{
	struct sql_use u;
	int changes, was, is = st->paused_ns != 0, rc = sql_begin(s);

	if (rc < 0)
		return rc;
	was = was_paused(s, (int64_t)st->job);
	if (was < 0)
		return was;
	sql_use(&u, s, SQL_SET_STANDING);
	sql_bind_int(&u, 1, (int64_t)st->job);
	standings_bind(&u, 2, st);
	rc = sql_run(&u, &changes);
	if (rc < 0 || changes == 0 || was == is)
		return rc;
	return records_add_event(s, clock_wall_ms(), is ? "paused" : "unpaused", (int64_t)st->job,
	    "{}");
}

int
store_set_cancelled(struct store *s, int64_t job)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_CANCELLED);
	sql_bind_int(&u, 1, job);
	return run_guarded(&u);
}

static int
mark_ended(struct store *s, int64_t job, enum status status, int64_t started_ms, int64_t ended_ms,
    int64_t seq)
{
	struct sql_use u;

	sql_use(&u, s, SQL_END_JOB);
	sql_bind_int(&u, 1, job);
	sql_bind_text(&u, 2, status_name(status));
	sql_bind_known(&u, 3, started_ms);
	sql_bind_int(&u, 4, ended_ms);
	sql_bind_int(&u, 5, seq);
	return run_guarded(&u);
}

static int
add_delivery(struct store *s, int64_t job, int64_t seq)
{
	struct sql_use u;

	sql_use(&u, s, SQL_ADD_DELIVERY);
	sql_bind_int(&u, 1, job);
	sql_bind_int(&u, 2, seq);
	return sql_run(&u, NULL);
}

static int
drop_launch(struct store *s, int64_t job)
{
	struct sql_use u;

	sql_use(&u, s, SQL_DROP_LAUNCH);
	sql_bind_int(&u, 1, job);
	return sql_run(&u, NULL);
}

int
store_end_job(struct store *s, int64_t job, enum status status, int64_t started_ms,
    int64_t ended_ms, int64_t seq, const char *body)
{
	int rc;

	if (!status_is_final(status) || seq != s->marks.next_seq || body == NULL)
		return fault_set(&s->fault, EINVAL,
		    "an end without final status, next number or record");
	rc = sql_begin(s);
	if (rc == 0)
		rc = mark_ended(s, job, status, started_ms, ended_ms, seq);
	if (rc == 0)
		rc = records_add_event(s, ended_ms, "completed", job, body);
	if (rc == 0)
		rc = add_delivery(s, job, seq);
	if (rc == 0)
		rc = drop_launch(s, job);
	if (rc == 0)
		s->marks.over++;
	return rc;
}

/* The row as a job. 0, or -EBADMSG or -ENOMEM. */
static int
load_job(const struct sql_use *u, struct store_job *j)
{
	const char *name = sql_text(u, COLUMN_STATUS);
	int status = name != NULL ? status_parse(name) : 0;

	*j = (struct store_job){
	    .job = sql_int(u, COLUMN_JOB),
	    .run = sql_int(u, COLUMN_RUN),
	    .parent = sql_text(u, COLUMN_PARENT),
	    .child = sql_text(u, COLUMN_CHILD),
	    .depth = sql_int(u, COLUMN_DEPTH),
	    .is_delivered = sql_int(u, COLUMN_IS_DELIVERED) != 0,
	    .command = sql_text(u, COLUMN_COMMAND),
	    .meta = sql_text(u, COLUMN_META),
	    .queued_ms = sql_int(u, COLUMN_QUEUED),
	    .ended_ms = sql_int(u, COLUMN_ENDED),
	    .boot_id = sql_text(u, COLUMN_BOOT_ID),
	    .supervisor = (uint64_t)sql_int(u, COLUMN_SUPERVISOR),
	    .record_seq = sql_int(u, COLUMN_RECORD_SEQ),
	    .is_cancelled = sql_int(u, COLUMN_IS_CANCELLED) != 0,
	};
	if (name == NULL || j->parent == NULL || j->child == NULL || j->command == NULL)
		return sql_fail(u->store, SQLITE_NOMEM);
	if (status < 0) {
		return fault_set(&u->store->fault, EBADMSG,
		    "job %" PRId64 " has the unknown status '%s'", j->job, name);
	}
	j->status = (enum status)status;
	joblimits_load(u, COLUMN_LIMITS, &j->limits);
	jobprofiles_load(u, COLUMN_PROFILE, j);
	joborders_load(u, COLUMN_ORDER, &j->order);
	standings_load(u, COLUMN_STANDING, &j->standing);
	j->standing.job = (uint64_t)j->job;
	j->started_ms = j->standing.started_wall_ms;
	return 0;
}

/* Hands the rows to cb and ends the use. *ret_count (may be NULL) gets how many there were. */
static int
walk_jobs(struct sql_use *u, store_job_cb *cb, void *arg, int64_t *ret_count)
{
	struct store_job j;
	int64_t count = 0;
	int rc = 0, end;

	while (rc == 0 && sql_step(u)) {
		rc = load_job(u, &j);
		if (rc == 0)
			rc = cb(arg, &j);
		count++;
	}
	end = sql_end(u);
	if (ret_count != NULL)
		*ret_count = count;
	return rc != 0 ? rc : end;
}

int
store_each_live_job(struct store *s, store_job_cb *cb, void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_EACH_LIVE);
	return walk_jobs(&u, cb, arg, NULL);
}

int
store_read_job(struct store *s, int64_t job, store_job_cb *cb, void *arg)
{
	struct sql_use u;
	int64_t count;

	sql_use(&u, s, SQL_READ_JOB);
	sql_bind_int(&u, 1, job);
	int rc = walk_jobs(&u, cb, arg, &count);
	return rc == 0 && count == 0 ? -ENOENT : rc;
}

int
store_read_child(struct store *s, const char *child, store_job_cb *cb, void *arg)
{
	struct sql_use u;
	int64_t count;

	sql_use(&u, s, SQL_READ_CHILD);
	sql_bind_text(&u, 1, child);
	int rc = walk_jobs(&u, cb, arg, &count);
	return rc == 0 && count == 0 ? -ENOENT : rc;
}

int
store_each_job(struct store *s, const char *parent, int status, int64_t after, int64_t limit,
    store_job_cb *cb, void *arg)
{
	struct sql_use u;
	bool has_status = status >= 0;
	bool is_live = has_status && !status_is_final((enum status)status);
	const char *name;

	if (status >= STATUS_COUNT)
		return fault_set(&s->fault, EINVAL, "no status has the number %d", status);
	name = has_status ? status_name((enum status)status) : NULL;
	if (is_live)
		sql_use(&u, s, SQL_EACH_LIVE_STATUS);
	else if (parent != NULL)
		sql_use(&u, s, SQL_EACH_OF_PARENT);
	else
		sql_use(&u, s, has_status ? SQL_EACH_ENDED_STATUS : SQL_EACH_JOB);
	sql_bind_int(&u, 1, after);
	sql_bind_int(&u, 2, limit);
	if (is_live) {
		sql_bind_text(&u, 3, name);
		sql_bind_text(&u, 4, status == STATUS_QUEUED ? status_name(STATUS_STARTING) : name);
		sql_bind_text(&u, 5, parent);
	} else if (parent != NULL) {
		sql_bind_text(&u, 3, parent);
		sql_bind_text(&u, 4, name);
	} else if (has_status) {
		sql_bind_text(&u, 3, name);
	}
	return walk_jobs(&u, cb, arg, NULL);
}

int
store_next_parent(struct store *s, const char *text, char ret_parent[ID_SIZE])
{
	struct sql_use u;
	bool is_found;
	int rc;

	sql_use(&u, s, SQL_NEXT_PARENT);
	sql_bind_text(&u, 1, text);
	is_found = sql_step(&u);
	if (is_found)
		strlcpy(ret_parent, sql_text(&u, 0), ID_SIZE);
	rc = sql_end(&u);
	return rc == 0 && !is_found ? -ENOENT : rc;
}
