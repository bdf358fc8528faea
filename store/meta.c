/*
 * meta: what is known of the file as a whole. Run by the server only; see store.h.
 */
#include "store/sql.h"
#include "store/store.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>

int
store_oldest_seq(struct store *s, int64_t *ret_seq)
{
	*ret_seq = s->marks.oldest_seq;
	return 0;
}

int
store_probe(struct store *s)
{
	int rc = sql_begin(s);

	return rc == 0 ? sql_set_meta(s, "oldest_seq", s->marks.oldest_seq) : rc;
}

int
store_set_aside_path(struct store *s, const char *path)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_META);
	sql_bind_text(&u, 1, "set_aside");
	sql_bind_text(&u, 2, path);
	return sql_run(&u, NULL);
}

int
store_read_aside_path(struct store *s, char path[PATH_MAX])
{
	struct sql_use u;
	int rc = -ENOENT;

	sql_use(&u, s, SQL_READ_META);
	sql_bind_text(&u, 1, "set_aside");
	if (sql_step(&u)) {
		const char *text = sql_text(&u, 0);

		rc = text == NULL ? sql_fail(s, SQLITE_NOMEM) : 0;
		strlcpy(path, text != NULL ? text : "", PATH_MAX);
	}
	int end = sql_end(&u);
	return end < 0 ? end : rc;
}

int
store_last_job(struct store *s, int64_t *ret_job)
{
	return sql_read_number(s, SQL_LAST_JOB, ret_job);
}

int
store_raise_seq(struct store *s, int64_t seq)
{
	int rc = sql_begin(s);

	if (rc < 0 || seq <= s->marks.next_seq)
		return rc;
	s->marks.next_seq = s->marks.oldest_seq = seq;
	return sql_set_meta(s, "oldest_seq", seq);
}

/* Numbers that were given away before this file was begun, as if their jobs had been removed. */
int
store_raise_numbers(struct store *s, int64_t job)
{
	struct sql_use u;
	int64_t last = 0;
	int rc = sql_begin(s);

	if (rc == 0)
		rc = sql_read_number(s, SQL_LAST_JOB, &last);
	if (rc < 0 || job <= last)
		return rc;
	sql_use(&u, s, SQL_ADD_LAST_JOB);
	rc = sql_run(&u, NULL);
	if (rc == 0) {
		sql_use(&u, s, SQL_RAISE_JOB);
		sql_bind_int(&u, 1, job);
		rc = sql_run(&u, NULL);
	}
	s->marks.passed += job - last;
	return rc == 0 ? sql_set_meta(s, "passed", s->marks.passed) : rc;
}

/* The first thing that is wrong, or "ok". */
int
store_check(struct store *s, bool is_thorough, struct fault *f)
{
	const char *text = is_thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";
	sqlite3_stmt *stmt = NULL;
	int rc, r = 0;

	errno = 0;
	rc = sqlite3_prepare_v2(s->db, text, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	const char *word = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (rc != SQLITE_ROW || word == NULL)
		r = sql_fail(s, rc == SQLITE_ROW ? SQLITE_NOMEM : rc);
	else if (strcmp(word, "ok") != 0)
		r = fault_set(&s->fault, EBADMSG, "is damaged: %s", word);
	sqlite3_finalize(stmt);
	if (r < 0)
		fault_set(f, -r, "%s: %s", sqlite3_db_filename(s->db, "main"), s->fault.text);
	return r;
}
