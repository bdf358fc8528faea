/*
 * test_store: what the store promises of jobs, records, numbers and transactions.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>

static enum status
status_of(struct fixture *x, int64_t job)
{
	struct found found = {.count = 0};

	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	return found.job.status;
}

static int64_t
next_seq(struct fixture *x)
{
	int64_t seq = 0;

	assert_int_equal(store_next_seq(x->store, &seq), 0);
	return seq;
}

static void
what_is_off_is_off_when_it_is_read(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	j.limits.max_total_ns = j.limits.max_idle_ns = j.limits.max_memory = WATCHDOG_OFF;
	j.limits.max_processes = j.limits.max_open_files = WATCHDOG_OFF;
	j.limits.max_cpu_ns = j.limits.max_output = WATCHDOG_OFF;
	j.limits.nice = LIMITS_NICE_INHERIT;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_memory_equal(&found.job.limits, &j.limits, sizeof(j.limits));
}

static void
a_job_is_read_as_it_was_added(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	j.depth = 3;
	j.is_delivered = false;
	j.meta = "{\"a\":1}";
	j.limits.max_total_ns = WATCHDOG_OFF;
	j.limits.max_idle_ns = 7;
	j.limits.check_interval_ns = 8;
	j.limits.kill_grace_ns = WATCHDOG_OFF;
	j.limits.kill_signal = 2;
	j.limits.activity = ACTIVITY_OUTPUT;
	j.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	j.limits.max_extend_ns = 9;
	j.limits.max_memory = 10;
	j.limits.max_processes = 11;
	j.limits.max_open_files = 12;
	j.limits.max_cpu_ns = 13;
	j.limits.max_output = 14;
	j.limits.nice = -5;
	j.limits.leftovers = LEFTOVERS_LEAVE;
	j.limits.on_output_limit = ON_OUTPUT_KILL;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.job, 1);
	assert_int_equal(found.job.run, 1);
	assert_string_equal(found.parent, "p");
	assert_string_equal(found.child, "c");
	assert_int_equal(found.job.status, STATUS_QUEUED);
	assert_int_equal(found.job.depth, 3);
	assert_false(found.job.is_delivered);
	assert_string_equal(found.text, "make all");
	assert_string_equal(found.meta, "{\"a\":1}");
	assert_memory_equal(&found.job.limits, &j.limits, sizeof(j.limits));
	assert_int_equal(found.job.queued_ms, 1000);
	assert_int_equal(found.job.started_ms, 0);
	assert_int_equal(found.job.ended_ms, 0);
	assert_int_equal(found.job.standing.pid, 0);
	assert_int_equal(found.job.record_seq, 0);
	assert_string_equal(found.boot_id, "NULL");
}

static void
what_it_has_of_its_profile_is_read_as_it_was_added(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	j.policy = POLICY_ASK;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_string_equal(found.profile, "NULL");
	assert_string_equal(found.model, "NULL");
	assert_string_equal(found.tools, "NULL");
	assert_int_equal(found.job.policy, POLICY_ASK);
	j.child = "d";
	j.profile = "careful";
	j.model = "small";
	j.disabled_tools = "shell,web";
	j.policy = POLICY_DENY;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_string_equal(found.profile, "careful");
	assert_string_equal(found.model, "small");
	assert_string_equal(found.tools, "shell,web");
	assert_int_equal(found.job.policy, POLICY_DENY);
	assert_int_equal(found.job.queued_ms, 1000);
}

static void
its_place_in_the_queue_is_read_as_it_was_added(void **state)
{
	const struct store_order order = {.priority = -7,
	    .pool = "gpu",
	    .retries = 5,
	    .retry_on = STORE_RETRY_ERROR | STORE_RETRY_LOST,
	    .retried = 2,
	    .retry_delay_ns = 3000000000,
	    .due_ms = 1700000000000,
	    .due_ns = UINT64_C(1) << 60,
	    .due_boot = "boot",
	    .delay_ns = 6000000000};
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.order.priority, 0);
	assert_int_equal(found.job.order.due_ms, 0);
	assert_string_equal(found.pool, "NULL");
	assert_string_equal(found.due_boot, "NULL");
	j.child = "d";
	j.order = order;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_string_equal(found.pool, "gpu");
	assert_string_equal(found.due_boot, "boot");
	assert_int_equal(found.job.order.priority, -7);
	assert_int_equal(found.job.order.retries, 5);
	assert_int_equal(found.job.order.retry_on, order.retry_on);
	assert_int_equal(found.job.order.retried, 2);
	assert_int_equal(found.job.order.retry_delay_ns, order.retry_delay_ns);
	assert_int_equal(found.job.order.due_ms, order.due_ms);
	assert_int_equal(found.job.order.due_ns, order.due_ns);
	assert_int_equal(found.job.order.delay_ns, order.delay_ns);
	assert_int_equal(found.job.queued_ms, 1000);
}

static void
a_job_that_is_run_again_is_queued_with_its_next_run(void **state)
{
	const struct store_order next = {.retried = 1,
	    .due_ms = 9000,
	    .due_ns = 8000,
	    .due_boot = "now",
	    .delay_ns = 7000};
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0, seq = 0;

	j.order = (struct store_order){.priority = 3, .pool = "gpu", .retries = 2};
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_set_retry(x->store, job, 0, &next, "{}"), -ENOENT);
	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 5), 0);
	seq = next_seq(x);
	assert_int_equal(store_set_retry(x->store, job, 4000, &next, "{\"retry\":1}"), 0);
	assert_int_equal(next_seq(x), seq + 1); /* its event */
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.status, STATUS_QUEUED);
	assert_int_equal(found.job.run, run + 1);
	assert_int_equal(found.job.started_ms, 4000);
	assert_int_equal(found.job.standing.mark, 0);
	assert_int_equal(found.job.supervisor, 0);
	assert_string_equal(found.boot_id, "NULL");
	assert_int_equal(found.job.order.priority, 3);
	assert_int_equal(found.job.order.retries, 2);
	assert_int_equal(found.job.order.retried, 1);
	assert_int_equal(found.job.order.due_ms, 9000);
	assert_int_equal(found.job.order.due_ns, 8000);
	assert_int_equal(found.job.order.delay_ns, 7000);
	assert_string_equal(found.due_boot, "now");
	assert_int_equal(store_set_due(x->store, job, &(struct store_order){.due_ms = 5}), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.order.due_ms, 5);
	assert_int_equal(found.job.order.due_ns, 0);
	assert_string_equal(found.due_boot, "NULL");
	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 5), 0);
	assert_int_equal(store_set_due(x->store, job, &next), -ENOENT);
}

