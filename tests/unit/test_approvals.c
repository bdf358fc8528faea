/*
 * The questions of jobs as the store keeps them: one decision, once; found again by their token; gone with
 * their job.
 */
#include "tests/unit/store_fixture.h"

#include "store/approvals.h"

#include <errno.h>
#include <stdio.h>

struct asked {
	struct store_approval a;
	char id[8], token[8], question[64], put_to[16], ancestor[16], reason[64];
	int count;
};

static const char *
keep(const char *text, char *room, size_t size)
{
	snprintf(room, size, "%s", text == NULL ? "" : text);
	return text == NULL ? NULL : room;
}

static int
copy(void *arg, const struct store_approval *a)
{
	struct asked *f = arg;

	f->a = *a;
	f->a.id = keep(a->id, f->id, sizeof(f->id));
	f->a.token = keep(a->token, f->token, sizeof(f->token));
	f->a.question = keep(a->question, f->question, sizeof(f->question));
	f->a.put_to = keep(a->put_to, f->put_to, sizeof(f->put_to));
	f->a.ancestor = keep(a->ancestor, f->ancestor, sizeof(f->ancestor));
	f->a.reason = keep(a->reason, f->reason, sizeof(f->reason));
	f->count++;
	return 0;
}

static struct store_approval
question(int64_t job, const char *id, const char *token)
{
	return (struct store_approval){.id = id,
	    .job = job,
	    .token = token,
	    .question = "may I?",
	    .asked_ms = 1000,
	    .timeout_ms = -1,
	    .deadline_ns = UINT64_MAX,
	    .put_seq = 7};
}

static void
a_question_is_decided_once(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c"), count;
	struct store_approval a = question(job, "a", "t");
	struct asked f = {.count = 0};

	assert_int_equal(store_add_approval(x->store, &a), 0);
	a.put_to = "p";
	a.put_job = 3;
	a.put_seq = 9;
	assert_int_equal(store_put_approval(x->store, &a), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_each_open_approval(x->store, copy, &f), 0);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.a.put_to, "p");
	assert_int_equal(f.a.put_job, 3);
	assert_int_equal(f.a.put_seq, 9);
	assert_int_equal(f.a.timeout_ms, -1);
	assert_true(f.a.deadline_ns == UINT64_MAX);
	assert_int_equal(f.a.decision, DECISION_NONE);
	a.decision = DECISION_ALLOW;
	a.decider = DECIDER_ANCESTOR;
	a.ancestor = "p";
	a.decided_ms = 2000;
	assert_int_equal(store_decide_approval(x->store, &a), 0);
	a.decision = DECISION_DENY;
	assert_int_equal(store_decide_approval(x->store, &a), -ENOENT);
	assert_int_equal(store_put_approval(x->store, &a), -ENOENT);
	assert_int_equal(store_read_approval(x->store, "a", copy, &f), 0);
	assert_int_equal(f.a.decision, DECISION_ALLOW);
	assert_int_equal(f.a.decider, DECIDER_ANCESTOR);
	assert_string_equal(f.a.ancestor, "p");
	assert_int_equal(store_read_approval(x->store, "b", copy, &f), -ENOENT);
	assert_int_equal(store_count_approvals(x->store, job, &count), 0);
	assert_int_equal(count, 1);
	f.count = 0;
	assert_int_equal(store_each_open_approval(x->store, copy, &f), 0);
	assert_int_equal(f.count, 0);
}

static void
a_token_is_one_of_its_job(void **state)
{
	struct fixture *x = *state;
	int64_t one = fixture_add(x, "p", "c"), other = fixture_add(x, "p", "d");
	struct store_approval a = question(one, "a", "t"), b = question(other, "b", "t");
	struct asked f;

	a.timeout_ms = 5000;
	a.deadline_ns = 77;
	assert_int_equal(store_add_approval(x->store, &a), 0);
	assert_int_equal(store_add_approval(x->store, &b), 0);
	assert_int_equal(store_find_approval(x->store, one, "t", copy, &f), 0);
	assert_string_equal(f.a.id, "a");
	assert_int_equal(f.a.timeout_ms, 5000);
	assert_int_equal(f.a.deadline_ns, 77);
	assert_int_equal(store_find_approval(x->store, other, "t", copy, &f), 0);
	assert_string_equal(f.a.id, "b");
	assert_int_equal(store_find_approval(x->store, other, "u", copy, &f), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_question_is_decided_once),
	    TEST(a_token_is_one_of_its_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
