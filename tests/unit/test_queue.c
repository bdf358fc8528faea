/*
 * test_queue: parents take turns, first in first out within one, no limit is ever exceeded, claims come
 * before starts, nobody starves; and whatever is done to it in any order, the queue does what a naive
 * model of it does.
 */
#include "queue/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct queue *
make(uint32_t max_running, uint32_t per_parent, uint32_t limit)
{
	static const struct queue_pool pools[] = {{"gpu", 1}, {"net", 2}};
	struct queue_room room = {max_running, per_parent, limit};
	struct queue *q = queue_new(&room);

	assert_non_null(q);
	assert_int_equal(queue_set_pools(q, pools, 2), 0);
	return q;
}

static struct queue_job *
add_job(struct queue *q, int64_t number, const char *parent, const char *pool, int32_t priority)
{
	char child[32];
	struct queue_new n = {.number = number,
	    .parent = parent,
	    .child = child,
	    .pool = pool,
	    .priority = priority};

	snprintf(child, sizeof(child), "c%lld", (long long)number);
	return queue_add(q, &n);
}

static void
add(struct queue *q, int64_t number, const char *parent)
{
	assert_non_null(add_job(q, number, parent, NULL, 0));
}

/* Starts the next job and returns its number, 0 if none may start. */
static int64_t
start(struct queue *q)
{
	struct queue_job *j = queue_next(q);

	if (j == NULL)
		return 0;
	queue_start(q, j);
	return j->number;
}

static void
end(struct queue *q, int64_t number)
{
	queue_remove(q, queue_find(q, number));
}

static void
parents_take_turns(void **state)
{
	static const int64_t expected[] = {1, 4, 6, 2, 5, 3, 0};
	struct queue *q = make(100, UINT32_MAX, 100);

	(void)state;
	add(q, 1, "a");
	add(q, 2, "a");
	add(q, 3, "a");
	add(q, 4, "b");
	add(q, 5, "b");
	add(q, 6, "c");
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(start(q), expected[i]);
	queue_free(q);
}

static void
limits_are_kept(void **state)
{
	struct queue *q = make(3, 2, 4);

	(void)state;
	for (int64_t n = 1; n <= 4; n++)
		add(q, n, "a");
	assert_true(queue_is_full(q));
	assert_int_equal(start(q), 1);
	assert_false(queue_is_full(q));
	assert_int_equal(start(q), 2);
	assert_int_equal(start(q), 0); /* the parent's limit */
	add(q, 5, "b");
	add(q, 6, "b");
	assert_int_equal(start(q), 5);
	assert_int_equal(start(q), 0); /* everybody's limit */
	end(q, 1);
	assert_int_equal(start(q), 3); /* its turn was kept, not lost, at its limit */
	assert_int_equal(queue_running(q), 3);
	assert_int_equal(queue_queued(q), 2);
	queue_free(q);
}

static void
new_limits_are_those_that_count(void **state)
{
	static const struct queue_room wider = {8, 3, 10};
	struct queue *q = make(8, 1, 10);

	(void)state;
	for (int64_t n = 1; n <= 4; n++)
		add(q, n, "a");
	assert_int_equal(start(q), 1);
	assert_int_equal(start(q), 0);
	queue_set_room(q, &wider);
	assert_int_equal(start(q), 2);
	assert_int_equal(start(q), 3);
	assert_int_equal(start(q), 0);
	queue_free(q);
}

static struct queue_job *
add_running(struct queue *q, int64_t number, const char *parent, const char *pool)
{
	char child[16];
	const struct queue_new n = {.number = number,
	    .parent = parent,
	    .child = child,
	    .pool = pool,
	    .status = STATUS_RUNNING};

	snprintf(child, sizeof(child), "r%d", (int)number);
	return queue_add(q, &n);
}

