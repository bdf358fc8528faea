/*
 * test_queue: parents take turns, first in first out within one, no limit is ever exceeded, and
 * whatever is done to it in any order, the queue's counts add up.
 */
#include "queue/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct queue *
make(uint32_t max_running, uint32_t per_parent, uint32_t limit)
{
	struct queue_room room = {max_running, per_parent, limit};
	struct queue *q = queue_new(&room);

	assert_non_null(q);
	return q;
}

static void
add(struct queue *q, int64_t number, const char *parent)
{
	char child[32];

	snprintf(child, sizeof(child), "c%lld", (long long)number);
	assert_non_null(queue_add(q, number, parent, child, 0, STATUS_QUEUED));
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
	queue_remove(q, queue_find(q, 1));
	assert_int_equal(start(q), 3); /* its turn was kept, not lost, at its limit */
	assert_int_equal(queue_running(q), 3);
	assert_int_equal(queue_queued(q), 2);
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
	queue_put_back(q, j);
	assert_int_equal(j->status, STATUS_QUEUED);
	assert_int_equal(queue_running(q), 0);
	assert_int_equal(start(q), 1);
	queue_free(q);
}

static void
ids_and_numbers_are_unique(void **state)
{
	struct queue *q = make(1, 1, 10);

	(void)state;
	add(q, 1, "a");
	errno = 0;
	assert_null(queue_add(q, 1, "a", "other", 0, STATUS_QUEUED));
	assert_int_equal(errno, EEXIST);
	assert_null(queue_add(q, 2, "b", "c1", 0, STATUS_QUEUED));
	assert_null(queue_find_parent(q, "b"));
	assert_int_equal(queue_find_child(q, "c1")->number, 1);
	assert_null(queue_find_child(q, "c2"));
	queue_remove(q, queue_find(q, 1));
	assert_null(queue_find_parent(q, "a"));
	add(q, 2, "a");
	queue_free(q);
}

/* The invariants at the head of queue.h. */
static void
check(struct queue *q, const struct queue_room *room)
{
	size_t running = 0, queued = 0;

	for (struct queue_job *j = queue_next_job(q, NULL); j != NULL; j = queue_next_job(q, j)) {
		size_t of_parent = 0, waiting = 0;
		struct queue_job *k;

		assert_ptr_equal(queue_find(q, j->number), j);
		assert_ptr_equal(queue_find_child(q, j->child), j);
		TAILQ_FOREACH (k, &j->parent->jobs, in_parent)
			of_parent += k->status != STATUS_QUEUED;
		TAILQ_FOREACH (k, &j->parent->line, in_line)
			waiting++;
		assert_int_equal(of_parent, j->parent->running);
		assert_int_equal(of_parent + waiting, j->parent->unfinished);
		assert_true(of_parent <= room->max_running_per_parent);
		if (j->status == STATUS_QUEUED)
			queued++;
		else
			running++;
	}
	assert_int_equal(queued, queue_queued(q));
	assert_int_equal(running, queue_running(q));
	assert_true(running <= room->max_running);
}

static void
step(struct queue *q, int64_t *next_number)
{
	char parent[2] = {(char)('a' + rand() % 5), '\0'};
	struct queue_job *j = queue_find(q, 1 + rand() % (int)*next_number);

	switch (rand() % 5) {
	case 0:
	case 1:
		add(q, (*next_number)++, parent);
		break;
	case 2:
		start(q);
		break;
	case 3:
		if (j != NULL && j->status == STATUS_STARTING)
			queue_run(q, j);
		else if (j != NULL)
			queue_remove(q, j);
		break;
	default:
		if (j != NULL && j->status == STATUS_STARTING)
			queue_put_back(q, j);
		break;
	}
}

static void
counts_add_up_whatever_happens(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct queue_room room = {1 + seed % 7, 1 + seed % 3, 1000};
		struct queue *q = queue_new(&room);
		int64_t next_number = 1;

		srand(seed);
		for (int i = 0; i < 300; i++) {
			step(q, &next_number);
			check(q, &room);
		}
		/* Whoever waits gets a turn as soon as the others have ended. */
		while (queue_queued(q) > 0) {
			while (start(q) != 0)
				continue;
			for (struct queue_job *j = queue_next_job(q, NULL), *n; j != NULL; j = n) {
				n = queue_next_job(q, j);
				if (j->status != STATUS_QUEUED)
					queue_remove(q, j);
			}
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
	    cmocka_unit_test(put_back_is_first_again),
	    cmocka_unit_test(ids_and_numbers_are_unique),
	    cmocka_unit_test(counts_add_up_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
