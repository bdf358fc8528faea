/*
 * sql: what the files of store/ share: the open store, its table of prepared statements, and the
 * binding and stepping of one. Nobody outside store/ includes it.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/fault.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_LAST_SEQ,
	SQL_FIND_TOKEN,
	SQL_FIND_RUN,
	SQL_ADD_JOB,
	SQL_ADD_LAUNCH,
	SQL_SET_STARTING,
	SQL_SET_QUEUED,
	SQL_SET_RUNNING,
	SQL_SET_STANDING,
	SQL_IS_PAUSED,
	SQL_SET_RETRY,
	SQL_SET_DUE,
	SQL_SET_CANCELLED,
	SQL_SET_ANCESTRY,
	SQL_READ_ANCESTRY,
	SQL_IS_RUNNING,
	SQL_END_JOB,
	SQL_ADD_EVENT,
	SQL_ADD_JOB_EVENT,
	SQL_ADD_DELIVERY,
	SQL_DROP_LAUNCH,
	SQL_READ_LAUNCH,
	SQL_READ_JOB,
	SQL_READ_CHILD,
	SQL_EACH_LIVE,
	SQL_EACH_LIVE_STATUS,
	SQL_EACH_ENDED_STATUS,
	SQL_EACH_JOB,
	SQL_EACH_OF_PARENT,
	SQL_NEXT_PARENT,
	SQL_EACH_RECORD,
	SQL_EACH_RECORD_OF_PARENT,
	SQL_READ_RECORD,
	SQL_EACH_OF_FEED,
	SQL_EACH_ABOVE,
	SQL_ADD_APPROVAL,
	SQL_PUT_APPROVAL,
	SQL_DECIDE_APPROVAL,
	SQL_READ_APPROVAL,
	SQL_FIND_APPROVAL,
	SQL_EACH_OPEN_APPROVAL,
	SQL_COUNT_APPROVALS,
	SQL_DROP_APPROVALS,
	SQL_FIND_MARKED,
	SQL_FIND_LEADER,
	SQL_EACH_PENDING,
	SQL_EACH_PENDING_PARENT,
	SQL_ACKNOWLEDGE,
	SQL_SET_PARENT,
	SQL_READ_PARENT,
	SQL_FIND_FIFO,
	SQL_READ_META,
	SQL_SET_META,
	SQL_COUNT_LIVE,
	SQL_LAST_JOB,
	SQL_OLDEST_OVER,
	SQL_EACH_EVENT,
	SQL_KEEP_EVENT,
	SQL_DROP_EVENT,
	SQL_DROP_KEPT,
	SQL_IS_PENDING,
	SQL_ADD_DUE,
	SQL_NEXT_DUE,
	SQL_DROP_DUE,
	SQL_DROP_KEPT_EVENTS,
	SQL_DROP_JOB,
	SQL_ADD_REMOVED,
	SQL_EACH_REMOVED,
	SQL_DROP_REMOVED,
	SQL_RAISE_JOB,
	SQL_ADD_LAST_JOB,
	SQL_ADD_FOUND_JOB,
	SQL_ADD_WAITER,
	SQL_READ_WAITER,
	SQL_EACH_WAITER,
	SQL_RESUME_WAITER,
	SQL_DROP_WAITER,
	SQL_ADD_WAIT,
	SQL_END_WAITS,
	SQL_DROP_WAITS,
	SQL_SET_SUSPENDED,
	SQL_SET_RESUMED,
	SQL_FIND_RUN_BEFORE,
	SQL_COUNT
};

/* What would cost a look at the history to find out. */
struct sql_marks {
	int64_t next_seq;   /* of the next event */
	int64_t oldest_seq; /* events below it may be missing */
	int64_t passed;     /* meta.passed, see schema.c */
	int64_t over;       /* how many jobs have ended and are not passed */
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT]; /* prepared when first used */
	bool is_full;                        /* what is wanted */
	bool is_full_applied;                /* what the connection does */
	bool has_begun; /* a transaction of ours is open, or was until SQLite gave it up */
	int error;      /* -errno of what failed in it; it can only be rolled back */
	struct sql_marks marks;
	struct sql_marks committed; /* as of the last commit */
	bool has_due; /* there may be rows in due_job, or at the start in removed_job */
	struct fault fault;
};

/* One use of a statement. The first error sticks; sql_end() gives it. */
struct sql_use {
	struct store *store;
	sqlite3_stmt *stmt;
	int rc; /* SQLite's */
};

/*
 * Takes a positive result code of SQLite down in store_fault() and returns it as -errno, as store.h
 * names them. A transaction that is open can then only be rolled back. errno must be that of the
 * call that failed, or 0.
 */
int sql_fail(struct store *s, int rc);

/*
 * Begins a transaction if none is open. 0; the error that the open one failed with; or -errno.
 */
int sql_begin(struct store *s);

/* Takes a statement into use; sql_end() says -EINVAL if it was in use, further up the stack. */
void sql_use(struct sql_use *u, struct store *s, enum sql which);

/* Parameter `index` counts from 1. Bytes must live until sql_end(). */
void sql_bind_int(struct sql_use *u, int index, int64_t value);
void sql_bind_known(struct sql_use *u, int index, int64_t value);   /* 0 is NULL */
void sql_bind_text(struct sql_use *u, int index, const char *text); /* NULL is NULL */
void sql_bind_blob(struct sql_use *u, int index, const void *bytes, size_t len);

/* Whether there is a(nother) row. */
bool sql_step(struct sql_use *u);

/* The statement is free for its next use. 0 or -errno. */
int sql_end(struct sql_use *u);

/* Steps to the end; *ret_changes (may be NULL) gets how many rows it changed. 0 or -errno. */
int sql_run(struct sql_use *u, int *ret_changes);

/* The first column of the first row; *ret_number is left alone where there is none. 0 or -errno. */
int sql_read_number(struct store *s, enum sql which, int64_t *ret_number);

/* The number under a key of the table meta; to set it, a transaction must be open. 0 or -errno. */
int sql_read_meta(struct store *s, const char *key, int64_t *ret_value);
int sql_set_meta(struct store *s, const char *key, int64_t value);

/* Columns of the row, from 0. */
int64_t sql_int(const struct sql_use *u, int column);
const char *sql_text(const struct sql_use *u, int column); /* NULL for NULL */

#endif