static void
more_than_there_is_room_for_are_told_apart(void **state)
{
	static const struct queue_pool gpu = {"gpu", 1};
	struct queue *q = make(5, 2, 10);
	struct queue_job *a = add_running(q, 1, "a", "gpu"), *b;

	(void)state;
	assert_int_equal(queue_set_pools(q, &gpu, 1), 0);
	add_running(q, 2, "a", NULL);
	assert_false(queue_is_over(q, a));
	b = add_running(q, 3, "a", NULL);
	assert_true(queue_is_over(q, a)); /* of its parent */
	assert_int_equal(queue_lend(q, b), 0);
	assert_false(queue_is_over(q, a));
	b = add_running(q, 4, "b", "gpu");
	assert_true(queue_is_over(q, a)); /* of its pool */
	queue_remove(q, b);
	for (int64_t n = 5; n <= 7; n++)
		b = add_running(q, n, n == 7 ? "c" : "b", NULL);
	assert_false(queue_is_over(q, a));
	b = add_running(q, 8, "c", NULL);
	assert_true(queue_is_over(q, a)); /* of all */
	assert_true(queue_is_over(q, b));
	queue_free(q);
}

static void
put_back_is_first_again(void **state)
{
	struct queue *q = make(1, UINT32_MAX, 10);
	struct queue_job *j;

	(void)state;
	add(q, 1, "a");
	add(q, 2, "a");
	j = queue_next(q);
	queue_start(q, j);
	assert_int_equal(j->status, STATUS_STARTING);
	queue_put_back(q, j, 0);
	assert_int_equal(j->status, STATUS_QUEUED);
	assert_int_equal(queue_running(q), 0);
	assert_int_equal(start(q), 1);
	queue_free(q);
}

static void
ids_and_numbers_are_unique(void **state)
{
	const struct queue_new same = {.number = 2, .parent = "b", .child = "c1"};
	struct queue *q = make(1, 1, 10);

	(void)state;
	add(q, 1, "a");
	errno = 0;
	assert_null(add_job(q, 1, "a", NULL, 0));
	assert_int_equal(errno, EEXIST);
	assert_null(queue_add(q, &same));
	assert_null(queue_find_parent(q, "b"));
	assert_int_equal(queue_find_child(q, "c1")->number, 1);
	assert_null(queue_find_child(q, "c2"));
	end(q, 1);
	assert_null(queue_find_parent(q, "a"));
	add(q, 2, "a");
	queue_free(q);
}

static void
higher_priority_is_first(void **state)
{
	static const int64_t expected[] = {4, 2, 5, 1, 3, 0};
	struct queue *q = make(100, UINT32_MAX, 100);

	(void)state;
	assert_non_null(add_job(q, 1, "a", NULL, 0));
	assert_non_null(add_job(q, 2, "a", NULL, 5));
	assert_non_null(add_job(q, 3, "b", NULL, -5));
	assert_non_null(add_job(q, 4, "b", NULL, 100));
	assert_non_null(add_job(q, 5, "b", NULL, 5));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(start(q), expected[i]);
	queue_free(q);
}

static void
a_full_pool_holds_up_only_its_own(void **state)
{
	struct queue *q = make(100, UINT32_MAX, 100);

	(void)state;
	assert_non_null(add_job(q, 1, "a", "gpu", 9));
	assert_non_null(add_job(q, 2, "a", "gpu", 9));
	assert_non_null(add_job(q, 3, "b", "gpu", 9));
	assert_non_null(add_job(q, 4, "a", NULL, 0));
	assert_int_equal(start(q), 1);
	assert_int_equal(start(q), 4);
	assert_int_equal(start(q), 0);
	end(q, 1);
	assert_int_equal(start(q), 3);
	assert_int_equal(start(q), 0);
	end(q, 3);
	assert_int_equal(start(q), 2);
	queue_free(q);
}