static void
a_job_goes_through_its_life(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c");
	struct found found = {.count = 0};
	uint64_t instance = UINT64_MAX - 1;

	assert_int_equal(store_set_starting(x->store, job, instance, "boot", 0), 0);
	assert_int_equal(status_of(x, job), STATUS_STARTING);
	assert_int_equal(store_set_queued(x->store, job), 0);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.status, STATUS_QUEUED);
	assert_int_equal(found.job.supervisor, 0);
	assert_string_equal(found.boot_id, "NULL");
	assert_int_equal(store_set_starting(x->store, job, instance, "boot", 0), 0);
	assert_int_equal(fixture_run(x, job, 2000, 77, UINT64_MAX - 2), 0);
	int64_t seq = fixture_end(x, job);
	assert_int_equal(store_read_job(x->store, job, found_job, &found), 0);
	assert_int_equal(found.job.status, STATUS_ERROR);
	assert_int_equal(found.job.started_ms, 2000);
	assert_int_equal(found.job.ended_ms, 3500);
	assert_int_equal(found.job.standing.pid, 77);
	assert_true(found.job.standing.start_time == UINT64_MAX - 2);
	assert_true(found.job.supervisor == instance);
	assert_string_equal(found.boot_id, "boot");
	assert_int_equal(found.job.record_seq, seq);
}

static void
a_start_told_twice_is_one_event(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c");
	int64_t before = next_seq(x);

	assert_int_equal(fixture_run(x, job, 2000, 77, 0), 0);
	assert_int_equal(next_seq(x), before + 1);
	assert_int_equal(fixture_run(x, job, 2500, 78, 0), 0);
	assert_int_equal(next_seq(x), before + 1);
}

static void
a_job_never_goes_back(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c");

	assert_int_equal(fixture_run(x, job, 2000, 77, 0), 0);
	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 0), -ENOENT);
	assert_int_equal(store_set_queued(x->store, job), -ENOENT);
	fixture_end(x, job);
	assert_int_equal(store_set_starting(x->store, job, 1, "boot", 0), -ENOENT);
	assert_int_equal(store_set_queued(x->store, job), -ENOENT);
	assert_int_equal(fixture_run(x, job, 1, 1, 1), -ENOENT);
	assert_int_equal(store_end_job(x->store, job, STATUS_LOST, 1, 1, next_seq(x), RECORD),
	    -ENOENT);
	assert_int_equal(status_of(x, job), STATUS_ERROR);
	assert_int_equal(store_set_queued(x->store, 99), -ENOENT);
	assert_int_equal(fixture_run(x, 99, 1, 1, 1), -ENOENT);
	assert_int_equal(store_end_job(x->store, 99, STATUS_LOST, 1, 1, next_seq(x), RECORD),
	    -ENOENT);
}

