/*
 * sql: see sql.h. Run by the server. All SQL of the daily work stands in one table; what belongs to
 * the schema is in schema.c. Every question is answered by an index: INDEXED BY makes a statement
 * fail in the tests rather than read the whole history.
 */
#include "store/sql.h"

#include <errno.h>
#include <string.h>

/* In the order of enum limit in joblimits.c. */
#define LIMIT_COLUMNS \
	"max_total_ns, max_idle_ns, check_interval_ns, kill_grace_ns, kill_signal, activity, " \
	"idle_from, max_extend_ns, leftovers, nice, max_memory, max_processes, max_open_files, " \
	"max_cpu_ns, max_output, on_output_limit"

/* In the order of enum part in jobprofiles.c. */
#define PROFILE_COLUMNS "profile, model, disabled_tools, approvals"

/* In the order of enum part in joborders.c. */
#define ORDER_COLUMNS \
	"priority, pool, retries, retry_delay_ns, retry_on, retried, due_ms, due_boottime_ns, " \
	"due_boot_id, delay_ns"

/* In the order of enum column in standings.c. */
#define STANDING_COLUMNS \
	"started_ms, pid, start_time, mark, started_ns, paused_ns, lull_ns, sign_ns, granted_ns, ending_ns, " \
	"verdict_ns, verdict_idle_ns, cpu_ns, max_rss_kb, wait_status, revision, containment, " \
	"cause, standing_flags"

/* In the order of enum job_column in jobs.c. */
#define JOB_COLUMNS \
	"job, run, parent, child, status, depth, is_delivered, command, meta, " LIMIT_COLUMNS \
	", " PROFILE_COLUMNS ", " ORDER_COLUMNS \
	", queued_ms, ended_ms, boot_id, supervisor, record_seq, is_cancelled, " STANDING_COLUMNS \
	" "
#define SET_STANDING \
	"(" STANDING_COLUMNS ") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, " \
	"?15, ?16, ?17, ?18, ?19, ?20) "
#define UNSET_STANDING \
	"pid = NULL, start_time = NULL, mark = NULL, started_ns = NULL, paused_ns = NULL, " \
	"lull_ns = NULL, sign_ns = NULL, granted_ns = NULL, ending_ns = NULL, verdict_ns = NULL, " \
	"verdict_idle_ns = NULL, cpu_ns = NULL, max_rss_kb = NULL, wait_status = NULL, " \
	"revision = NULL, containment = NULL, cause = NULL, standing_flags = NULL "
#define SELECT_JOB "SELECT " JOB_COLUMNS "FROM job "
/* In the order of enum column in approvals.c. */
#define APPROVAL_COLUMNS \
	"id, job, token, question, asked_ms, timeout_ms, deadline_ns, put_seq, put_job, put_to, " \
	"decision, decided_ms, decided_by, ancestor, reason"
