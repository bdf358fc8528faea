/*
 * How a job that runs stands, as the store keeps it for a supervisor that takes it over.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>

static void
a_standing_is_what_was_told_last(void **state)
{
	struct standing st = {.started_ns = 11,
	    .paused_ns = 12,
	    .lull_ns = 121,
	    .sign_ns = 122,
	    .granted_ns = 13,
	    .ending_ns = 14,
	    .verdict_ns = 15,
	    .idle_ns = 16,
	    .start_time = 17,
	    .mark = 18,
	    .cpu_ns = 0,
	    .max_rss_kb = STANDING_UNKNOWN,
	    .started_wall_ms = 2000,
	    .pid = 77,
	    .wait_status = 0,
	    .revision = 3,
	    .containment = 1,
	    .cause = 2,
	    .flags = 3};
	struct fixture *x = *state;
	struct found found = {.count = 0};

	st.job = (uint64_t)fixture_add(x, "p", "c");
	assert_int_equal(store_set_standing(x->store, &st), 0); /* it does not run */
	assert_int_equal(fixture_run(x, (int64_t)st.job, 1000, 76, 0), 0);
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_job(x->store, (int64_t)st.job, found_job, &found), 0);
	assert_memory_equal(&found.job.standing, &st, sizeof(st));
	/* What is told again, or late, changes nothing. */
	st.paused_ns = 0;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	st.revision = 2;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_read_job(x->store, (int64_t)st.job, found_job, &found), 0);
	assert_int_equal(found.job.standing.paused_ns, 12);
	st.revision = 4;
	st.wait_status = WIRE_WAIT_UNKNOWN;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_read_job(x->store, (int64_t)st.job, found_job, &found), 0);
	assert_int_equal(found.job.standing.paused_ns, 0);
	assert_int_equal(found.job.standing.wait_status, WIRE_WAIT_UNKNOWN);
}

static void
a_request_to_cancel_is_remembered(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c");
	struct found found = {.count = 0};

	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 4711), 0);
	assert_int_equal(store_set_cancelled(x->store, job), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_true(found.job.is_cancelled);
	assert_int_equal(found.job.standing.mark, 4711);
	fixture_end(x, job);
	assert_int_equal(store_set_cancelled(x->store, job), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_standing_is_what_was_told_last),
	    TEST(a_request_to_cancel_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