/* Its jobs without a pool start all the time: that costs it no turn where others wait for the pool. */
static void
a_turn_in_one_pool_costs_none_in_another(void **state)
{
	struct queue *q = make(100, UINT32_MAX, 100);
	int64_t next = 10;

	(void)state;
	assert_non_null(add_job(q, 1, "b", "gpu", 0));
	assert_int_equal(start(q), 1);
	assert_non_null(add_job(q, 2, "b", "gpu", 0));
	assert_non_null(add_job(q, 3, "a", "gpu", 0));
	assert_non_null(add_job(q, 4, "b", "gpu", 0));
	for (; next < 20; next++) {
		add(q, next, "a");
		assert_int_equal(start(q), next);
	}
	end(q, 1);
	assert_int_equal(start(q), 2);
	add(q, next, "a");
	assert_int_equal(start(q), next);
	end(q, 2);
	assert_int_equal(start(q), 3);
	queue_free(q);
}

static void
a_pool_that_is_not_known_has_no_room_until_it_is(void **state)
{
	static const struct queue_pool tpu = {"tpu", 1};
	struct queue *q = make(100, UINT32_MAX, 100);

	(void)state;
	assert_null(queue_find_pool(q, "tpu"));
	assert_non_null(add_job(q, 1, "a", "tpu", 0));
	assert_non_null(add_job(q, 2, "a", "gpu", 0));
	assert_false(queue_find_pool(q, "tpu")->is_known);
	assert_int_equal(start(q), 2);
	assert_int_equal(start(q), 0);
	assert_int_equal(queue_set_pools(q, &tpu, 1), 0);
	assert_false(queue_find_pool(q, "gpu")->is_known);
	assert_null(queue_find_pool(q, "net"));
	assert_int_equal(start(q), 1);
	end(q, 2);
	assert_null(queue_find_pool(q, "gpu"));
	queue_free(q);
}

static void
on_hold_is_queued_but_in_no_line(void **state)
{
	const struct queue_new held = {.number = 1,
	    .parent = "a",
	    .child = "held",
	    .holds = QUEUE_HOLD_TIME | QUEUE_HOLD_WAIT};
	struct queue *q = make(1, UINT32_MAX, 2);
	struct queue_job *j = queue_add(q, &held);

	(void)state;
	assert_non_null(j);
	assert_null(queue_next(q));
	add(q, 2, "a");
	assert_false(queue_is_full(q)); /* whom it waits for may be kept out */
	assert_int_equal(queue_queued(q), 2);
	queue_release(q, j, QUEUE_HOLD_TIME);
	queue_hold(q, j, QUEUE_HOLD_TIME);
	queue_release(q, j, QUEUE_HOLD_WAIT);
	assert_true(queue_is_full(q));
	assert_int_equal(queue_next(q)->number, 2);
	queue_release(q, j, QUEUE_HOLD_TIME);
	assert_int_equal(queue_next(q)->number, 1); /* the lower number is first all the same */
	queue_hold(q, j, QUEUE_HOLD_WAIT);
	assert_int_equal(start(q), 2);
	end(q, 1);
	assert_int_equal(queue_queued(q), 0);
	queue_free(q);
}

