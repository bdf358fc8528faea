/*
 * test_waiters: what jobs wait for is there again when the store is opened anew, with the ends that came
 * meanwhile; and the statuses of a suspension follow each other in no other order.
 */
#include "store/waiters.h"

#include "tests/unit/store_fixture.h"

#include <errno.h>

struct read {
	int count;
	struct waiters_row row;
	struct waits_edge edges[8];
	size_t edge_count;
};

static int
keep(void *arg, const struct waiters_row *row, const struct waits_edge *edges, size_t count)
{
	struct read *r = arg;

	r->count++;
	r->row = *row;
	r->edge_count = count;
	for (size_t i = 0; i < count && i < 8; i++)
		r->edges[i] = edges[i];
	return 0;
}

static void
waits_outlive_the_process_with_the_ends_that_came(void **state)
{
	struct fixture *x = *state;
	int64_t a = fixture_add(x, "p", "a"), b = fixture_add(x, "p", "b");
	int64_t c = fixture_add(x, "p", "c"), d = fixture_add(x, "p", "d");
	const struct waiters_row row = {.job = c, .kind = WAITERS_AFTER, .policy = WAITS_ANY};
	const struct waits_edge edges[] = {{a, true, STATUS_RUNNING}, {b, false, STATUS_LOST}};
	struct read r = {0};

	assert_int_equal(waiters_add(x->store, &row, edges, 2), 0);
	assert_int_equal(waiters_add(x->store,
			     &(struct waiters_row){.job = d, .kind = WAITERS_AFTER}, edges, 1),
	    0);
	assert_int_equal(waiters_end(x->store, a, STATUS_SKIPPED), 0);
	assert_int_equal(waiters_drop(x->store, d), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(waiters_each(x->store, keep, &r), 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.row.job, c);
	assert_int_equal(r.row.policy, WAITS_ANY);
	assert_int_equal(r.edge_count, 2);
	assert_int_equal(r.edges[0].after, a);
	assert_true(r.edges[0].is_strict);
	assert_int_equal(r.edges[0].status, STATUS_SKIPPED);
	assert_int_equal(r.edges[1].after, b);
	assert_int_equal(r.edges[1].status, STATUS_LOST);
}

static void
what_a_job_waited_for_before_is_forgotten(void **state)
{
	struct fixture *x = *state;
	int64_t a = fixture_add(x, "p", "a");
	const struct waiters_row row = {.job = a, .kind = WAITERS_SUSPENDING, .since = 7};
	const struct waits_edge first = {77, false, STATUS_RUNNING},
				second = {78, false, STATUS_RUNNING};
	struct read r = {0};

	assert_int_equal(waiters_add(x->store, &row, &first, 1), 0);
	assert_int_equal(waiters_add(x->store, &row, &second, 1), 0);
	assert_int_equal(waiters_each(x->store, keep, &r), 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.edge_count, 1);
	assert_int_equal(r.edges[0].after, 78);
	assert_false(status_is_final(r.edges[0].status));
}

static void
run(struct fixture *x, int64_t job)
{
	const struct standing st = {.job = (uint64_t)job,
	    .pid = 9,
	    .started_wall_ms = 5000,
	    .wait_status = WIRE_WAIT_UNKNOWN,
	    .mark = 12,
	    .cause = WIRE_CAUSE_CANCEL,
	    .revision = 3};

	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 12), 0);
	assert_int_equal(store_set_running(x->store, &st), 0);
}

static void
a_suspension_goes_its_way_and_no_other(void **state)
{
	struct fixture *x = *state;
	int64_t a = fixture_add(x, "p", "a"), last = 0;
	const struct waiters_row row = {.job = a, .kind = WAITERS_SUSPENDING, .since = 7};
	const struct waits_edge edge = {77, false, STATUS_RUNNING};
	struct found found = {.count = 0};
	struct waiters_row read;

	assert_int_equal(waiters_add(x->store, &row, &edge, 1), 0);
	assert_int_equal(waiters_suspend(x->store, a), -ENOENT);
	run(x, a);
	assert_int_equal(waiters_resume(x->store, a, 9), -ENOENT);
	assert_int_equal(waiters_suspend(x->store, a), 0);
	assert_int_equal(waiters_suspend(x->store, a), -ENOENT);
	assert_int_equal(store_set_queued(x->store, a), -ENOENT);
	assert_int_equal(store_set_starting(x->store, a, 1, "boot", 13), -ENOENT);
	assert_int_equal(store_read_job(x->store, a, found_job, &found), 0);
	assert_int_equal(found.job.status, STATUS_SUSPENDED);
	/* When it was started stays; nothing of its process does. */
	assert_int_equal(found.job.started_ms, 5000);
	assert_int_equal(found.job.standing.pid, 0);
	assert_int_equal(found.job.standing.mark, 0);
	assert_int_equal(found.job.standing.cause, WIRE_CAUSE_NONE);
	assert_int_equal(found.job.standing.revision, 0);
	last = store_added_seq(x->store);
	assert_int_equal(waiters_resume(x->store, a, last), 0);
	assert_int_equal(store_added_seq(x->store), last + 1);
	assert_int_equal(waiters_read(x->store, a, &read), 0);
	assert_int_equal(read.kind, WAITERS_RESUMED);
	assert_int_equal(read.since, 7);
	assert_int_equal(read.last, last);
	run(x, a);
	assert_int_equal(store_commit(x->store), 0);
}

static void
records_of_an_earlier_run_are_known_by_its_own(void **state)
{
	struct fixture *x = *state;
	int64_t seq = -1, ended, a = fixture_add(x, "p", "a");

	assert_int_equal(waiters_first_seq(x->store, "a", a, &seq), 0);
	assert_int_equal(seq, 0);
	ended = fixture_end(x, a);
	a = fixture_add(x, "p", "a");
	assert_int_equal(waiters_first_seq(x->store, "a", a, &seq), 0);
	assert_int_equal(seq, ended);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(waits_outlive_the_process_with_the_ends_that_came),
	    TEST(what_a_job_waited_for_before_is_forgotten),
	    TEST(a_suspension_goes_its_way_and_no_other),
	    TEST(records_of_an_earlier_run_are_known_by_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