#define SELECT_APPROVAL "SELECT " APPROVAL_COLUMNS " FROM approval "
#define SELECT_RECORD "SELECT seq, job, parent, child, body FROM event "

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_LAST_SEQ] = "SELECT max(coalesce((SELECT max(seq) FROM event), 0), "
		     "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0))",
    [SQL_FIND_TOKEN] = "SELECT job, run FROM job INDEXED BY job_token WHERE token = ?1",
    [SQL_FIND_RUN] = "SELECT run FROM job INDEXED BY job_child WHERE child = ?1 "
		     "ORDER BY job DESC LIMIT 1",
    [SQL_ADD_JOB] =
	"INSERT INTO job (run, parent, child, status, depth, is_delivered, command, meta, token, "
	"queued_ms, " LIMIT_COLUMNS ", " PROFILE_COLUMNS ", " ORDER_COLUMNS ") "
	"VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
	"?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, "
	"?35, ?36, ?37, ?38, ?39)",
    [SQL_ADD_LAUNCH] = "INSERT INTO launch (job, block) VALUES (?1, ?2)",
    [SQL_SET_STARTING] =
	"UPDATE job SET status = 'starting', supervisor = ?2, boot_id = ?3, mark = ?4 "
	"WHERE job = ?1 AND status IN ('queued', 'starting')",
    [SQL_SET_QUEUED] =
	"UPDATE job SET status = 'queued', supervisor = NULL, boot_id = NULL, mark = NULL "
	"WHERE job = ?1 AND status IN ('queued', 'starting')",
    [SQL_SET_RUNNING] = "UPDATE job SET status = 'running', " SET_STANDING
			"WHERE job = ?1 AND status IN ('queued', 'starting')",
    /* A supervisor that tells everything again tells what is known. */
    [SQL_IS_PAUSED] = "SELECT paused_ns IS NOT NULL FROM job WHERE job = ?1",
    [SQL_SET_STANDING] = "UPDATE job SET " SET_STANDING
			 "WHERE job = ?1 AND status = 'running' AND coalesce(revision, 0) < ?17",
    [SQL_SET_RETRY] =
	"UPDATE job SET status = 'queued', run = run + 1, started_ms = coalesce(?2, started_ms), "
	"retried = ?3, due_ms = ?4, due_boottime_ns = ?5, due_boot_id = ?6, delay_ns = ?7, "
	"supervisor = NULL, boot_id = NULL, " UNSET_STANDING
	"WHERE job = ?1 AND status IN ('starting', 'running')",
    [SQL_SET_DUE] = "UPDATE job SET due_ms = ?2, due_boottime_ns = ?3, due_boot_id = ?4, "
		    "delay_ns = ?5 WHERE job = ?1 AND status = 'queued'",
    [SQL_SET_CANCELLED] = "UPDATE job SET is_cancelled = 1 WHERE job = ?1 AND ended_ms IS NULL",
    [SQL_SET_ANCESTRY] = "UPDATE job SET ancestry = ?2 WHERE job = ?1",
    [SQL_READ_ANCESTRY] = "SELECT ancestry FROM job WHERE job = ?1",
    [SQL_IS_RUNNING] = "SELECT 1 FROM job WHERE job = ?1 AND status = 'running'",
    [SQL_END_JOB] = "UPDATE job SET status = ?2, started_ms = ?3, ended_ms = ?4, record_seq = ?5 "
		    "WHERE job = ?1 AND ended_ms IS NULL",
    [SQL_ADD_EVENT] = "INSERT INTO event (seq, at_ms, kind, job, parent, child, body) "
		      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_ADD_JOB_EVENT] = "INSERT INTO event (seq, at_ms, kind, job, parent, child, body) "
			  "SELECT ?1, ?2, ?3, job, parent, child, ?5 FROM job WHERE job = ?4",
    [SQL_ADD_DELIVERY] = "INSERT INTO delivery (parent, seq) "
			 "SELECT parent, ?2 FROM job WHERE job = ?1 AND is_delivered",
    [SQL_DROP_LAUNCH] = "DELETE FROM launch WHERE job = ?1",
    [SQL_READ_LAUNCH] = "SELECT block FROM launch WHERE job = ?1",
    [SQL_READ_JOB] = SELECT_JOB "WHERE job = ?1",
    [SQL_READ_CHILD] = SELECT_JOB "INDEXED BY job_child WHERE child = ?1 ORDER BY job DESC LIMIT 1",
    [SQL_EACH_LIVE] = SELECT_JOB "INDEXED BY job_live WHERE ended_ms IS NULL ORDER BY job",
    [SQL_EACH_LIVE_STATUS] =
	SELECT_JOB "INDEXED BY job_live WHERE ended_ms IS NULL AND job > ?1 "
		   "AND status IN (?3, ?4) AND (?5 IS NULL OR parent = ?5) ORDER BY job LIMIT ?2",
    [SQL_EACH_ENDED_STATUS] = SELECT_JOB "INDEXED BY job_ended WHERE ended_ms IS NOT NULL "
					 "AND status = ?3 AND job > ?1 ORDER BY job LIMIT ?2",
    [SQL_EACH_JOB] = SELECT_JOB "WHERE job > ?1 ORDER BY job LIMIT ?2",
    [SQL_EACH_OF_PARENT] = SELECT_JOB "INDEXED BY job_parent WHERE parent = ?3 AND job > ?1 "
				      "AND (?4 IS NULL OR status = ?4) ORDER BY job LIMIT ?2",
    [SQL_NEXT_PARENT] =
	"SELECT parent FROM job INDEXED BY job_parent WHERE parent > ?1 ORDER BY parent LIMIT 1",
    [SQL_EACH_RECORD] = SELECT_RECORD "WHERE kind = 'completed' AND seq > ?1 ORDER BY seq LIMIT ?2",
    [SQL_EACH_RECORD_OF_PARENT] =
	SELECT_RECORD "INDEXED BY event_record "
		      "WHERE kind = 'completed' AND parent = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2",
    [SQL_READ_RECORD] = SELECT_RECORD "WHERE seq = (SELECT record_seq FROM job WHERE job = ?1)",
    [SQL_EACH_OF_FEED] = "SELECT seq, at_ms, kind, job, parent, child, body FROM event "
			 "WHERE seq > ?1 AND seq <= ?3 ORDER BY seq LIMIT ?2",
    [SQL_EACH_ABOVE] =
	"WITH RECURSIVE up(job, parent, depth) AS ("
	"SELECT job, parent, depth FROM job WHERE job = ?1 "
	"UNION ALL SELECT above.job, above.parent, above.depth "
	"FROM up CROSS JOIN job AS above ON above.job = "
	"(SELECT job FROM job INDEXED BY job_child WHERE child = up.parent AND job < up.job "
	"ORDER BY job DESC LIMIT 1) WHERE up.depth > 0) "
	"SELECT parent, depth FROM up",
    [SQL_ADD_APPROVAL] = "INSERT INTO approval (" APPROVAL_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, "
			 "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [SQL_PUT_APPROVAL] = "UPDATE approval SET put_seq = ?2, put_job = ?3, put_to = ?4 "
			 "WHERE id = ?1 AND decision IS NULL",
    [SQL_DECIDE_APPROVAL] = "UPDATE approval SET decision = ?2, decided_ms = ?3, decided_by = ?4, "
			    "ancestor = ?5, reason = ?6 WHERE id = ?1 AND decision IS NULL",
    [SQL_READ_APPROVAL] = SELECT_APPROVAL "WHERE id = ?1",
    [SQL_FIND_APPROVAL] = SELECT_APPROVAL "WHERE job = ?1 AND token = ?2",
    [SQL_EACH_OPEN_APPROVAL] =
	SELECT_APPROVAL "INDEXED BY approval_open WHERE decision IS NULL ORDER BY asked_ms, rowid",
    [SQL_COUNT_APPROVALS] = "SELECT count(*) FROM approval WHERE job = ?1",
    [SQL_DROP_APPROVALS] = "DELETE FROM approval WHERE job = ?1",
    [SQL_FIND_MARKED] =
	"SELECT job FROM job INDEXED BY job_live WHERE ended_ms IS NULL AND mark = ?1",
    [SQL_FIND_LEADER] = "SELECT job FROM job INDEXED BY job_live "
			"WHERE ended_ms IS NULL AND pid = ?1 AND start_time = ?2",
    [SQL_EACH_PENDING] =
	"SELECT event.seq, job, event.parent, child, body FROM delivery "
	"CROSS JOIN event ON event.seq = delivery.seq "
	"WHERE delivery.parent = ?3 AND delivery.seq > ?1 ORDER BY delivery.seq LIMIT ?2",
    [SQL_EACH_PENDING_PARENT] = "SELECT parent, count(*) FROM delivery GROUP BY parent",
    [SQL_ACKNOWLEDGE] = "DELETE FROM delivery "
			"WHERE parent = (SELECT parent FROM event WHERE seq = ?1) AND seq = ?1",
    [SQL_SET_PARENT] = "INSERT OR REPLACE INTO parent (name, path, format) VALUES (?1, ?2, ?3)",
    [SQL_READ_PARENT] = "SELECT name, path, format FROM parent WHERE name = ?1",
    [SQL_FIND_FIFO] = "SELECT name, path, format FROM parent WHERE path = ?1 AND name <> ?2",
    [SQL_READ_META] = "SELECT value FROM meta WHERE key = ?1",
    [SQL_SET_META] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
    [SQL_COUNT_LIVE] = "SELECT count(*) FROM job INDEXED BY job_live WHERE ended_ms IS NULL",
    [SQL_LAST_JOB] = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)",
    [SQL_OLDEST_OVER] = "SELECT job, record_seq, ended_ms FROM job INDEXED BY job_over "
			"WHERE record_seq >= ?1 ORDER BY record_seq LIMIT 1",
    [SQL_EACH_EVENT] = "SELECT event.seq, job.job FROM event LEFT JOIN job ON job.job = event.job "
		       "WHERE event.seq >= ?1 AND event.seq <= ?2 ORDER BY event.seq LIMIT ?3",
    [SQL_KEEP_EVENT] = "INSERT INTO kept_event (job, seq) VALUES (?1, ?2)",
    [SQL_DROP_EVENT] = "DELETE FROM event WHERE seq = ?1",
    [SQL_IS_PENDING] =
	"SELECT 1 FROM delivery WHERE parent = (SELECT parent FROM job WHERE job = ?1) AND seq = ?2",
    [SQL_ADD_DUE] = "INSERT OR IGNORE INTO due_job (job) SELECT job FROM event WHERE seq = ?1",
    [SQL_NEXT_DUE] = "SELECT job FROM due_job ORDER BY job LIMIT 1",
    [SQL_DROP_DUE] = "DELETE FROM due_job WHERE job = ?1",
    [SQL_DROP_KEPT_EVENTS] =
	"DELETE FROM event WHERE seq IN (SELECT seq FROM kept_event WHERE job = ?1)",
    [SQL_DROP_KEPT] = "DELETE FROM kept_event WHERE job = ?1",
    [SQL_DROP_JOB] = "DELETE FROM job WHERE job = ?1",
    [SQL_ADD_REMOVED] = "INSERT OR IGNORE INTO removed_job (job) VALUES (?1)",
    [SQL_EACH_REMOVED] = "SELECT job FROM removed_job",
    [SQL_DROP_REMOVED] = "DELETE FROM removed_job",
    [SQL_RAISE_JOB] = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'job' AND seq < ?1",
    [SQL_ADD_LAST_JOB] = "INSERT INTO sqlite_sequence (name, seq) SELECT 'job', 0 "
			 "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job')",
    [SQL_ADD_FOUND_JOB] =
	"INSERT OR IGNORE INTO job (job, run, parent, child, status, depth, is_delivered, command, "
	"meta, token, queued_ms, supervisor, boot_id, " LIMIT_COLUMNS ", " PROFILE_COLUMNS
	", " ORDER_COLUMNS ") "
	"VALUES (?40, ?1, ?2, ?3, 'starting', ?4, ?5, ?6, ?7, ?8, ?9, ?41, ?42, ?10, ?11, ?12, ?13, "
	"?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, "
	"?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39)",
    [SQL_ADD_WAITER] = "INSERT OR REPLACE INTO waiter (job, kind, policy, since, last) "
		       "VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_READ_WAITER] = "SELECT job, kind, policy, since, last FROM waiter WHERE job = ?1",
    [SQL_EACH_WAITER] =
	"SELECT waiter.job, kind, policy, since, last, wait.after, is_strict, status "
	"FROM waiter LEFT JOIN wait ON wait.job = waiter.job ORDER BY waiter.job, wait.after",
    [SQL_RESUME_WAITER] = "UPDATE waiter SET kind = ?2, last = ?3 WHERE job = ?1",
    [SQL_DROP_WAITER] = "DELETE FROM waiter WHERE job = ?1",
    [SQL_ADD_WAIT] = "INSERT INTO wait (job, after, is_strict, status) VALUES (?1, ?2, ?3, ?4)",
    [SQL_END_WAITS] = "UPDATE wait INDEXED BY wait_open SET status = ?2 "
		      "WHERE after = ?1 AND status IS NULL",
    [SQL_DROP_WAITS] = "DELETE FROM wait WHERE job = ?1",
    /* When it was started is known until it is again; nothing of its process is. */
    [SQL_SET_SUSPENDED] =
	"UPDATE job SET status = 'suspended', supervisor = NULL, boot_id = NULL, " UNSET_STANDING
	"WHERE job = ?1 AND status = 'running'",
    [SQL_SET_RESUMED] = "UPDATE job SET status = 'queued' WHERE job = ?1 AND status = 'suspended'",
    [SQL_FIND_RUN_BEFORE] = "SELECT coalesce(record_seq, 0) FROM job INDEXED BY job_child "
			    "WHERE child = ?1 AND job < ?2 ORDER BY job DESC LIMIT 1",
};

