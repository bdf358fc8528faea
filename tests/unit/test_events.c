/*
 * test_events: the feed as it is read again from the store, and whom a job is below.
 */
#include "tests/unit/store_fixture.h"

struct seen {
	int64_t seqs[32];
	size_t count;
	char kinds[256];
	struct store_event last;
	char body[64];
};

static int
see(void *arg, const struct store_event *e)
{
	struct seen *seen = arg;

	seen->seqs[seen->count++] = e->seq;
	strcat(strcat(seen->kinds, e->kind), " ");
	seen->last = *e;
	snprintf(seen->body, sizeof(seen->body), "%s", e->body);
	return 0;
}

static void
events_come_in_their_order_with_all_that_is_said(void **state)
{
	struct fixture *x = *state;
	struct seen seen = {0};
	int64_t job = fixture_add(x, "p", "c");

	const struct standing st = {.job = (uint64_t)job,
	    .started_wall_ms = 1500,
	    .pid = 4711,
	    .revision = 1};

	assert_int_equal(store_set_running(x->store, &st), 0);
	fixture_end(x, job);
	assert_int_equal(store_add_event(x->store, "warning", 0, NULL, NULL, "{}"), 0);
	assert_int_equal(store_last_seq(x->store), 0);
	assert_int_equal(store_added_seq(x->store), 4);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_last_seq(x->store), 4);
	assert_int_equal(store_each_event(x->store, 0, 4, 10, see, &seen), 0);
	assert_string_equal(seen.kinds, "queued started completed warning ");
	assert_int_equal(seen.last.job, 0);
	assert_null(seen.last.parent);
	seen.count = 0;
	assert_int_equal(store_each_event(x->store, 1, 4, 1, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.seqs[0], 2);
	assert_int_equal(seen.last.at_ms, 1500);
	assert_int_equal(seen.last.job, job);
	assert_string_equal(seen.body, "{\"pid\":4711}");
}

static void
a_pause_and_its_end_are_told_once(void **state)
{
	struct fixture *x = *state;
	struct standing st = {.job = (uint64_t)fixture_add(x, "p", "c"), .revision = 1};
	struct seen seen = {0};

	assert_int_equal(store_set_running(x->store, &st), 0);
	st.paused_ns = 5;
	st.revision = 2;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_set_standing(x->store, &st), 0);
	st.granted_ns = 7;
	st.revision = 3;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	st.paused_ns = 0;
	st.revision = 4;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	fixture_end(x, (int64_t)st.job);
	/* Nobody minds what is told of a job that is over. */
	st.paused_ns = 9;
	st.revision = 5;
	assert_int_equal(store_set_standing(x->store, &st), 0);
	assert_int_equal(store_each_event(x->store, 0, 100, 10, see, &seen), 0);
	assert_string_equal(seen.kinds, "queued started paused unpaused completed ");
}

static void
what_is_not_durable_is_beyond_the_last(void **state)
{
	struct fixture *x = *state;
	struct seen seen = {0};

	fixture_add(x, "p", "a");
	assert_int_equal(store_commit(x->store), 0);
	fixture_add(x, "p", "b");
	assert_int_equal(store_each_event(x->store, 0, store_last_seq(x->store), 10, see, &seen),
	    0);
	assert_int_equal(seen.count, 1);
	store_rollback(x->store);
	assert_int_equal(store_added_seq(x->store), 1);
}

static int
join(void *arg, const char *id, int64_t depth)
{
	(void)depth;
	strcat(strcat(arg, id), " ");
	return 0;
}

static int64_t
add(struct fixture *x, const char *parent, const char *child, int64_t depth)
{
	struct store_job j = fixture_job(parent, child);
	int64_t job, run;

	j.depth = depth;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	return job;
}

static void
assert_above(struct fixture *x, int64_t job, const char *expected)
{
	char text[256] = "";

	assert_int_equal(store_each_above(x->store, job, join, text), 0);
	assert_string_equal(text, expected);
}

static void
a_job_is_below_those_who_lived_when_it_was_queued(void **state)
{
	struct fixture *x = *state;
	int64_t a, b, c, later, orphan;

	a = add(x, "top", "a", 0);
	b = add(x, "a", "b", 1);
	c = add(x, "b", "c", 2);
	assert_above(x, a, "top ");
	assert_above(x, b, "a top ");
	assert_above(x, c, "b a top ");
	fixture_end(x, a);
	/* The same id once more, below somebody else, changes nothing for those who came before. */
	later = add(x, "other", "a", 0);
	assert_above(x, c, "b a top ");
	assert_above(x, add(x, "a", "d", 1), "a other ");
	fixture_end(x, later);
	/* Its parent was no job any more. */
	orphan = add(x, "a", "e", 0);
	assert_above(x, orphan, "a ");
	assert_above(x, 99, "");
}

static void
a_circle_of_ids_ends(void **state)
{
	struct fixture *x = *state;
	int64_t a = add(x, "b", "a", 0), b = add(x, "a", "b", 1);

	fixture_end(x, a);
	assert_above(x, add(x, "b", "a", 2), "b a b ");
	assert_above(x, b, "a b ");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(events_come_in_their_order_with_all_that_is_said),
	    TEST(a_pause_and_its_end_are_told_once),
	    TEST(what_is_not_durable_is_beyond_the_last),
	    TEST(a_job_is_below_those_who_lived_when_it_was_queued),
	    TEST(a_circle_of_ids_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
