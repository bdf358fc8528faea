/*
 * test_prune: what is removed of the history, what never is, and that it costs the same whatever the
 * history.
 */
#include "tests/unit/store_fixture.h"

#include "store/sql.h"

#include <errno.h>

#define NONE INT64_MAX

static struct store_keep
keep_jobs(int64_t jobs)
{
	return (struct store_keep){.now_ms = 100000, .keep_ms = NONE, .jobs = jobs};
}

static int64_t
count(struct fixture *x, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(x->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

/* Until there is nothing to do; returns in how many steps. */
static int
prune(struct fixture *x, const struct store_keep *k, int budget)
{
	int64_t due = 0;
	int steps = 0;

	for (;; steps++) {
		assert_int_equal(store_prune_due(x->store, k, &due), 0);
		if (due > k->now_ms)
			return steps;
		assert_in_range(steps, 0, 10000);
		assert_int_equal(store_prune(x->store, k, budget), 0);
		assert_int_equal(store_commit(x->store), 0);
	}
}

static void
acknowledge(struct fixture *x, int64_t seq)
{
	bool was_pending = false;

	assert_int_equal(store_acknowledge(x->store, seq, &was_pending), 0);
	assert_true(was_pending);
}

/* A job that has ended, and whose record was taken. */
static void
live(struct fixture *x, const char *child)
{
	acknowledge(x, fixture_end(x, fixture_add(x, "p", child)));
}

static int64_t
oldest_seq(struct fixture *x)
{
	int64_t seq = 0;

	assert_int_equal(store_oldest_seq(x->store, &seq), 0);
	return seq;
}

static int
add_number(void *arg, int64_t number)
{
	*(int64_t *)arg += number;
	return 0;
}

static void
the_latest_stay(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(4);
	int64_t sum = 0;

	for (int i = 0; i < 10; i++)
		live(x, "c");
	prune(x, &k, 7);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 4);
	assert_int_equal(count(x, "SELECT min(job) FROM job"), 7);
	assert_int_equal(count(x, "SELECT count(*) FROM event"), 8);
	assert_int_equal(oldest_seq(x), 13);
	assert_int_equal(count(x, "SELECT min(seq) FROM event"), 13);
	assert_int_equal(count(x, "SELECT count(*) FROM kept_event"), 0);
	assert_int_equal(store_each_removed(x->store, add_number, &sum), 0);
	assert_int_equal(sum, 1 + 2 + 3 + 4 + 5 + 6);
	assert_int_equal(store_forget_removed(x->store), 0);
	assert_int_equal(store_commit(x->store), 0);
	sum = 0;
	assert_int_equal(store_each_removed(x->store, add_number, &sum), 0);
	assert_int_equal(sum, 0);
	assert_int_equal(fixture_add(x, "p", "d"), 11);
}

static void
the_young_stay(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = {.now_ms = 13499, .keep_ms = 10000, .jobs = NONE};
	int64_t due = 0;

	for (int i = 0; i < 3; i++)
		live(x, "c"); /* ended at 3500 */
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(prune(x, &k, 100), 0);
	assert_int_equal(store_prune_due(x->store, &k, &due), 0);
	assert_int_equal(due, 13500);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 3);
	k.now_ms = 13500;
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 0);
	assert_int_equal(count(x, "SELECT count(*) FROM event"), 0);
	assert_int_equal(store_prune_due(x->store, &k, &due), 0);
	assert_true(due == INT64_MAX);
}

static void
none_goes_sooner_than_it_may(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = {.now_ms = 4499, .keep_ms = 1, .jobs = 0, .spare_ms = 1000};

	live(x, "c");
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 1);
	k.now_ms = 4500;
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 0);
	live(x, "c");
	k.now_ms = 3499; /* the clock was set back: it ended in the future */
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 0);
}