/* What store.h calls a system call of SQLite's that failed. */
static int
system_error(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ENOSPC;
	case ENOMEM:
	case EROFS:
		return error;
	default:
		return EIO;
	}
}

static int
error_of(int rc, int system)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* never broken by a store that is as we left it */
		return EBADMSG;
	case SQLITE_NOMEM:
		return ENOMEM;
	default:
		return system_error(system);
	}
}

int
sql_fail(struct store *s, int rc)
{
	/* SQLite keeps the errno of a statement that fails, but not of a COMMIT (3.40). */
	int system = errno != 0 ? errno : sqlite3_system_errno(s->db);
	int error = error_of(rc, system);

	if (rc == SQLITE_MISUSE)
		return fault_set(&s->fault, EINVAL,
		    "a walk through the store was begun within itself");
	if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN)
		fault_set(&s->fault, error, "%s (%s)", sqlite3_errstr(rc), strerror(system));
	else
		fault_set(&s->fault, error, "%s", sqlite3_errmsg(s->db));
	if (s->has_begun && s->error == 0)
		s->error = -error;
	return -error;
}

/* PRAGMA synchronous cannot be changed within a transaction. */
static int
apply_durability(struct store *s)
{
	const char *text = s->is_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

	if (s->is_full_applied == s->is_full)
		return 0;
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(s, rc);
	s->is_full_applied = s->is_full;
	return 0;
}