static void
its_time_comes_on_its_own_clock(void **state)
{
	const struct queue_new held = {.number = 1,
	    .parent = "a",
	    .child = "held",
	    .holds = QUEUE_HOLD_TIME | QUEUE_HOLD_WAIT};
	struct queue *q = make(1, UINT32_MAX, 10);
	struct queue_job *j = queue_add(q, &held);

	(void)state;
	assert_true(queue_next_due(q, DUE_WALL) == DUE_NEVER);
	queue_hold_until(q, j, DUE_WALL, 100);
	add(q, 2, "a");
	add(q, 3, "a");
	queue_hold_until(q, queue_find(q, 2), DUE_BOOT, 50);
	queue_hold_until(q, queue_find(q, 3), DUE_WALL, 100);
	assert_true(queue_next_due(q, DUE_WALL) == 100);
	assert_true(queue_next_due(q, DUE_BOOT) == 50);
	assert_null(queue_pass(q, DUE_WALL, 99));
	assert_ptr_equal(queue_pass(q, DUE_WALL, 100), j);
	assert_null(queue_next(q)); /* it waits for others yet */
	assert_int_equal(queue_pass(q, DUE_WALL, 100)->number, 3);
	assert_null(queue_pass(q, DUE_WALL, UINT64_MAX - 1));
	assert_int_equal(queue_next(q)->number, 3);
	queue_hold_until(q, queue_find(q, 2), DUE_WALL, 70);
	assert_true(queue_next_due(q, DUE_BOOT) == DUE_NEVER);
	end(q, 2); /* who waits for his time may end */
	assert_true(queue_next_due(q, DUE_WALL) == DUE_NEVER);
	queue_hold_until(q, j, DUE_BOOT, 1);
	queue_release(q, j, QUEUE_HOLD_TIME);
	assert_true(queue_next_due(q, DUE_BOOT) == DUE_NEVER);
	queue_free(q);
}

static size_t
ahead_of(struct queue *q, int64_t number)
{
	return queue_ahead(q, queue_find(q, number));
}

static void
it_is_known_how_many_are_ahead_and_where_room_is_short(void **state)
{
	static const struct queue_room narrow = {1, 1, 100};
	struct queue *q = make(1, UINT32_MAX, 100);

	(void)state;
	for (int64_t n = 1; n <= 5; n++)
		add(q, n, "a");
	add(q, 6, "b");
	add(q, 7, "b");
	assert_non_null(add_job(q, 8, "c", "gpu", -1));
	assert_non_null(add_job(q, 9, "c", "gpu", 1));
	assert_non_null(add_job(q, 10, "d", "tpu", 50));
	assert_int_equal(ahead_of(q, 9), 0);
	assert_int_equal(ahead_of(q, 1), 1);
	assert_int_equal(ahead_of(q, 6), 2);
	assert_int_equal(ahead_of(q, 2), 3);
	assert_int_equal(ahead_of(q, 7), 4);
	assert_int_equal(ahead_of(q, 5), 7);
	assert_int_equal(ahead_of(q, 8), 8);
	assert_int_equal(queue_shortage_of(queue_find(q, 8)), QUEUE_SHORT_OF_ALL);
	assert_int_equal(queue_shortage_of(queue_find(q, 10)), QUEUE_SHORT_POOL_UNKNOWN);
	assert_int_equal(start(q), 9); /* only those of the pool count for who waits for it */
	assert_int_equal(queue_shortage_of(queue_find(q, 8)), QUEUE_SHORT_OF_POOL);
	assert_int_equal(ahead_of(q, 8), 0);
	assert_int_equal(ahead_of(q, 1), 0);
	queue_set_room(q, &narrow);
	assert_int_equal(queue_shortage_of(queue_find(q, 8)), QUEUE_SHORT_OF_PARENT);
	queue_hold(q, queue_find(q, 1), QUEUE_HOLD_TIME);
	assert_int_equal(ahead_of(q, 1), 0);
	queue_free(q);
}

/* What it says of each is what happens, as long as nothing else does. */
static void
as_many_are_ahead_as_are_started_before(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 100; seed++) {
		struct queue *q = make(1000, UINT32_MAX, 1000);
		size_t ahead[61], started = 0;
		int64_t number;

		srand(seed);
		for (int64_t n = 1; n <= 60; n++) {
			char parent[2] = {(char)('a' + rand() % 4), '\0'};
			assert_non_null(add_job(q, n, parent, NULL, rand() % 3));
			if (rand() % 3 == 0)
				start(q);
		}
		for (int64_t n = 1; n <= 60; n++)
			ahead[n] = ahead_of(q, n);
		for (; (number = start(q)) != 0; started++)
			assert_int_equal(ahead[number], started);
		queue_free(q);
	}
}

