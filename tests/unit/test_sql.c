/*
 * test_sql: the store under faults (a full disk, no memory, a lock, damage), what is left of secrets
 * in its files, and that a job costs the same whatever the history.
 */
#include "tests/unit/store_fixture.h"

#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * SQLite's allocator with a fuse: the allocation that finds the count at 1 fails. The tests go
 * through the counts in growing steps: each opens a file anew, with all its syncs.
 */
static sqlite3_mem_methods usual;
static int fuse;

static bool
is_blown(void)
{
	return fuse > 0 && --fuse == 0;
}

static void *
fused_malloc(int size)
{
	return is_blown() ? NULL : usual.xMalloc(size);
}

static void *
fused_realloc(void *old, int size)
{
	return is_blown() ? NULL : usual.xRealloc(old, size);
}

static int
install_fuse(void **state)
{
	sqlite3_mem_methods fused;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
		return -1;
	fused = usual;
	fused.xMalloc = fused_malloc;
	fused.xRealloc = fused_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &fused) == SQLITE_OK ? 0 : -1;
}

static int
add_job(struct fixture *x, const char *child, const void *block, size_t len)
{
	struct store_job j = fixture_job("p", child);
	int64_t job, run;

	return store_add_job(x->store, &j, NULL, block, len, &job, &run);
}

/* Everything that happens to one job, and every question; the first error ends it. */
static int
live_once(struct fixture *x, const char *token)
{
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0, seq = 0;
	bool was_pending;
	size_t len = 0;
	void *block = NULL;
	int rc;

	rc = store_add_job(x->store, &j, token, "block", 5, &job, &run);
	if (rc == 0)
		rc = store_commit(x->store);
	if (rc == 0)
		rc = store_each_live_job(x->store, found_job, &found);
	if (rc == 0)
		rc = store_read_launch(x->store, job, &block, &len);
	free(block);
	if (rc == 0)
		rc = store_set_starting(x->store, job, 1, "boot", 0);
	if (rc == 0)
		rc = fixture_run(x, job, 1, 2, 3);
	if (rc == 0)
		rc = store_next_seq(x->store, &seq);
	if (rc == 0)
		rc = store_end_job(x->store, job, STATUS_COMPLETED, 1, 2, seq, RECORD);
	if (rc == 0)
		rc = store_commit(x->store);
	if (rc == 0)
		rc = store_read_child(x->store, "c", found_job, &found);
	if (rc == 0)
		rc = store_read_record(x->store, job, found_record, &found);
	if (rc == 0)
		rc = store_each_pending(x->store, "p", seq - 1, 1, found_record, &found);
	if (rc == 0)
		rc = store_each_record(x->store, "p", seq - 1, 1, found_record, &found);
	if (rc == 0)
		rc =
		    store_each_job(x->store, NULL, STATUS_COMPLETED, job - 1, 1, found_job, &found);
	if (rc == 0)
		rc = store_each_job(x->store, "p", -1, job - 1, 1, found_job, &found);
	if (rc == 0)
		rc = store_acknowledge(x->store, seq, &was_pending);
	return rc == 0 ? store_commit(x->store) : rc;
}

static void
any_allocation_may_fail_at_work(void **state)
{
	struct fixture *x = *state;
	int failures = 0, rc;

	for (int at = 1;; at += 1 + at / 16) {
		char token[32];
		snprintf(token, sizeof(token), "t%d", at);
		fixture_reopen(x);
		fuse = at;
		rc = live_once(x, token);
		bool was_reached = fuse == 0;
		fuse = 0;
		if (rc != 0) {
			assert_int_equal(rc, -ENOMEM);
			failures++;
			store_rollback(x->store);
		}
		assert_int_equal(live_once(x, NULL), 0);
		if (!was_reached)
			break;
	}
	assert_int_equal(rc, 0);
	assert_in_range(failures, 20, 100000);
}

static void
any_allocation_may_fail_when_opening(void **state)
{
	struct fixture *x = *state;
	struct fault f;

	for (int at = 1;; at += 1 + at / 16) {
		store_close(x->store);
		x->store = NULL;
		unlink(x->path);
		fuse = at;
		int rc = store_open(x->path, true, &x->store, &f);
		bool was_reached = fuse == 0;
		fuse = 0;
		if (rc != 0)
			assert_int_equal(rc, -ENOMEM);
		if (rc != 0)
			assert_int_equal(fixture_open(x), 0);
		assert_int_equal(live_once(x, NULL), 0);
		if (!was_reached)
			break;
	}
}