int
sql_begin(struct store *s)
{
	struct sql_use u;

	if (s->has_begun)
		return s->error;
	int rc = apply_durability(s);
	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_BEGIN);
	rc = sql_run(&u, NULL);
	s->has_begun = rc == 0;
	return rc;
}

void
sql_use(struct sql_use *u, struct store *s, enum sql which)
{
	sqlite3_stmt **stmt = &s->statements[which];

	u->store = s;
	u->stmt = NULL;
	u->rc = SQLITE_OK;
	if (*stmt == NULL)
		u->rc = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, stmt,
		    NULL);
	else if (sqlite3_stmt_busy(*stmt))
		u->rc = SQLITE_MISUSE;
	if (u->rc == SQLITE_OK)
		u->stmt = *stmt;
}

void
sql_bind_int(struct sql_use *u, int index, int64_t value)
{
	if (u->rc == SQLITE_OK)
		u->rc = sqlite3_bind_int64(u->stmt, index, value);
}

void
sql_bind_known(struct sql_use *u, int index, int64_t value)
{
	if (value != 0)
		sql_bind_int(u, index, value);
}

void
sql_bind_text(struct sql_use *u, int index, const char *text)
{
	if (u->rc == SQLITE_OK)
		u->rc = sqlite3_bind_text(u->stmt, index, text, -1, SQLITE_STATIC);
}