static void
suspended_takes_no_room_but_is_unfinished(void **state)
{
	struct queue *q = make(1, 1, 10);
	struct queue_job *j;

	(void)state;
	add(q, 1, "a");
	add(q, 2, "a");
	assert_int_equal(start(q), 1);
	j = queue_find(q, 1);
	queue_run(q, j);
	queue_suspend(q, j);
	assert_int_equal(j->status, STATUS_SUSPENDED);
	assert_int_equal(queue_running(q), 0);
	assert_int_equal(queue_suspended(q), 1);
	assert_int_equal(j->parent->unfinished, 2);
	assert_null(add_job(q, 1, "a", NULL, 0));
	assert_int_equal(start(q), 2);
	queue_put_back(q, j, 0);
	assert_int_equal(queue_suspended(q), 0);
	assert_int_equal(start(q), 0);
	end(q, 2);
	assert_int_equal(start(q), 1);
	queue_free(q);
}

static void
lent_room_is_others_and_comes_back_before_any_start(void **state)
{
	struct queue *q = make(1, 1, 10);
	struct queue_job *a, *b;

	(void)state;
	assert_non_null(a = add_job(q, 1, "a", "gpu", 0));
	assert_non_null(b = add_job(q, 2, "a", "gpu", 0));
	assert_non_null(add_job(q, 3, "a", "gpu", 100));
	assert_int_equal(start(q), 3);
	end(q, 3);
	assert_int_equal(start(q), 1);
	assert_int_equal(start(q), 0);
	assert_int_equal(queue_lend(q, a), 0);
	assert_int_equal(queue_running(q), 1);
	assert_int_equal(queue_working(q), 0);
	assert_int_equal(start(q), 2);
	assert_int_equal(queue_lend(q, b), 0);
	assert_non_null(add_job(q, 4, "a", "gpu", 100));
	queue_claim(q, b);
	queue_claim(q, a);
	assert_null(queue_next(q));
	assert_ptr_equal(queue_next_claim(q), b);
	queue_regain(q, b);
	assert_null(queue_next_claim(q));
	assert_null(queue_next(q));
	end(q, 2);
	assert_ptr_equal(queue_next_claim(q), a);
	assert_int_equal(queue_lend(q, a), 0); /* withdrawn */
	assert_null(queue_next_claim(q));
	assert_int_equal(start(q), 4);
	end(q, 1); /* it may end while it lends */
	assert_int_equal(queue_running(q), 1);
	assert_int_equal(queue_working(q), 1);
	queue_free(q);
}

static void
claims_are_served_as_they_came_whosever_they_are(void **state)
{
	static const int64_t expected[] = {1, 2, 3, 0};
	struct queue *q = make(3, UINT32_MAX, 10);

	(void)state;
	add(q, 1, "a");
	add(q, 2, "b");
	add(q, 3, "a");
	for (int i = 0; i < 3; i++)
		start(q);
	for (int64_t n = 1; n <= 3; n++)
		assert_int_equal(queue_lend(q, queue_find(q, n)), 0);
	for (int64_t n = 1; n <= 3; n++)
		queue_claim(q, queue_find(q, n));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct queue_job *j = queue_next_claim(q);
		assert_int_equal(j == NULL ? 0 : j->number, expected[i]);
		if (j != NULL)
			queue_regain(q, j);
	}
	queue_free(q);
}

static void
a_claim_without_room_holds_up_nobody_else(void **state)
{
	struct queue *q = make(2, UINT32_MAX, 10);
	struct queue_job *a;

	(void)state;
	assert_non_null(a = add_job(q, 1, "a", "gpu", 0));
	assert_non_null(add_job(q, 2, "b", "gpu", 0));
	add(q, 3, "b");
	assert_int_equal(start(q), 1);
	assert_int_equal(queue_lend(q, a), 0);
	assert_int_equal(start(q), 2);
	queue_claim(q, a);
	assert_null(queue_next_claim(q));
	assert_int_equal(start(q), 3);
	end(q, 2);
	assert_ptr_equal(queue_next_claim(q), a);
	queue_free(q);
}

