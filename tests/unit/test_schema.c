/*
 * test_schema: which files the store opens and which it refuses without touching them, and what
 * people see who look into one with sqlite3(1).
 */
#include "tests/unit/store_fixture.h"
#include "tests/unit/store_v1.h"
#include "tests/unit/store_v2.h"
#include "tests/unit/store_v3.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct bytes {
	char *data;
	size_t len;
};

static struct bytes
read_file(const char *path)
{
	struct bytes b = {NULL, 0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	b.data = calloc(1, 1 << 20);
	b.len = fread(b.data, 1, 1 << 20, file);
	fclose(file);
	return b;
}

static void
write_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The file is refused with that error and those words, and is the same afterwards. */
static void
assert_refused(struct fixture *x, int error, const char *words)
{
	struct bytes before = read_file(x->path), after;
	struct store *s = NULL;
	struct fault f = {.text = ""};

	assert_int_equal(store_open(x->path, true, &s, &f), -error);
	assert_null(s);
	assert_memory_equal(f.text, x->path, strlen(x->path));
	if (strstr(f.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", f.text, words);
	after = read_file(x->path);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	free(before.data);
	free(after.data);
}

static mode_t
mode_of(const char *path, const char *suffix)
{
	char name[128];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 07777;
}

static void
open_and_add_under(struct fixture *x, mode_t mask)
{
	mode_t before = umask(mask);

	assert_int_equal(fixture_open(x), 0);
	fixture_add(x, "p", "c");
	assert_int_equal(store_commit(x->store), 0);
	umask(before);
}

static void
a_new_file_is_private_under_any_umask(void **state)
{
	struct fixture *x = *state;

	open_and_add_under(x, 0);
	assert_int_equal(mode_of(x->path, ""), 0600);
	assert_int_equal(mode_of(x->path, "-wal"), 0600);
	assert_int_equal(mode_of(x->path, "-shm"), 0600);
}

static void
a_tight_umask_does_no_harm(void **state)
{
	struct fixture *x = *state;

	open_and_add_under(x, 0777);
	assert_int_equal(mode_of(x->path, ""), 0600);
	assert_int_equal(mode_of(x->path, "-wal"), 0600);
}

static void
an_empty_file_is_begun(void **state)
{
	struct fixture *x = *state;

	write_file(x->path, "", 0);
	assert_int_equal(fixture_open(x), 0);
	fixture_add(x, "p", "c");
	assert_int_equal(store_commit(x->store), 0);
}

static void
a_foreign_database_is_refused(void **state)
{
	struct fixture *x = *state;

	write_file(x->path, "", 0);
	run_sql(x->path, "CREATE TABLE t (a)");
	assert_refused(x, EBADMSG, "not spawnd's");
	run_sql(x->path, "PRAGMA application_id = 5");
	assert_refused(x, EBADMSG, "not spawnd's");
}

static void
what_is_no_database_is_refused(void **state)
{
	struct fixture *x = *state;
	char zeros[8192] = "";

	write_file(x->path, "notes\n", 6);
	assert_refused(x, EBADMSG, "not an SQLite database");
	write_file(x->path, zeros, sizeof(zeros));
	assert_refused(x, EBADMSG, "not an SQLite database");
	write_file(x->path, "SQLite format 3", 16);
	assert_refused(x, EBADMSG, "not an SQLite database");
}

static void
a_newer_schema_is_refused(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(fixture_open(x), 0);
	store_close(x->store);
	x->store = NULL;
	run_sql(x->path, "PRAGMA user_version = 99");
	assert_refused(x, EPROTONOSUPPORT, "written by a newer spawnd (schema 99");
}

/* In a process of its own, which dies with the change in the write-ahead log alone. */
static void
write_newer_schema_and_die(const char *path)
{
	sqlite3 *db;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		bool is_done = sqlite3_open(path, &db) == SQLITE_OK &&
		    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL) == SQLITE_OK;
		_exit(is_done ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
a_newer_schema_in_the_log_is_refused(void **state)
{
	struct fixture *x = *state;
	char log[128];

	assert_int_equal(fixture_open(x), 0);
	store_close(x->store);
	x->store = NULL;
	write_newer_schema_and_die(x->path);
	snprintf(log, sizeof(log), "%s-wal", x->path);
	struct bytes before = read_file(log);
	assert_true(before.len > 0);
	assert_refused(x, EPROTONOSUPPORT, "written by a newer spawnd (schema 99");
	struct bytes after = read_file(log);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	free(before.data);
	free(after.data);
}

static void
a_file_open_to_others_is_refused(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(fixture_open(x), 0);
	store_close(x->store);
	x->store = NULL;
	assert_int_equal(chmod(x->path, 0640), 0);
	assert_refused(x, EPERM, "run: chmod 600 ");
	assert_int_equal(chmod(x->path, 0600), 0);
	assert_int_equal(fixture_open(x), 0);
}

static void
what_is_no_plain_file_is_refused(void **state)
{
	struct fixture *x = *state;
	struct fault f = {.text = ""};
	struct store *s = NULL;

	assert_int_equal(symlink("elsewhere", x->path), 0);
	assert_int_equal(store_open(x->path, true, &s, &f), -EOPNOTSUPP);
	assert_non_null(strstr(f.text, "not a regular file"));
	unlink(x->path);
	assert_int_equal(mkdir(x->path, 0700), 0);
	assert_int_equal(store_open(x->path, true, &s, &f), -EOPNOTSUPP);
	rmdir(x->path);
	assert_int_equal(store_open("/nonexistent/spawnd.db", true, &s, &f), -ENOENT);
	assert_non_null(strstr(f.text, "/nonexistent/spawnd.db: cannot be made: "));
	assert_null(s);
}

static void
a_file_killed_before_its_first_commit_is_begun_anew(void **state)
{
	struct fixture *x = *state;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int rc = fixture_open(x);
		if (rc == 0)
			fixture_add(x, "p", "c");
		_exit(rc == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(fixture_add(x, "p", "c"), 1);
}

static void
numbers_are_not_reused_when_history_is_deleted(void **state)
{
	struct fixture *x = *state;
	int64_t seq;

	assert_int_equal(fixture_open(x), 0);
	fixture_end(x, fixture_add(x, "p", "c"));
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_next_seq(x->store, &seq), 0);
	store_close(x->store);
	x->store = NULL;
	run_sql(x->path, "DELETE FROM event; DELETE FROM delivery; DELETE FROM job");
	assert_int_equal(fixture_open(x), 0);
	int64_t again = 0;
	assert_int_equal(store_next_seq(x->store, &again), 0);
	assert_int_equal(again, seq);
	assert_int_equal(fixture_add(x, "p", "c"), 2);
}

/* One text of a query's first row, read by a connection of its own as people do. */
static void
assert_query(struct fixture *x, const char *sql, const char *expected)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open_v2(x->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), expected);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void
people_see_views(void **state)
{
	struct fixture *x = *state;
	bool was_pending;

	assert_int_equal(fixture_open(x), 0);
	fixture_add(x, "p", "a");
	fixture_add(x, "p", "b");
	fixture_end(x, 1);
	assert_int_equal(store_set_starting(x->store, 2, 1, "b", 0), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_query(x, "SELECT status FROM jobs WHERE child = 'b'", "queued");
	assert_query(x, "SELECT count(*) FROM jobs", "2");
	assert_query(x, "SELECT queued_at FROM jobs", "1970-01-01T00:00:01.000Z");
	assert_query(x, "SELECT completed_at FROM jobs WHERE job = 1", "1970-01-01T00:00:03.500Z");
	assert_query(x, "SELECT started_at IS NULL FROM jobs WHERE job = 2", "1");
	assert_query(x, "SELECT elapsed_ms FROM jobs WHERE job = 1", "1500");
	assert_query(x, "SELECT group_concat(event) FROM events", "queued,queued,completed");
	assert_query(x, "SELECT at FROM events WHERE seq = 3", "1970-01-01T00:00:03.500Z");
	assert_query(x, "SELECT exit_code FROM records", "3");
	assert_query(x, "SELECT status FROM records", "error");
	assert_query(x, "SELECT acknowledged FROM records", "no");
	assert_int_equal(store_acknowledge(x->store, 3, &was_pending), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_query(x, "SELECT acknowledged FROM records", "yes");
	assert_query(x, "SELECT body FROM records", RECORD);
}

static void
limits_stand_in_the_columns_of_their_names(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	int64_t job, run;

	j.limits = (struct limits){.max_total_ns = 1,
	    .max_idle_ns = 2,
	    .check_interval_ns = 3,
	    .kill_grace_ns = 4,
	    .max_extend_ns = 5,
	    .max_memory = 6,
	    .max_processes = 7,
	    .max_open_files = 8,
	    .max_cpu_ns = 9,
	    .max_output = 10,
	    .kill_signal = 11,
	    .nice = 12,
	    .activity = 13,
	    .idle_from = 14,
	    .leftovers = 15,
	    .on_output_limit = 16};
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_query(x,
	    "SELECT max_total_ns || ' ' || max_idle_ns || ' ' || "
	    "check_interval_ns || ' ' || kill_grace_ns || ' ' || max_extend_ns || ' ' || max_memory "
	    "|| ' ' || max_processes || ' ' || max_open_files || ' ' || max_cpu_ns || ' ' || "
	    "max_output || ' ' || kill_signal || ' ' || nice || ' ' || activity || ' ' || idle_from "
	    "|| ' ' || leftovers || ' ' || on_output_limit FROM job",
	    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
}

static void
assert_launch(struct fixture *x, int64_t job, const char *block)
{
	void *found;
	size_t len;

	assert_int_equal(store_read_launch(x->store, job, &found, &len), 0);
	assert_int_equal(len, strlen(block));
	assert_memory_equal(found, block, len);
	free(found);
}

/* Jobs keep the limits that they were accepted with: version 1 had none of the later ones. */
static void
a_store_of_version_1_goes_on(void **state)
{
	static const struct limits limits = {.max_total_ns = WATCHDOG_OFF,
	    .max_idle_ns = UINT64_C(7000000000),
	    .check_interval_ns = 5,
	    .kill_grace_ns = WATCHDOG_OFF,
	    .kill_signal = 2,
	    .activity = ACTIVITY_OUTPUT,
	    .idle_from = IDLE_FROM_FIRST_BEAT,
	    .max_extend_ns = 0,
	    .max_memory = WATCHDOG_OFF,
	    .max_processes = WATCHDOG_OFF,
	    .max_open_files = WATCHDOG_OFF,
	    .max_cpu_ns = WATCHDOG_OFF,
	    .max_output = WATCHDOG_OFF,
	    .nice = LIMITS_NICE_INHERIT,
	    .leftovers = LEFTOVERS_KILL,
	    .on_output_limit = ON_OUTPUT_TRIM};
	struct fixture *x = *state;
	struct found live = {.count = 0}, found = {.count = 0}, records = {.count = 0};
	int64_t seq;

	write_file(x->path, "", 0);
	run_sql(x->path, store_v1);
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(store_each_live_job(x->store, found_job, &live), 0);
	assert_int_equal(live.count, 2);
	assert_int_equal(live.numbers[0], 2);
	assert_int_equal(live.numbers[1], 3);
	assert_memory_equal(&live.job.limits, &limits, sizeof(limits));
	assert_int_equal(live.job.depth, 1);
	assert_string_equal(live.meta, "{\"k\":\"v\"}");
	assert_launch(x, 3, "block");
	assert_int_equal(store_read_job(x->store, 1, found_job, &found), 0);
	assert_int_equal(found.job.status, STATUS_COMPLETED);
	assert_int_equal(found.job.ended_ms, 3500);
	assert_int_equal(found.job.record_seq, 3);
	assert_int_equal(store_each_pending(x->store, "old", 0, -1, found_record, &records), 0);
	assert_int_equal(records.count, 1);
	assert_int_equal(fixture_add(x, "p", "new"), 4);
	assert_int_equal(store_next_seq(x->store, &seq), 0);
	assert_int_equal(seq, 8);
	assert_int_equal(store_commit(x->store), 0);
}

static void
a_store_of_version_2_goes_on(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	struct store_keep k = {.now_ms = 100000, .keep_ms = INT64_MAX, .jobs = 0};
	int64_t seq = 0;
	bool was_pending;

	write_file(x->path, "", 0);
	run_sql(x->path, store_v1);
	run_sql(x->path, store_v2_step);
	run_sql(x->path, "DELETE FROM event WHERE seq = 1"); /* as somebody may have done by hand */
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(store_each_live_job(x->store, found_job, &found), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.job.limits.max_output, 4096);
	assert_int_equal(found.job.limits.nice, 5);
	assert_int_equal(store_oldest_seq(x->store, &seq), 0);
	assert_int_equal(seq, 2);
	/* Its history is kept within bounds like any other. */
	assert_int_equal(store_acknowledge(x->store, 3, &was_pending), 0);
	assert_int_equal(store_prune(x->store, &k, 100), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_query(x, "SELECT group_concat(job) FROM job", "2,3");
	assert_int_equal(fixture_add(x, "p", "new"), 4);
}

static void
a_store_of_version_3_goes_on(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};

	write_file(x->path, "", 0);
	run_sql(x->path, store_v1);
	run_sql(x->path, store_v2_step);
	run_sql(x->path, store_v3_step);
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(store_read_job(x->store, 2, found_job, &found), 0);
	assert_int_equal(found.job.standing.started_ns, 77);
	assert_int_equal(found.job.standing.revision, 5);
	assert_string_equal(found.profile, "NULL");
	assert_int_equal(found.job.policy, POLICY_ASK);
	assert_query(x, "SELECT value FROM meta WHERE key = 'passed'", "0");
}

/* What was migrated is opened like any other, and people who look into it see what they saw. */
static void
a_migrated_store_stays_one(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};

	write_file(x->path, "", 0);
	run_sql(x->path, store_v1);
	assert_int_equal(fixture_open(x), 0);
	fixture_end(x, 2);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_each_live_job(x->store, found_job, &found), 0);
	assert_int_equal(found.count, 1);
	assert_query(x, "SELECT integrity_check FROM pragma_integrity_check", "ok");
	assert_query(x, "SELECT group_concat(status) FROM jobs", "completed,error,queued");
	assert_query(x, "SELECT group_concat(exit_code) FROM records", "3");
	assert_query(x, "SELECT count(*) FROM events", "7");
}

/* The schema that a new file gets is the one that an old file ends up with. */
static void
a_new_store_and_a_migrated_one_are_the_same(void **state)
{
	static const char schema[] =
	    "SELECT group_concat(coalesce(sql, name), ';') FROM (SELECT * FROM sqlite_master "
	    "ORDER BY name)";
	struct fixture *x = *state;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	char *expected;

	write_file(x->path, "", 0);
	run_sql(x->path, store_v1);
	assert_int_equal(fixture_open(x), 0);
	store_close(x->store);
	x->store = NULL;
	assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, schema, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	expected = strdup((const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	unlink(x->path);
	assert_int_equal(fixture_open(x), 0);
	assert_query(x, schema, expected);
	free(expected);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_new_file_is_private_under_any_umask),
	    TEST(a_tight_umask_does_no_harm),
	    TEST(an_empty_file_is_begun),
	    TEST(a_foreign_database_is_refused),
	    TEST(what_is_no_database_is_refused),
	    TEST(a_newer_schema_is_refused),
	    TEST(a_newer_schema_in_the_log_is_refused),
	    TEST(a_file_open_to_others_is_refused),
	    TEST(what_is_no_plain_file_is_refused),
	    TEST(a_file_killed_before_its_first_commit_is_begun_anew),
	    TEST(numbers_are_not_reused_when_history_is_deleted),
	    TEST(people_see_views),
	    TEST(limits_stand_in_the_columns_of_their_names),
	    TEST(a_store_of_version_1_goes_on),
	    TEST(a_store_of_version_2_goes_on),
	    TEST(a_store_of_version_3_goes_on),
	    TEST(a_migrated_store_stays_one),
	    TEST(a_new_store_and_a_migrated_one_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
