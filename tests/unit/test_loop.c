/*
 * Units of base/loop.
 */
#include "base/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* A watched eventfd whose callback may remove and free another. */
struct watch {
	struct loop_io io;
	struct loop *loop;
	struct watch **self; /* told when it is freed */
	struct watch *victim;
	unsigned *calls;
};

static void
free_watch(struct watch *w)
{
	int fd = w->io.fd;

	loop_remove(w->loop, &w->io);
	close(fd);
	if (w->self != NULL)
		*w->self = NULL;
	free(w);
}

static void
ready(void *arg, uint32_t events)
{
	struct watch *w = arg;

	assert_true(events & EPOLLIN);
	(*w->calls)++;
	if (w->victim != NULL)
		free_watch(w->victim);
	w->victim = NULL;
}

static struct watch *
new_watch(struct loop *l, unsigned *calls)
{
	struct watch *w = calloc(1, sizeof(*w));
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_non_null(w);
	assert_int_not_equal(fd, -1);
	w->loop = l;
	w->calls = calls;
	assert_int_equal(loop_add(l, &w->io, fd, EPOLLIN, ready, w), 0);
	return w;
}

static void
test_a_callback_may_free_what_is_ready_in_the_same_batch(void **state)
{
	struct loop l;
	struct watch *a, *b;
	unsigned calls = 0;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	a = new_watch(&l, &calls);
	b = new_watch(&l, &calls);
	/* Whichever comes first takes the other away. */
	*a = (struct watch){a->io, &l, &a, b, &calls};
	*b = (struct watch){b->io, &l, &b, a, &calls};
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 1);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 2);
	assert_true((a == NULL) != (b == NULL));
	free_watch(a != NULL ? a : b);
	loop_fini(&l);
}

static void
free_self(void *arg, uint32_t events)
{
	struct watch *w = arg;

	(void)events;
	(*w->calls)++;
	free_watch(w);
}

static void
test_a_callback_may_free_itself(void **state)
{
	struct loop l;
	unsigned calls = 0, i;
	struct watch *w;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	for (i = 0; i < 3 * LOOP_BATCH; i++) {
		w = new_watch(&l, &calls);
		w->io.ready = free_self;
	}
	for (i = 0; i < 3; i++)
		assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 3 * LOOP_BATCH);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 3 * LOOP_BATCH);
	loop_fini(&l);
}

static void
test_changing_mutes_and_unmutes(void **state)
{
	struct loop l;
	unsigned calls = 0;
	struct watch *w;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	w = new_watch(&l, &calls);
	assert_int_equal(loop_change(&l, &w->io, 0), 0);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 0);
	assert_int_equal(loop_change(&l, &w->io, EPOLLIN), 0);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(calls, 1);
	free_watch(w);
	loop_fini(&l);
}

static void
test_what_cannot_be_watched_is_refused(void **state)
{
	struct loop l;
	struct loop_io io = {.fd = -1};
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	assert_int_equal(loop_add(&l, &io, fd, EPOLLIN, ready, NULL), -EPERM);
	assert_int_equal(io.fd, -1);
	loop_remove(&l, &io);
	close(fd);
	loop_fini(&l);
}

static void
count(void *arg)
{
	(*(unsigned *)arg)++;
}

static void
test_a_turn_waits_for_the_deadline(void **state)
{
	struct loop l;
	struct timer t;
	unsigned calls = 0;
	uint64_t at = clock_mono_ns() + 20 * NSEC_PER_MSEC;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, count, &calls);
	timer_arm(&l.timers, &t, at);
	while (calls == 0)
		assert_int_equal(loop_turn(&l, false), 0);
	assert_true(clock_mono_ns() >= at);
	assert_true(l.now_ns >= at);
	assert_int_equal(l.armed_ns, TIMER_NEVER);
	loop_fini(&l);
}

static void
test_a_deadline_that_has_passed_does_not_wait(void **state)
{
	struct loop l;
	struct timer t;
	unsigned calls = 0;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, count, &calls);
	timer_arm(&l.timers, &t, 0);
	assert_int_equal(loop_turn(&l, false), 0);
	assert_int_equal(calls, 1);
	loop_fini(&l);
}