/* As many as a_parent has: no more than one of them goes first, whenever the other comes. */
static void
a_hundred_thousand_delay_another_by_one(void **state)
{
	struct queue *q = make(1, UINT32_MAX, 1000000);
	int64_t last = 100000, first_of_b, n;

	(void)state;
	for (n = 1; n <= last; n++)
		add(q, n, "a");
	for (int round = 0; round < 1000; round++) {
		for (int i = rand() % 3; i > 0; i--)
			end(q, start(q));
		first_of_b = n++;
		add(q, first_of_b, "b");
		int64_t number = start(q);
		if (number != first_of_b) {
			end(q, number);
			number = start(q);
		}
		assert_int_equal(number, first_of_b);
		end(q, number);
	}
	queue_free(q);
}

/*
 * The model: all jobs in one array, and the least of those that may move on is looked for each time.
 */
#define PARENTS 4
#define POOLS 3
#define PRIORITIES 2
#define JOBS_MAX 400

static const char *const parent_names[PARENTS] = {"a", "b", "c", "d"};
static const char *const pool_names[POOLS] = {NULL, "gpu", "net"};
static const uint32_t pool_room[POOLS] = {UINT32_MAX, 1, 2};

struct model_job {
	enum status status;
	bool exists, is_lent;
	uint64_t claimed; /* 0: it does not claim */
	uint32_t holds;
	int parent, pool, priority;
	int passed; /* how often another was started while this one had room in its own line */
};

struct model {
	struct queue_room room;
	struct model_job jobs[JOBS_MAX];
	uint64_t turn[PARENTS][POOLS][PRIORITIES];
	uint64_t turns;
	int last;
};

static bool
works(const struct model_job *j)
{
	return j->exists && !j->is_lent &&
	    (j->status == STATUS_STARTING || j->status == STATUS_RUNNING);
}

static bool
waits(const struct model_job *j)
{
	return j->exists && j->status == STATUS_QUEUED && j->holds == 0;
}

/* parent or pool -1: any. */
static uint32_t
count_working(const struct model *m, int parent, int pool)
{
	uint32_t count = 0;

	for (int i = 1; i <= m->last; i++) {
		const struct model_job *j = &m->jobs[i];
		count += works(j) && (parent < 0 || parent == j->parent) &&
		    (pool < 0 || pool == j->pool);
	}
	return count;
}

static bool
has_room(const struct model *m, const struct model_job *j)
{
	return count_working(m, -1, -1) < m->room.max_running &&
	    count_working(m, j->parent, -1) < m->room.max_running_per_parent &&
	    count_working(m, -1, j->pool) < pool_room[j->pool];
}

static int
first_claim(const struct model *m)
{
	int best = 0;

	for (int i = 1; i <= m->last; i++) {
		const struct model_job *j = &m->jobs[i];
		if (j->exists && j->claimed != 0 && has_room(m, j) &&
		    (best == 0 || j->claimed < m->jobs[best].claimed))
			best = i;
	}
	return best;
}

static uint64_t *
turn_of(struct model *m, const struct model_job *j)
{
	return &m->turn[j->parent][j->pool][j->priority];
}

static int
first_to_start(struct model *m)
{
	int best = 0;

	if (first_claim(m) != 0)
		return 0;
	for (int i = 1; i <= m->last; i++) {
		const struct model_job *j = &m->jobs[i], *b = &m->jobs[best];
		if (!waits(j) || !has_room(m, j))
			continue;
		if (best == 0 || j->priority > b->priority ||
		    (j->priority == b->priority && *turn_of(m, j) < *turn_of(m, b)))
			best = i;
	}
	return best;
}

