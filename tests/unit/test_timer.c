/*
 * Units of base/timer.
 */
#include "base/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 1000

/* A timer that writes down when it was called, and may do something about another. */
struct alarm {
	struct timer timer;
	struct world *world;
	struct alarm *disarms;
	struct alarm *frees;
	uint64_t rearm_ns; /* 0: not at all */
	unsigned calls;
};

struct world {
	struct timers timers;
	struct alarm *order[2 * MANY];
	unsigned calls;
};

static void
expired(void *arg)
{
	struct alarm *a = arg;
	uint64_t again = a->rearm_ns;

	a->calls++;
	a->world->order[a->world->calls++] = a;
	if (a->disarms != NULL)
		timer_disarm(&a->world->timers, &a->disarms->timer);
	if (a->frees != NULL) {
		timer_disarm(&a->world->timers, &a->frees->timer);
		free(a->frees);
	}
	a->rearm_ns = 0;
	if (again != 0)
		timer_arm(&a->world->timers, &a->timer, again);
}

static void
init_alarm(struct alarm *a, struct world *w, uint64_t at_ns)
{
	*a = (struct alarm){.world = w};
	timer_init(&a->timer, expired, a);
	timer_arm(&w->timers, &a->timer, at_ns);
}

static void
test_expiry_is_in_order_of_deadlines(void **state)
{
	struct world w = {0};
	static struct alarm alarms[MANY];
	unsigned i;

	(void)state;
	timers_init(&w.timers);
	assert_int_equal(timers_next(&w.timers), TIMER_NEVER);
	for (i = 0; i < MANY; i++)
		init_alarm(&alarms[i], &w, (i * UINT64_C(7919)) % MANY / 2 + 1);
	assert_int_equal(timers_next(&w.timers), 1);
	timers_expire(&w.timers, 0);
	assert_int_equal(w.calls, 0);
	timers_expire(&w.timers, MANY / 4);
	assert_int_equal(w.calls, MANY / 2);
	assert_int_equal(timers_next(&w.timers), MANY / 4 + 1);
	timers_expire(&w.timers, MANY);
	assert_int_equal(w.calls, MANY);
	for (i = 1; i < MANY; i++)
		assert_true(w.order[i - 1]->timer.at_ns <= w.order[i]->timer.at_ns);
	assert_int_equal(timers_next(&w.timers), TIMER_NEVER);
}

static void
test_arming_again_replaces_the_deadline(void **state)
{
	struct world w = {0};
	struct alarm a;

	(void)state;
	timers_init(&w.timers);
	init_alarm(&a, &w, 10);
	timer_arm(&w.timers, &a.timer, 20);
	timers_expire(&w.timers, 19);
	assert_int_equal(a.calls, 0);
	timer_arm(&w.timers, &a.timer, 5);
	assert_int_equal(timers_next(&w.timers), 5);
	timers_expire(&w.timers, 19);
	timers_expire(&w.timers, 100);
	assert_int_equal(a.calls, 1);
	assert_false(a.timer.is_armed);
}

static void
test_never_disarms(void **state)
{
	struct world w = {0};
	struct alarm a;

	(void)state;
	timers_init(&w.timers);
	init_alarm(&a, &w, 10);
	timer_arm(&w.timers, &a.timer, TIMER_NEVER);
	assert_false(a.timer.is_armed);
	timer_disarm(&w.timers, &a.timer);
	timers_expire(&w.timers, TIMER_NEVER);
	assert_int_equal(a.calls, 0);
}

static void
test_callbacks_may_disarm_and_free_others(void **state)
{
	struct world w = {0};
	struct alarm first, second, *third = malloc(sizeof(*third));

	(void)state;
	assert_non_null(third);
	timers_init(&w.timers);
	init_alarm(&first, &w, 10);
	init_alarm(&second, &w, 11);
	init_alarm(third, &w, 12);
	first.disarms = &second;
	first.frees = third;
	timers_expire(&w.timers, 20);
	assert_int_equal(w.calls, 1);
	assert_int_equal(timers_next(&w.timers), TIMER_NEVER);
}

static void
test_armed_for_the_past_is_called_in_the_same_sweep(void **state)
{
	struct world w = {0};
	struct alarm a;

	(void)state;
	timers_init(&w.timers);
	init_alarm(&a, &w, 10);
	a.rearm_ns = 15;
	timers_expire(&w.timers, 20);
	assert_int_equal(a.calls, 2);
	timer_arm(&w.timers, &a.timer, 30);
	a.rearm_ns = 41;
	timers_expire(&w.timers, 40);
	assert_int_equal(a.calls, 3);
	assert_int_equal(timers_next(&w.timers), 41);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_expiry_is_in_order_of_deadlines),
	    cmocka_unit_test(test_arming_again_replaces_the_deadline),
	    cmocka_unit_test(test_never_disarms),
	    cmocka_unit_test(test_callbacks_may_disarm_and_free_others),
	    cmocka_unit_test(test_armed_for_the_past_is_called_in_the_same_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
