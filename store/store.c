/*
 * store: see store.h. Run by the server only. Here: opening and closing the file, transactions, and
 * the parents' FIFOs; jobs are in jobs.c, events and records in records.c, SQL in sql.c, tables in
 * schema.c. Never writes outside a transaction, and never writes to a file that it refuses.
 */
#include "store/store.h"

#include "base/fd.h"
#include "store/schema.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/*
 * How long the write-ahead log may become, in pages, before what it holds is moved into the file: SQLite's own
 * default, but no more than a part of a small file system.
 */
#define LOG_PAGES_MOST 1000
#define LOG_PAGES_LEAST 32
#define LOG_SHARE 16
#define PAGE_SIZE 4096

/* How long somebody's sqlite3(1) may make the loop wait. */
#define BUSY_TIMEOUT_MS 100

/*
 * Makes the file where there is none, with its rights whatever the umask is; SQLite gives them to
 * -wal and -shm as well.
 */
static int
make_file(const char *path, struct fault *f)
{
	FD_CLEANUP int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || fchmod(fd, 0600) < 0)
		return fault_set(f, errno, "%s: cannot be made: %s", path, strerror(errno));
	return 0;
}

/* Puts the words for s's last error, after its path, into f. */
static int
tell_fault(const struct store *s, const char *path, int error, struct fault *f)
{
	return fault_set(f, -error, "%s: %s", path, s->fault.text);
}

/* Runs a PRAGMA that answers with one word; whether that is `wanted`. 0 or -errno. */
static int
run_pragma(struct store *s, const char *text, const char *wanted)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return sql_fail(s, rc);
	rc = sqlite3_step(stmt);
	const char *word = (const char *)sqlite3_column_text(stmt, 0);
	bool is_wanted = word != NULL && strcmp(word, wanted) == 0;
	bool has_failed = rc == SQLITE_ROW && word == NULL; /* no memory for the word */
	rc = sqlite3_finalize(stmt);
	if (rc != SQLITE_OK || has_failed)
		return sql_fail(s, has_failed ? SQLITE_NOMEM : rc);
	if (!is_wanted) {
		return fault_set(&s->fault, EOPNOTSUPP,
		    "SQLite refuses '%s' here; put the state directory "
		    "on a local file system",
		    text);
	}
	return 0;
}

/* Every number up to the highest is a job that lives, one that has ended, or passed. */
static int
load_marks(struct store *s)
{
	int64_t last_seq = 0, last_job = 0, live = 0, due = 0, removed = 0;
	int rc = sql_read_number(s, SQL_LAST_SEQ, &last_seq);

	if (rc == 0)
		rc = sql_read_number(s, SQL_LAST_JOB, &last_job);
	if (rc == 0)
		rc = sql_read_number(s, SQL_COUNT_LIVE, &live);
	if (rc == 0)
		rc = sql_read_number(s, SQL_NEXT_DUE, &due);
	if (rc == 0)
		rc = sql_read_number(s, SQL_EACH_REMOVED, &removed);
	if (rc == 0)
		rc = sql_read_meta(s, "oldest_seq", &s->marks.oldest_seq);
	if (rc == 0)
		rc = sql_read_meta(s, "passed", &s->marks.passed);
	if (rc < 0)
		return rc;
	s->marks.next_seq = last_seq + 1;
	s->marks.over = last_job - s->marks.passed - live;
	s->committed = s->marks;
	s->has_due = due != 0 || removed != 0;
	return 0;
}

/* While a file may still be refused, closing it must not move its write-ahead log into it. */
static void
set_checkpoint_on_close(struct store *s, bool is_on)
{
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !is_on, NULL);
}

static void
set_log_size(struct store *s, const char *path)
{
	uint64_t pages = LOG_PAGES_MOST;
	struct statvfs fs;

	/* A file system that does not tell its size says 0. */
	if (statvfs(path, &fs) == 0 && fs.f_blocks > 0)
		pages = (uint64_t)fs.f_blocks * fs.f_frsize / LOG_SHARE / PAGE_SIZE;
	if (pages > LOG_PAGES_MOST)
		pages = LOG_PAGES_MOST;
	if (pages < LOG_PAGES_LEAST)
		pages = LOG_PAGES_LEAST;
	sqlite3_wal_autocheckpoint(s->db, (int)pages);
}

/* Opens the connection and brings the file into shape. */
static int
connect_file(struct store *s, const char *path, struct fault *f)
{
	errno = 0;
	int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return tell_fault(s, path, s->db != NULL ? sql_fail(s, rc) : -ENOMEM, f);
	if (sqlite3_db_readonly(s->db, "main") == 1)
		return fault_set(f, EROFS, "%s: cannot be written to; see to its file system",
		    path);
	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	set_checkpoint_on_close(s, false);
	rc = schema_migrate(s->db, path, f);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return tell_fault(s, path, sql_fail(s, rc), f);
	set_checkpoint_on_close(s, true);
	set_log_size(s, path);
	rc = run_pragma(s, "PRAGMA journal_mode = WAL", "wal");
	if (rc == 0)
		rc = run_pragma(s, "PRAGMA secure_delete = ON", "1");
	if (rc == 0)
		rc = load_marks(s);
	return rc < 0 ? tell_fault(s, path, rc, f) : 0;
}