/* The job joins its line: alone there, it takes a turn after all others'. */
static void
model_line_up(struct model *m, int number)
{
	const struct model_job *j = &m->jobs[number];

	if (!waits(j))
		return;
	for (int i = 1; i <= m->last; i++) {
		const struct model_job *o = &m->jobs[i];
		if (i != number && waits(o) && o->parent == j->parent && o->pool == j->pool &&
		    o->priority == j->priority)
			return;
	}
	*turn_of(m, j) = ++m->turns;
}

static void
compare(struct queue *q, struct model *m)
{
	struct queue_job *next = queue_next(q), *claim = queue_next_claim(q);
	size_t queued = 0, running = 0, suspended = 0;

	for (int i = 1; i <= m->last; i++) {
		const struct model_job *j = &m->jobs[i];
		queued += j->exists && j->status == STATUS_QUEUED;
		running += works(j) || (j->exists && j->is_lent);
		suspended += j->exists && j->status == STATUS_SUSPENDED;
	}
	assert_int_equal(queue_queued(q), queued);
	assert_int_equal(queue_running(q), running);
	assert_int_equal(queue_suspended(q), suspended);
	assert_int_equal(queue_working(q), count_working(m, -1, -1));
	assert_int_equal(next == NULL ? 0 : next->number, first_to_start(m));
	assert_int_equal(claim == NULL ? 0 : claim->number, first_claim(m));
}

static void
random_add(struct queue *q, struct model *m)
{
	int number = m->last + 1;
	char child[16];
	struct model_job *j = &m->jobs[number];
	struct queue_new n = {.number = number, .child = child};

	if (number == JOBS_MAX)
		return;
	m->last = number;
	*j = (struct model_job){.exists = true,
	    .parent = rand() % PARENTS,
	    .pool = rand() % POOLS,
	    .priority = rand() % PRIORITIES,
	    .holds = rand() % 4 == 0 ? QUEUE_HOLD_TIME : 0};
	snprintf(child, sizeof(child), "c%d", number);
	n.parent = parent_names[j->parent];
	n.pool = pool_names[j->pool];
	n.priority = j->priority;
	n.holds = j->holds;
	assert_non_null(queue_add(q, &n));
	model_line_up(m, number);
}

static void
random_start(struct queue *q, struct model *m)
{
	int number = first_to_start(m);
	struct model_job *j = &m->jobs[number];

	if (number == 0)
		return;
	queue_start(q, queue_next(q));
	*turn_of(m, j) = ++m->turns;
	j->status = STATUS_STARTING;
	/* Nobody starves: while one waits with room, each line goes before it once at the most. */
	for (int i = 1; i <= m->last; i++) {
		struct model_job *o = &m->jobs[i];
		bool is_first = waits(o) && has_room(m, o) && o->priority >= j->priority;
		for (int k = 1; is_first && k < i; k++)
			is_first = !waits(&m->jobs[k]) || turn_of(m, &m->jobs[k]) != turn_of(m, o);
		o->passed = is_first ? o->passed + 1 : 0;
		assert_true(o->passed <= PARENTS * POOLS);
	}
}

static void
random_claim(struct queue *q, struct model *m)
{
	int number = first_claim(m);

	if (number == 0)
		return;
	queue_regain(q, queue_next_claim(q));
	m->jobs[number].claimed = 0;
	m->jobs[number].is_lent = false;
}

static void
random_put_back(struct queue *q, struct model *m, int number)
{
	struct model_job *j = &m->jobs[number];

	j->status = STATUS_QUEUED;
	j->holds = rand() % 2 == 0 ? QUEUE_HOLD_WAIT : 0;
	j->is_lent = false;
	j->claimed = 0;
	queue_put_back(q, queue_find(q, number), j->holds);
	model_line_up(m, number);
}