static void
what_lives_or_waits_for_its_parent_stays(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(0);
	struct found found = {.count = 0};
	int64_t job = fixture_add(x, "p", "runs");
	int64_t pending = fixture_end(x, fixture_add(x, "p", "waits"));

	for (int i = 0; i < 5; i++)
		live(x, "c");
	prune(x, &k, 3);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 2);
	assert_int_equal(count(x, "SELECT count(*) FROM event"), 3);
	assert_int_equal(store_each_pending(x->store, "p", 0, -1, found_record, &found), 0);
	assert_int_equal(found.count, 1);
	fixture_reopen(x);
	prune(x, &k, 100);
	acknowledge(x, pending);
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 1);
	assert_int_equal(count(x, "SELECT min(seq) FROM event"), 1);
	acknowledge(x, fixture_end(x, job));
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 0);
	assert_int_equal(count(x, "SELECT count(*) FROM event"), 0);
	assert_int_equal(count(x, "SELECT count(*) FROM kept_event"), 0);
}

/* A parent that takes no record keeps its own, and nobody else's. */
static void
records_that_wait_do_not_count(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(3);

	for (int i = 0; i < 10; i++)
		fixture_end(x, fixture_add(x, "q", "d"));
	for (int i = 0; i < 5; i++)
		live(x, "c");
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job WHERE parent = 'q'"), 10);
	assert_int_equal(count(x, "SELECT count(*) FROM job WHERE parent = 'p'"), 3);
}

static void
above_the_mark_nothing_is_missing(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(2);
	int64_t runs = fixture_add(x, "p", "runs");

	for (int i = 0; i < 20; i++) {
		assert_int_equal(store_add_event(x->store, "warning", 0, NULL, NULL, "{}"), 0);
		assert_int_equal(store_add_event(x->store, "warning", runs, "p", "runs", "{}"), 0);
		live(x, "c");
		prune(x, &k, 2);
		int64_t last = count(x, "SELECT max(seq) FROM event"), mark = oldest_seq(x);
		char sql[96];
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM event WHERE seq >= %ld",
		    (long)mark);
		assert_int_equal(count(x, sql), last - mark + 1);
	}
	assert_int_equal(count(x, "SELECT count(*) FROM event WHERE job = 1"), 21);
	assert_in_range(count(x, "SELECT count(*) FROM event WHERE job IS NULL"), 2, 3);
}

static void
what_is_rolled_back_was_not_removed(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(0);

	for (int i = 0; i < 5; i++)
		live(x, "c");
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_prune(x->store, &k, 100), 0);
	assert_true(oldest_seq(x) > 1);
	store_rollback(x->store);
	assert_int_equal(oldest_seq(x), 1);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 5);
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 0);
}

static void
numbers_begin_above_what_is_known(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(1);

	assert_int_equal(store_raise_numbers(x->store, 500), 0);
	assert_int_equal(store_raise_numbers(x->store, 400), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(fixture_add(x, "p", "c"), 501);
	fixture_reopen(x);
	assert_int_equal(fixture_add(x, "p", "c"), 501);
	live(x, "d");
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 2);
	assert_int_equal(store_raise_numbers(x->store, 900), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	prune(x, &k, 100);
	assert_int_equal(count(x, "SELECT count(*) FROM job"), 2);
}

/* The most that one statement has done since the last call, in steps of SQLite's machine. */
static int
most_steps(struct fixture *x)
{
	int most = 0;

	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_stmt *stmt = x->store->statements[i];
		int steps =
		    stmt != NULL ? sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1) : 0;
		most = steps > most ? steps : most;
	}
	return most;
}

static void
a_step_costs_the_same_after_many(void **state)
{
	struct fixture *x = *state;
	struct store_keep k = keep_jobs(3000);

	for (int i = 0; i < 100; i++)
		fixture_end(x, fixture_add(x, "q", "waits"));
	for (int i = 0; i < 3000; i++)
		live(x, "c");
	prune(x, &k, 100);
	k.jobs = 2990;
	most_steps(x);
	prune(x, &k, 5);
	assert_in_range(most_steps(x), 10, 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_latest_stay),
	    TEST(the_young_stay),
	    TEST(none_goes_sooner_than_it_may),
	    TEST(what_lives_or_waits_for_its_parent_stays),
	    TEST(records_that_wait_do_not_count),
	    TEST(above_the_mark_nothing_is_missing),
	    TEST(what_is_rolled_back_was_not_removed),
	    TEST(numbers_begin_above_what_is_known),
	    TEST(a_step_costs_the_same_after_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
