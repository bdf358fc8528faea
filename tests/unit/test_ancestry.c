/*
 * test_ancestry: whom a job is below is kept as it was set, across a restart and its end, and for no longer than
 * the job is.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>

static void
an_ancestry_is_kept_with_its_job(void **state)
{
	struct fixture *x = *state;
	int64_t top = fixture_add(x, "p", "top"), below = fixture_add(x, "top", "below");
	char *text = NULL;

	assert_int_equal(store_set_ancestry(x->store, below, "p/1=top"), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_ancestry(x->store, below, &text), 0);
	assert_string_equal(text, "p/1=top");
	free(text);
	text = NULL;
	assert_int_equal(store_read_ancestry(x->store, top, &text), 0);
	assert_null(text);
}

static void
a_job_that_is_not_there_has_none(void **state)
{
	struct fixture *x = *state;
	char *text = NULL;

	assert_int_equal(store_read_ancestry(x->store, 99, &text), -ENOENT);
	assert_int_equal(store_set_ancestry(x->store, 99, "p/1=top"), -ENOENT);
	assert_null(text);
}

static void
an_ancestry_that_was_not_committed_never_was(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "top", "below");
	char *text = NULL;

	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_set_ancestry(x->store, job, "p/1=top"), 0);
	store_rollback(x->store);
	assert_int_equal(store_read_ancestry(x->store, job, &text), 0);
	assert_null(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_ancestry_is_kept_with_its_job),
	    TEST(a_job_that_is_not_there_has_none),
	    TEST(an_ancestry_that_was_not_committed_never_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