static void
an_end_needs_a_final_status_and_its_number(void **state)
{
	struct fixture *x = *state;
	int64_t job = fixture_add(x, "p", "c"), seq = next_seq(x);

	assert_int_equal(store_end_job(x->store, job, STATUS_RUNNING, 1, 1, seq, RECORD), -EINVAL);
	assert_int_equal(store_end_job(x->store, job, STATUS_LOST, 1, 1, seq + 1, RECORD), -EINVAL);
	assert_int_equal(store_end_job(x->store, job, STATUS_LOST, 1, 1, seq, NULL), -EINVAL);
	assert_int_equal(store_end_job(x->store, job, STATUS_LOST, 0, 1, seq, RECORD), 0);
	assert_int_equal(store_commit(x->store), 0);
}

static void
runs_of_a_child_are_counted(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	fixture_end(x, fixture_add(x, "p", "c"));
	fixture_end(x, fixture_add(x, "p", "d"));
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(job, 3);
	assert_int_equal(run, 2);
	assert_int_equal(store_read_child(x->store, "c", found_job, &found), 0);
	assert_int_equal(found.job.job, 3);
	assert_int_equal(found.job.run, 2);
	assert_int_equal(store_read_child(x->store, "d", found_job, &found), 0);
	assert_int_equal(found.job.job, 2);
	assert_int_equal(store_read_child(x->store, "e", found_job, &found), -ENOENT);
	assert_int_equal(store_read_job(x->store, 4, found_job, &found), -ENOENT);
}

static void
a_token_makes_one_job(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	int64_t job = 0, run = 0;

	assert_int_equal(store_add_job(x->store, &j, "t1", "b", 1, &job, &run), 0);
	assert_int_equal(store_add_job(x->store, &j, "t2", "b", 1, &job, &run), 0);
	assert_int_equal(job, 2);
	assert_int_equal(store_add_job(x->store, &j, "t1", "b", 1, &job, &run), -EEXIST);
	assert_int_equal(job, 1);
	assert_int_equal(run, 1);
	fixture_end(x, 2);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_add_job(x->store, &j, "t2", "b", 1, &job, &run), -EEXIST);
	assert_int_equal(job, 2);
	assert_int_equal(run, 2);
	assert_false(store_is_dirty(x->store));
}

static void
a_token_that_was_rolled_back_is_free(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	int64_t job = 0, run = 0;

	assert_int_equal(store_add_job(x->store, &j, "t", "b", 1, &job, &run), 0);
	store_rollback(x->store);
	assert_int_equal(store_add_job(x->store, &j, "t", "b", 1, &job, &run), 0);
}

static void
a_job_without_what_it_needs_is_refused(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", NULL);
	int64_t job = 5, run = 6;

	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), -EINVAL);
	j.child = "c";
	assert_int_equal(store_add_job(x->store, &j, NULL, NULL, 0, &job, &run), -EINVAL);
	assert_int_equal(job, 5);
	assert_int_equal(run, 6);
	assert_false(store_is_dirty(x->store));
}

static void
a_rollback_takes_everything_back(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	int64_t job = fixture_add(x, "p", "a");
	int64_t seq = next_seq(x);

	assert_int_equal(store_commit(x->store), 0);
	fixture_end(x, job);
	fixture_add(x, "p", "b");
	assert_int_equal(next_seq(x), seq + 2);
	assert_true(store_is_dirty(x->store));
	store_rollback(x->store);
	assert_false(store_is_dirty(x->store));
	assert_int_equal(next_seq(x), seq);
	assert_int_equal(status_of(x, job), STATUS_QUEUED);
	assert_int_equal(store_read_child(x->store, "b", found_job, &found), -ENOENT);
	assert_int_equal(fixture_end(x, job), seq);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(next_seq(x), seq + 1);
}

static void
what_was_not_committed_is_gone_after_closing(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};

	fixture_add(x, "p", "c");
	fixture_reopen(x);
	assert_int_equal(store_read_child(x->store, "c", found_job, &found), -ENOENT);
	assert_int_equal(next_seq(x), 1);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_commit(x->store), 0);
}