static void
test_moving_a_deadline_later_leaves_the_timer_alone(void **state)
{
	struct loop l;
	struct timer t;
	unsigned calls = 0;
	uint64_t at = clock_mono_ns() + 10 * NSEC_PER_MSEC;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, count, &calls);
	timer_arm(&l.timers, &t, at);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(l.armed_ns, at);
	timer_arm(&l.timers, &t, at + 10 * NSEC_PER_MSEC);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(l.armed_ns, at);
	while (calls == 0)
		assert_int_equal(loop_turn(&l, false), 0);
	assert_true(l.now_ns >= at + 10 * NSEC_PER_MSEC);
	/* Earlier again, and on time. */
	timer_arm(&l.timers, &t, l.now_ns + NSEC_PER_SEC * 1000);
	assert_int_equal(loop_turn(&l, true), 0);
	timer_arm(&l.timers, &t, l.now_ns + NSEC_PER_MSEC);
	while (calls == 1)
		assert_int_equal(loop_turn(&l, false), 0);
	loop_fini(&l);
}

static void
test_after_a_quiet_moment_the_timer_is_set_for_what_is_left(void **state)
{
	struct loop l;
	struct timer t, last;
	unsigned calls = 0;
	uint64_t now = clock_mono_ns();

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, count, &calls);
	timer_init(&last, count, &calls);
	timer_arm(&l.timers, &last, now + 20 * NSEC_PER_SEC);
	timer_arm(&l.timers, &t, now + 10 * NSEC_PER_SEC);
	assert_int_equal(loop_turn(&l, true), 0);
	timer_disarm(&l.timers, &t);
	assert_int_equal(loop_turn(&l, true), 0);
	assert_int_equal(l.armed_ns, now + 10 * NSEC_PER_SEC);
	assert_int_equal(loop_turn(&l, false), 0); /* returns, long before that */
	assert_int_equal(l.armed_ns, now + 20 * NSEC_PER_SEC);
	timer_disarm(&l.timers, &last);
	assert_int_equal(loop_turn(&l, false), 0);
	assert_int_equal(l.armed_ns, TIMER_NEVER);
	/* And it can be set again. */
	timer_arm(&l.timers, &t, clock_mono_ns() + NSEC_PER_MSEC);
	while (calls == 0)
		assert_int_equal(loop_turn(&l, false), 0);
	loop_fini(&l);
}

static void
test_the_timer_is_left_alone_while_something_happens(void **state)
{
	struct loop l;
	struct timer t;
	struct watch *w;
	unsigned calls = 0;
	uint64_t at = clock_mono_ns() + 1000 * NSEC_PER_SEC;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, count, &calls);
	timer_arm(&l.timers, &t, at);
	assert_int_equal(loop_turn(&l, true), 0);
	timer_disarm(&l.timers, &t);
	w = new_watch(&l, &calls); /* is readable, and stays so */
	for (int i = 0; i < 10; i++)
		assert_int_equal(loop_turn(&l, false), 0);
	assert_int_equal(calls, 10);
	assert_int_equal(l.armed_ns, at);
	free_watch(w);
	loop_fini(&l);
}

/* What test_descriptors_come_before_deadlines() sees, in order. */
struct order {
	char seen[3];
	unsigned count;
};

static void
saw_descriptor(void *arg, uint32_t events)
{
	struct order *o = arg;

	(void)events;
	o->seen[o->count++] = 'd';
}

static void
saw_deadline(void *arg)
{
	struct order *o = arg;

	o->seen[o->count++] = 't';
}

static void
test_descriptors_come_before_deadlines(void **state)
{
	struct loop l;
	struct timer t;
	struct loop_io io;
	struct order o = {0};
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	timer_init(&t, saw_deadline, &o);
	timer_arm(&l.timers, &t, 1);
	assert_int_equal(loop_add(&l, &io, fd, EPOLLIN, saw_descriptor, &o), 0);
	assert_int_equal(loop_turn(&l, false), 0);
	assert_string_equal(o.seen, "dt");
	loop_remove(&l, &io);
	close(fd);
	loop_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_callback_may_free_what_is_ready_in_the_same_batch),
	    cmocka_unit_test(test_a_callback_may_free_itself),
	    cmocka_unit_test(test_changing_mutes_and_unmutes),
	    cmocka_unit_test(test_what_cannot_be_watched_is_refused),
	    cmocka_unit_test(test_a_turn_waits_for_the_deadline),
	    cmocka_unit_test(test_a_deadline_that_has_passed_does_not_wait),
	    cmocka_unit_test(test_moving_a_deadline_later_leaves_the_timer_alone),
	    cmocka_unit_test(test_after_a_quiet_moment_the_timer_is_set_for_what_is_left),
	    cmocka_unit_test(test_the_timer_is_left_alone_while_something_happens),
	    cmocka_unit_test(test_descriptors_come_before_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