static void
random_of_queued(struct queue *q, struct model *m, int number)
{
	struct model_job *j = &m->jobs[number];
	uint32_t bit = rand() % 2 == 0 ? QUEUE_HOLD_TIME : QUEUE_HOLD_WAIT;

	if (rand() % 2 == 0) {
		j->holds |= bit;
		queue_hold(q, queue_find(q, number), bit);
	} else {
		bool was_held = j->holds != 0;
		j->holds &= ~bit;
		queue_release(q, queue_find(q, number), bit);
		if (was_held)
			model_line_up(m, number);
	}
}

static void
random_of_live(struct queue *q, struct model *m, int number)
{
	struct model_job *j = &m->jobs[number];
	struct queue_job *live = queue_find(q, number);

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		assert_int_equal(queue_lend(q, live), 0);
		j->is_lent = true;
		j->claimed = 0;
		break;
	case 3:
	case 4:
	case 5:
		if (j->is_lent && j->claimed == 0)
			j->claimed = ++m->turns;
		queue_claim(q, live);
		break;
	case 6:
		queue_suspend(q, live);
		j->status = STATUS_SUSPENDED;
		j->is_lent = false;
		j->claimed = 0;
		break;
	default:
		queue_run(q, live);
		j->status = STATUS_RUNNING;
	}
}

static void
random_of_one(struct queue *q, struct model *m)
{
	int number = 1 + rand() % (m->last + 1);
	struct model_job *j = &m->jobs[number];

	if (number > m->last || !j->exists)
		return;
	if (rand() % 8 == 0) {
		end(q, number);
		j->exists = false;
	} else if (j->status == STATUS_QUEUED) {
		random_of_queued(q, m, number);
	} else if (rand() % 8 == 0) {
		random_put_back(q, m, number);
	} else if (j->status != STATUS_SUSPENDED) {
		random_of_live(q, m, number);
	}
}

static void
it_does_what_the_model_does(void **state)
{
	static struct model m;

	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		memset(&m, 0, sizeof(m));
		m.room = (struct queue_room){1 + seed % 7, 1 + seed % 5, 1000};
		struct queue *q = make(m.room.max_running, m.room.max_running_per_parent, 1000);

		srand(seed);
		for (int i = 0; i < 600; i++) {
			int what = rand() % 8;
			if (what < 2)
				random_add(q, &m);
			else if (what < 4)
				random_start(q, &m);
			else if (what < 5)
				random_claim(q, &m);
			else
				random_of_one(q, &m);
			compare(q, &m);
		}
		queue_free(q);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parents_take_turns),
	    cmocka_unit_test(limits_are_kept),
	    cmocka_unit_test(new_limits_are_those_that_count),
	    cmocka_unit_test(more_than_there_is_room_for_are_told_apart),
	    cmocka_unit_test(put_back_is_first_again),
	    cmocka_unit_test(ids_and_numbers_are_unique),
	    cmocka_unit_test(higher_priority_is_first),
	    cmocka_unit_test(a_full_pool_holds_up_only_its_own),
	    cmocka_unit_test(a_turn_in_one_pool_costs_none_in_another),
	    cmocka_unit_test(a_pool_that_is_not_known_has_no_room_until_it_is),
	    cmocka_unit_test(on_hold_is_queued_but_in_no_line),
	    cmocka_unit_test(its_time_comes_on_its_own_clock),
	    cmocka_unit_test(it_is_known_how_many_are_ahead_and_where_room_is_short),
	    cmocka_unit_test(as_many_are_ahead_as_are_started_before),
	    cmocka_unit_test(suspended_takes_no_room_but_is_unfinished),
	    cmocka_unit_test(lent_room_is_others_and_comes_back_before_any_start),
	    cmocka_unit_test(claims_are_served_as_they_came_whosever_they_are),
	    cmocka_unit_test(a_claim_without_room_holds_up_nobody_else),
	    cmocka_unit_test(a_hundred_thousand_delay_another_by_one),
	    cmocka_unit_test(it_does_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