int
store_open(const char *path, bool is_full, struct store **ret_store, struct fault *f)
{
	struct store *s;
	int rc = schema_check_file(path, f);

	if (rc == 0)
		rc = make_file(path, f);
	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fault_set(f, ENOMEM, "%s: %s", path, strerror(ENOMEM));
	s->is_full = is_full;
	s->is_full_applied = !is_full; /* not known: the first begin sets it */
	rc = connect_file(s, path, f);
	if (rc < 0) {
		store_close(s);
		return rc;
	}
	*ret_store = s;
	return 0;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	free(s);
}

void
store_abandon(struct store *s)
{
	if (s != NULL)
		set_checkpoint_on_close(s, false);
	store_close(s);
}

int
store_set_full(struct store *s, bool is_full)
{
	s->is_full = is_full;
	return 0;
}

const char *
store_fault(const struct store *s)
{
	return s->fault.text;
}

bool
store_is_dirty(const struct store *s)
{
	return s->has_begun;
}

/* What is written to a file without a name is gone with this process. */
static int
check_place(struct store *s)
{
	int has_moved = 0;

	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
	if (has_moved == 0)
		return 0;
	return fault_set(&s->fault, EIO,
	    "has been moved or removed; put it back, or end the daemon with stop --now and start it again");
}

int
store_commit(struct store *s)
{
	struct sql_use u;

	if (!s->has_begun || s->error < 0)
		return s->error;
	int rc = check_place(s);
	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_COMMIT);
	rc = sql_run(&u, NULL);
	if (rc < 0)
		return rc;
	s->has_begun = false;
	s->committed = s->marks;
	return 0;
}

void
store_rollback(struct store *s)
{
	struct sql_use u;

	if (!s->has_begun)
		return;
	if (!sqlite3_get_autocommit(s->db)) {
		sql_use(&u, s, SQL_ROLLBACK);
		sql_run(&u, NULL);
	}
	s->has_begun = false;
	s->error = 0;
	s->marks = s->committed;
	s->has_due = true; /* perhaps: what was removed is there again */
}

/*
 * Writes what is there already. With the first that is written to an empty log SQLite waits for the disk,
 * whatever the durability, so that the log's header is there before what follows it: better now than when
 * somebody waits for an answer. https://www.sqlite.org/fileformat2.html#walformat
 */
static int
begin_log(struct store *s)
{
	static const char read[] = "PRAGMA user_version", format[] = "PRAGMA user_version = %d";
	char text[sizeof(format) + 16];
	sqlite3_stmt *stmt;
	int version, rc = sqlite3_prepare_v2(s->db, read, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return rc;
	snprintf(text, sizeof(text), format, version);
	return sqlite3_exec(s->db, text, NULL, NULL, NULL);
}

int
store_tidy(struct store *s)
{
	int rc;

	if (s->has_begun)
		return fault_set(&s->fault, EBUSY, "something is to be committed first");
	errno = 0;
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = begin_log(s);
	return rc != SQLITE_OK ? sql_fail(s, rc) : 0;
}

int
store_set_parent(struct store *s, const struct store_parent *p)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_PARENT);
	sql_bind_text(&u, 1, p->name);
	sql_bind_text(&u, 2, p->path);
	sql_bind_text(&u, 3, p->format);
	return sql_run(&u, NULL);
}

/* Hands the first row to cb and ends the use; -ENOENT: there is none. */
static int
take_parent(struct sql_use *u, store_parent_cb *cb, void *arg)
{
	int rc = -ENOENT;

	if (sql_step(u)) {
		struct store_parent p = {sql_text(u, 0), sql_text(u, 1), sql_text(u, 2)};
		rc = p.name != NULL && p.format != NULL ? cb(arg, &p)
							: sql_fail(u->store, SQLITE_NOMEM);
	}
	int end = sql_end(u);
	return end < 0 ? end : rc;
}

int
store_read_parent(struct store *s, const char *name, store_parent_cb *cb, void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_READ_PARENT);
	sql_bind_text(&u, 1, name);
	return take_parent(&u, cb, arg);
}

int
store_find_fifo(struct store *s, const char *path, const char *parent, store_parent_cb *cb,
    void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_FIND_FIFO);
	sql_bind_text(&u, 1, path);
	sql_bind_text(&u, 2, parent);
	return take_parent(&u, cb, arg);
}