static void
a_launch_block_comes_back_whole_until_the_end(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("p", "c");
	int64_t job = 0, run = 0;
	char bytes[10000];
	void *block = NULL;
	size_t len = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	assert_int_equal(store_add_job(x->store, &j, NULL, bytes, sizeof(bytes), &job, &run), 0);
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_read_launch(x->store, job, &block, &len), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(block, bytes, len);
	free(block);
	fixture_end(x, job);
	assert_int_equal(store_read_launch(x->store, job, &block, &len), -ENOENT);
	assert_int_equal(store_add_job(x->store, &j, NULL, "", 0, &job, &run), 0);
	assert_int_equal(store_read_launch(x->store, job, &block, &len), 0);
	assert_int_equal(len, 0);
	free(block);
}

static void
a_record_waits_until_it_is_acknowledged(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	bool was_pending = false;
	int64_t job = fixture_add(x, "p", "c"), seq = fixture_end(x, job);

	assert_int_equal(store_each_pending(x->store, "p", 0, 10, found_record, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.numbers[0], seq);
	assert_int_equal(found.job.job, job);
	assert_string_equal(found.parent, "p");
	assert_string_equal(found.child, "c");
	assert_string_equal(found.text, RECORD);
	assert_int_equal(store_acknowledge(x->store, seq, &was_pending), 0);
	assert_true(was_pending);
	assert_int_equal(store_acknowledge(x->store, seq, &was_pending), 0);
	assert_false(was_pending);
	assert_int_equal(store_acknowledge(x->store, 99, &was_pending), 0);
	assert_false(was_pending);
	assert_int_equal(store_each_pending(x->store, "p", 0, 10, found_record, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(store_read_record(x->store, job, found_record, &found), 0);
	assert_int_equal(found.count, 2);
}

static void
pending_records_come_in_order_and_by_parent(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	int64_t seqs[5];

	for (int i = 0; i < 5; i++)
		seqs[i] = fixture_end(x, fixture_add(x, i == 2 ? "q" : "p", "c"));
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_each_pending(x->store, "p", seqs[0], 2, found_record, &found), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.numbers[0], seqs[1]);
	assert_int_equal(found.numbers[1], seqs[3]);
	found.count = 0;
	assert_int_equal(store_each_pending_parent(x->store, found_id, &found), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.numbers[0], 4);
	assert_int_equal(found.numbers[1], 1);
	assert_string_equal(found.parent, "q");
}

static void
a_made_up_parent_is_kept_no_record(void **state)
{
	struct fixture *x = *state;
	struct store_job j = fixture_job("run-1", "c");
	struct found found = {.count = 0};
	int64_t job = 0, run = 0;

	j.is_delivered = false;
	assert_int_equal(store_add_job(x->store, &j, NULL, "b", 1, &job, &run), 0);
	assert_int_equal(store_read_record(x->store, job, found_record, &found), -ENOENT);
	fixture_end(x, job);
	assert_int_equal(store_each_pending(x->store, "run-1", 0, 10, found_record, &found), 0);
	assert_int_equal(store_each_pending_parent(x->store, found_id, &found), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(store_each_record(x->store, "run-1", 0, 10, found_record, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(store_read_record(x->store, job, found_record, &found), 0);
	assert_int_equal(store_read_record(x->store, 99, found_record, &found), -ENOENT);
}

static void
records_are_replayed_from_any_number(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};
	int64_t seqs[4];

	for (int i = 0; i < 4; i++)
		seqs[i] = fixture_end(x, fixture_add(x, i % 2 == 0 ? "p" : "q", "c"));
	assert_int_equal(store_add_event(x->store, "warning", 0, NULL, NULL, "{\"message\":\"m\"}"),
	    0);
	assert_int_equal(store_each_record(x->store, NULL, seqs[0], 2, found_record, &found), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.numbers[0], seqs[1]);
	assert_int_equal(found.numbers[1], seqs[2]);
	assert_int_equal(store_each_record(x->store, "p", seqs[0], -1, found_record, &found), 0);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.numbers[2], seqs[2]);
	assert_int_equal(store_add_event(x->store, "warning", 0, NULL, NULL, NULL), -EINVAL);
}

static void
jobs_are_listed_by_parent_and_status(void **state)
{
	static const struct {
		const char *parent;
		int status;
		int64_t after, limit;
		int count;
		int64_t numbers[5];
	} cases[] = {
	    {NULL, -1, 0, 10, 5, {1, 2, 3, 4, 5}},
	    {NULL, -1, 2, 2, 2, {3, 4}},
	    {NULL, -1, 0, -1, 5, {1, 2, 3, 4, 5}},
	    {"p", -1, 0, 10, 3, {1, 3, 5}},
	    {"p", -1, 1, 1, 1, {3}},
	    {NULL, STATUS_QUEUED, 0, 10, 2, {4, 5}},
	    {NULL, STATUS_STARTING, 0, 10, 1, {4}},
	    {NULL, STATUS_QUEUED, 4, 10, 1, {5}},
	    {"p", STATUS_QUEUED, 0, 10, 1, {5}},
	    {NULL, STATUS_RUNNING, 0, 10, 1, {3}},
	    {NULL, STATUS_ERROR, 0, 10, 2, {1, 2}},
	    {NULL, STATUS_ERROR, 1, 10, 1, {2}},
	    {"q", STATUS_ERROR, 0, 10, 1, {2}},
	    {NULL, STATUS_LOST, 0, 10, 0, {0}},
	};
	struct fixture *x = *state;
	struct found found = {.count = 0};

	for (int i = 1; i <= 5; i++)
		fixture_add(x, i % 2 == 1 ? "p" : "q", "c");
	fixture_end(x, 1);
	fixture_end(x, 2);
	assert_int_equal(fixture_run(x, 3, 1, 1, 1), 0);
	assert_int_equal(store_set_starting(x->store, 4, 1, "b", 0), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found.count = 0;
		assert_int_equal(store_each_job(x->store, cases[i].parent, cases[i].status,
				     cases[i].after, cases[i].limit, found_job, &found),
		    0);
		if (found.count != cases[i].count)
			fail_msg("case %zu found %d", i, found.count);
		assert_memory_equal(found.numbers, cases[i].numbers,
		    sizeof(int64_t) * (size_t)found.count);
	}
	assert_int_equal(store_each_job(x->store, NULL, STATUS_COUNT, 0, 1, found_job, &found),
	    -EINVAL);
}

static void
live_jobs_are_found_again_oldest_first(void **state)
{
	struct fixture *x = *state;
	struct found found = {.count = 0};

	for (int i = 1; i <= 5; i++)
		fixture_add(x, "p", "c");
	fixture_end(x, 2);
	assert_int_equal(fixture_run(x, 4, 1, 1, 1), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_each_live_job(x->store, found_job, &found), 0);
	assert_int_equal(found.count, 4);
	assert_memory_equal(found.numbers, ((int64_t[]){1, 3, 4, 5}), 4 * sizeof(int64_t));
}

static void
a_fifo_is_remembered(void **state)
{
	struct fixture *x = *state;
	struct store_parent p = {"p", "/a/b", "tsv"}, usual = {"p", NULL, "json"};
	struct found found = {.count = 0};

	assert_int_equal(store_read_parent(x->store, "p", found_parent, &found), -ENOENT);
	assert_int_equal(store_set_parent(x->store, &p), 0);
	assert_int_equal(store_commit(x->store), 0);
	fixture_reopen(x);
	assert_int_equal(store_read_parent(x->store, "p", found_parent, &found), 0);
	assert_string_equal(found.text, "/a/b");
	assert_string_equal(found.meta, "tsv");
	assert_int_equal(store_set_parent(x->store, &usual), 0);
	assert_int_equal(store_read_parent(x->store, "p", found_parent, &found), 0);
	assert_string_equal(found.text, "NULL");
	assert_string_equal(found.meta, "json");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make_open, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_job_is_read_as_it_was_added),
	    TEST(what_is_off_is_off_when_it_is_read),
	    TEST(what_it_has_of_its_profile_is_read_as_it_was_added),
	    TEST(its_place_in_the_queue_is_read_as_it_was_added),
	    TEST(a_job_that_is_run_again_is_queued_with_its_next_run),
	    TEST(a_job_goes_through_its_life),
	    TEST(a_start_told_twice_is_one_event),
	    TEST(a_job_never_goes_back),
	    TEST(an_end_needs_a_final_status_and_its_number),
	    TEST(runs_of_a_child_are_counted),
	    TEST(a_token_makes_one_job),
	    TEST(a_token_that_was_rolled_back_is_free),
	    TEST(a_job_without_what_it_needs_is_refused),
	    TEST(a_rollback_takes_everything_back),
	    TEST(what_was_not_committed_is_gone_after_closing),
	    TEST(a_launch_block_comes_back_whole_until_the_end),
	    TEST(a_record_waits_until_it_is_acknowledged),
	    TEST(pending_records_come_in_order_and_by_parent),
	    TEST(a_made_up_parent_is_kept_no_record),
	    TEST(records_are_replayed_from_any_number),
	    TEST(jobs_are_listed_by_parent_and_status),
	    TEST(live_jobs_are_found_again_oldest_first),
	    TEST(a_fifo_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