void
sql_bind_blob(struct sql_use *u, int index, const void *bytes, size_t len)
{
	if (u->rc == SQLITE_OK)
		u->rc = sqlite3_bind_blob64(u->stmt, index, bytes, len, SQLITE_STATIC);
}

bool
sql_step(struct sql_use *u)
{
	if (u->rc != SQLITE_OK && u->rc != SQLITE_ROW)
		return false;
	errno = 0;
	u->rc = sqlite3_step(u->stmt);
	return u->rc == SQLITE_ROW;
}

int
sql_end(struct sql_use *u)
{
	int rc = 0;

	if (u->rc != SQLITE_OK && u->rc != SQLITE_ROW && u->rc != SQLITE_DONE)
		rc = sql_fail(u->store, u->rc);
	if (u->stmt != NULL) {
		sqlite3_reset(u->stmt);
		sqlite3_clear_bindings(u->stmt);
	}
	return rc;
}

int
sql_run(struct sql_use *u, int *ret_changes)
{
	while (sql_step(u))
		continue;
	int rc = sql_end(u);
	if (rc == 0 && ret_changes != NULL)
		*ret_changes = sqlite3_changes(u->store->db);
	return rc;
}

int
sql_read_number(struct store *s, enum sql which, int64_t *ret_number)
{
	struct sql_use u;

	sql_use(&u, s, which);
	if (sql_step(&u))
		*ret_number = sql_int(&u, 0);
	return sql_end(&u);
}

int
sql_read_meta(struct store *s, const char *key, int64_t *ret_value)
{
	struct sql_use u;
	int rc = -EBADMSG;

	sql_use(&u, s, SQL_READ_META);
	sql_bind_text(&u, 1, key);
	if (sql_step(&u)) {
		*ret_value = sql_int(&u, 0);
		rc = 0;
	}
	int end = sql_end(&u);
	if (rc < 0 && end == 0)
		fault_set(&s->fault, EBADMSG, "its table meta has no %s", key);
	return end < 0 ? end : rc;
}

int
sql_set_meta(struct store *s, const char *key, int64_t value)
{
	struct sql_use u;

	sql_use(&u, s, SQL_SET_META);
	sql_bind_text(&u, 1, key);
	sql_bind_int(&u, 2, value);
	return sql_run(&u, NULL);
}

int64_t
sql_int(const struct sql_use *u, int column)
{
	return sqlite3_column_int64(u->stmt, column);
}

const char *
sql_text(const struct sql_use *u, int column)
{
	return (const char *)sqlite3_column_text(u->stmt, column);
}