/* Room for `more` bytes in the write-ahead log from now on; 0: as much as there is. */
static void
limit_file_size(struct fixture *x, size_t more)
{
	struct rlimit limit;
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s-wal", x->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = more > 0 ? (rlim_t)st.st_size + more : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_loses_nothing_but_the_new(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	static char block[100000];
	int64_t before = 0, after = 0;
	int rc;

	assert_int_equal(add_job(x, "old", "b", 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_next_seq(x->store, &before), 0);
	assert_int_equal(store_commit(x->store), 0);
	limit_file_size(x, 20000);
	rc = add_job(x, "new", block, sizeof(block));
	if (rc == 0)
		rc = store_commit(x->store);
	assert_int_equal(rc, -ENOSPC);
	assert_true(store_is_dirty(x->store));
	assert_true(strlen(store_fault(x->store)) > 0);
	limit_file_size(x, 0); /* what failed once can only be rolled back, room or not */
	assert_int_equal(add_job(x, "more", "b", 1), -ENOSPC);
	assert_int_equal(store_commit(x->store), -ENOSPC);
	store_rollback(x->store);
	assert_int_equal(store_read_child(x->store, "old", found_job, &found), 0);
	assert_int_equal(store_read_child(x->store, "new", found_job, &found), -ENOENT);
	assert_int_equal(store_read_child(x->store, "more", found_job, &found), -ENOENT);
	assert_int_equal(store_next_seq(x->store, &after), 0);
	assert_int_equal(after, before);
	assert_int_equal(add_job(x, "new", block, sizeof(block)), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_child(x->store, "new", found_job, &found), 0);
}

static void
somebody_elses_lock_is_waited_for_but_briefly(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	sqlite3 *db;

	assert_int_equal(add_job(x, "a", "b", 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(add_job(x, "b", "b", 1), -EBUSY);
	assert_false(store_is_dirty(x->store));
	assert_int_equal(store_read_child(x->store, "a", found_job, &found), 0);
	store_rollback(x->store);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(add_job(x, "b", "b", 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	sqlite3_close(db);
}

static void
damage_is_told_and_not_taken_for_data(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	char noise[4096];

	for (int i = 0; i < 50; i++)
		assert_int_equal(add_job(x, "c", "b", 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	store_close(x->store);
	x->store = NULL;
	memset(noise, 0xa5, sizeof(noise));
	int fd = open(x->path, O_WRONLY);
	for (off_t at = 4096; at < 16 * 4096; at += 4096)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
	close(fd);
	int rc = fixture_open(x);
	if (rc == 0)
		rc = store_each_live_job(x->store, found_job, &found);
	assert_int_equal(rc, -EBADMSG);
	assert_int_equal(found.count, 0);
}

static void
an_unknown_status_is_damage(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};

	assert_int_equal(add_job(x, "c", "b", 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(sqlite3_exec(x->store->db, "UPDATE job SET status = 'odd'", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	assert_int_equal(store_read_child(x->store, "c", found_job, &found), -EBADMSG);
	assert_non_null(strstr(store_fault(x->store), "unknown status 'odd'"));
}

static bool
is_in_file(struct fixture *x, const char *suffix, const char *secret)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", x->path, suffix);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	char *data = calloc(1, 4 << 20);
	size_t len = fread(data, 1, 4 << 20, file);
	bool is_there = memmem(data, len, secret, strlen(secret)) != NULL;
	fclose(file);
	free(data);
	return is_there;
}

static void
a_secret_is_gone_when_its_job_has_ended(void **state)
{
	static const char secret[] = "TOKEN=hunter2-and-more";
	struct fixture *x = *state;
	static char block[30000];

	memset(block, 'x', sizeof(block));
	memcpy(block, secret, sizeof(secret) - 1);
	memcpy(block + sizeof(block) - sizeof(secret), secret, sizeof(secret) - 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(add_job(x, "c", block, sizeof(block)), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_tidy(x->store), 0);
	assert_true(is_in_file(x, "", secret));
	for (int64_t job = 1; job <= 3; job++)
		fixture_end(x, job);
	assert_int_equal(store_tidy(x->store), -EBUSY);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_tidy(x->store), 0);
	assert_false(is_in_file(x, "", secret));
	assert_false(is_in_file(x, "-wal", secret));
}

/* In place of libc's, for SQLite. */
static int sync_count;

int
fdatasync(int fd)
{
	sync_count++;
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	sync_count++;
	return (int)syscall(SYS_fsync, fd);
}

static void
after_a_rest_a_job_costs_no_more_syncs_than_any_other(void **state)
{
	struct fixture *x = *state;

	for (int is_full = 0; is_full <= 1; is_full++) {
		assert_int_equal(store_set_full(x->store, is_full), 0);
		for (int i = 0; i < 3; i++) {
			sync_count = 0;
			assert_int_equal(add_job(x, "c", "b", 1), 0);
			assert_int_equal(store_commit(x->store), 0);
			if (i > 0)
				assert_int_equal(sync_count, is_full);
			assert_int_equal(store_tidy(x->store), 0);
		}
		assert_true(sync_count > is_full); /* they are counted */
	}
}

static int
walk_again(void *arg, const struct store_job *j)
{
	struct fixture *x = arg;
	struct found found = {.count = 0};

	assert_int_equal(store_read_child(x->store, j->child, found_job, &found), 0);
	return store_each_live_job(x->store, found_job, &found);
}

static int
stop_walking(void *arg, const struct store_job *j)
{
	(*(int *)arg)++;
	return j->job == 2 ? 77 : 0;
}

static void
a_walk_may_read_but_not_begin_itself(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	int visits = 0;

	for (int i = 0; i < 3; i++)
		assert_int_equal(add_job(x, "c", "b", 1), 0);
	assert_int_equal(store_each_live_job(x->store, walk_again, x), -EINVAL);
	assert_int_equal(store_each_live_job(x->store, stop_walking, &visits), 77);
	assert_int_equal(visits, 2);
	assert_int_equal(store_each_live_job(x->store, found_job, &found), 0);
	assert_int_equal(found.count, 3);
	assert_int_equal(store_commit(x->store), 0);
}

static int
synchronous(struct fixture *x)
{
	sqlite3_stmt *stmt;
	int value;

	assert_int_equal(add_job(x, "c", "b", 1), 0);
	assert_int_equal(sqlite3_prepare_v2(x->store->db, "PRAGMA synchronous", -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void
durability_changes_with_the_next_transaction(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(synchronous(x), 1);
	assert_int_equal(store_set_full(x->store, true), 0);
	assert_int_equal(synchronous(x), 1);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(synchronous(x), 2);
	store_rollback(x->store);
	assert_int_equal(store_set_full(x->store, false), 0);
	assert_int_equal(synchronous(x), 1);
}

static void
reset_steps(struct fixture *x)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		if (x->store->statements[i] != NULL)
			sqlite3_stmt_status(x->store->statements[i], SQLITE_STMTSTATUS_VM_STEP, 1);
	}
}

/* The most that one statement has done since, in steps of SQLite's machine. */
static int
most_steps(struct fixture *x)
{
	int most = 0;

	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_stmt *stmt = x->store->statements[i];
		if (stmt == NULL)
			continue;
		int steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
		assert_int_equal(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 1), 0);
		most = steps > most ? steps : most;
	}
	return most;
}

static void
a_job_costs_the_same_after_many(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(live_once(x, "first"), 0);
	for (int i = 0; i < 3000; i++)
		fixture_end(x, fixture_add(x, "q", "d"));
	assert_int_equal(store_commit(x->store), 0);
	reset_steps(x);
	assert_int_equal(live_once(x, "last"), 0);
	assert_in_range(most_steps(x), 10, 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(any_allocation_may_fail_at_work),
	    TEST(any_allocation_may_fail_when_opening),
	    TEST(a_full_disk_loses_nothing_but_the_new),
	    TEST(somebody_elses_lock_is_waited_for_but_briefly),
	    TEST(damage_is_told_and_not_taken_for_data),
	    TEST(an_unknown_status_is_damage),
	    TEST(a_secret_is_gone_when_its_job_has_ended),
	    TEST(after_a_rest_a_job_costs_no_more_syncs_than_any_other),
	    TEST(a_walk_may_read_but_not_begin_itself),
	    TEST(durability_changes_with_the_next_transaction),
	    TEST(a_job_costs_the_same_after_many),
	};

	return cmocka_run_group_tests(tests, install_fuse, NULL);
}
