/*
 * Units of watchdog/watchdog: time is an argument, so nothing waits.
 */
#include "watchdog/watchdog.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define T0 UINT64_C(1000)

static struct watchdog
started(uint64_t total, uint64_t idle)
{
	struct limits limits;
	struct watchdog w;

	limits_default(&limits);
	limits.max_total_ns = total;
	limits.max_idle_ns = idle;
	watchdog_start(&w, &limits, T0);
	return w;
}

static void
test_defaults_are_those_of_the_manual(void **state)
{
	struct limits l;

	(void)state;
	limits_default(&l);
	assert_int_equal(l.max_total_ns, UINT64_C(3600000000000));
	assert_int_equal(l.max_idle_ns, UINT64_C(900000000000));
	assert_int_equal(l.check_interval_ns, 0);
	assert_int_equal(l.kill_grace_ns, UINT64_C(10000000000));
	assert_int_equal(l.kill_signal, SIGTERM);
	assert_int_equal(l.activity, ACTIVITY_HEARTBEAT | ACTIVITY_OUTPUT);
	assert_int_equal(l.idle_from, IDLE_FROM_START);
	assert_int_equal(l.max_extend_ns, 0);
	assert_int_equal(l.max_output, 64 << 20);
	assert_int_equal(l.on_output_limit, ON_OUTPUT_TRIM);
	assert_int_equal(l.leftovers, LEFTOVERS_KILL);
	assert_int_equal(l.nice, LIMITS_NICE_INHERIT);
	assert_true(l.max_memory == WATCHDOG_OFF && l.max_processes == WATCHDOG_OFF);
	assert_true(l.max_open_files == WATCHDOG_OFF && l.max_cpu_ns == WATCHDOG_OFF);
}

static void
test_limits_are_exact(void **state)
{
	struct watchdog w = started(100, WATCHDOG_OFF);

	(void)state;
	assert_int_equal(watchdog_deadline(&w), T0 + 100);
	assert_int_equal(watchdog_judge(&w, T0 + 99), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 100), WATCHDOG_TOTAL);
	w = started(WATCHDOG_OFF, 50);
	assert_int_equal(watchdog_deadline(&w), T0 + 50);
	assert_int_equal(watchdog_judge(&w, T0 + 49), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 50), WATCHDOG_IDLE);
}

static void
test_total_is_examined_before_idle(void **state)
{
	struct watchdog w = started(100, 100);

	(void)state;
	assert_int_equal(watchdog_judge(&w, T0 + 100), WATCHDOG_TOTAL);
}

static void
test_signs_of_life_move_the_idle_deadline_only(void **state)
{
	struct watchdog w = started(100, 50);

	(void)state;
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 40);
	assert_int_equal(watchdog_deadline(&w), T0 + 90);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 45), 5);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 80);
	assert_int_equal(watchdog_deadline(&w), T0 + 100);
	assert_int_equal(watchdog_judge(&w, T0 + 99), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 100), WATCHDOG_TOTAL);
}

static void
test_a_sign_that_comes_late_does_not_turn_the_clock_back(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 40);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 10);
	assert_int_equal(watchdog_deadline(&w), T0 + 90);
	watchdog_sign(&w, ACTIVITY_OUTPUT, 0);
	assert_int_equal(watchdog_deadline(&w), T0 + 90);
}

static void
test_kinds_that_do_not_count_are_ignored(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	w.limits.activity = ACTIVITY_HEARTBEAT;
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 40);
	assert_int_equal(watchdog_deadline(&w), T0 + 50);
	assert_false(w.has_beaten);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 40);
	assert_int_equal(watchdog_deadline(&w), T0 + 90);
	assert_true(w.has_beaten);
}

static void
test_idle_from_the_first_beat(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	w.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_judge(&w, T0 + 1000000), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 1000000), 0);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 1000000);
	assert_int_equal(watchdog_deadline(&w), T0 + 1000050);
	assert_int_equal(watchdog_judge(&w, T0 + 1000050), WATCHDOG_IDLE);
}

static void
test_output_does_not_stand_for_the_first_beat(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	w.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 10);
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_judge(&w, T0 + 1000), WATCHDOG_ALIVE);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 1000);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 1010);
	assert_int_equal(watchdog_deadline(&w), T0 + 1060);
}

static void
test_the_first_beat_starts_the_idle_clock_though_beats_do_not_count(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	w.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	w.limits.activity = ACTIVITY_OUTPUT;
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 1000);
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 1020);
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 1030);
	assert_int_equal(watchdog_deadline(&w), T0 + 1080);
}

static void
test_deadlines_are_rounded_up_to_the_check_interval(void **state)
{
	struct watchdog w = started(100, WATCHDOG_OFF);

	(void)state;
	w.limits.check_interval_ns = 300;
	assert_int_equal(watchdog_deadline(&w), 1200);
	w.limits.check_interval_ns = 1100;
	assert_int_equal(watchdog_deadline(&w), 1100);
	w.limits.check_interval_ns = 1;
	assert_int_equal(watchdog_deadline(&w), 1100);
	w.limits.check_interval_ns = WATCHDOG_OFF;
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
}

static void
test_nothing_overflows(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF - 1, WATCHDOG_OFF - 1);

	(void)state;
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_judge(&w, UINT64_MAX), WATCHDOG_ALIVE);
	w.limits.check_interval_ns = 7;
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	w = started(WATCHDOG_OFF, WATCHDOG_OFF);
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	w.started_ns = 0;
	w.last_sign_ns = 0;
	assert_int_equal(watchdog_judge(&w, UINT64_MAX), WATCHDOG_ALIVE);
}

static void
test_a_time_before_the_start_is_no_time(void **state)
{
	struct watchdog w = started(100, 50);

	(void)state;
	assert_int_equal(watchdog_judge(&w, 0), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_idle_ns(&w, 0), 0);
	w = started(0, 50);
	assert_int_equal(watchdog_deadline(&w), T0);
	assert_int_equal(watchdog_judge(&w, T0), WATCHDOG_TOTAL);
}

static void
check_agreement(uint64_t total, uint64_t idle, uint64_t interval)
{
	struct watchdog w = started(total, idle);
	uint64_t at;

	w.limits.check_interval_ns = interval;
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + idle / 2);
	at = watchdog_deadline(&w);
	assert_int_not_equal(watchdog_judge(&w, at), WATCHDOG_ALIVE);
	if (interval == 0)
		assert_int_equal(watchdog_judge(&w, at - 1), WATCHDOG_ALIVE);
	else
		assert_int_equal(at % interval, 0);
}

static void
test_deadline_and_verdict_agree(void **state)
{
	uint64_t total, idle, interval;

	(void)state;
	for (total = 1; total < 20; total++)
		for (idle = 1; idle < 20; idle++)
			for (interval = 0; interval < 7; interval++)
				check_agreement(total, idle, interval);
}

static void
test_clocks_stand_still_while_paused(void **state)
{
	struct watchdog w = started(100, 50);

	(void)state;
	watchdog_pause(&w, T0 + 30);
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_judge(&w, T0 + 1000), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_elapsed_ns(&w, T0 + 1000), 30);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 1000), 30);
	watchdog_pause(&w, T0 + 500); /* it is: this changes nothing */
	watchdog_resume(&w, T0 + 1030);
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	assert_int_equal(watchdog_judge(&w, T0 + 1049), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 1050), WATCHDOG_IDLE);
	watchdog_resume(&w, T0 + 1040); /* it is not paused: neither does this */
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 1049);
	assert_int_equal(watchdog_deadline(&w), T0 + 1099);
	assert_int_equal(watchdog_judge(&w, T0 + 1100), WATCHDOG_TOTAL);
}

static void
test_a_sign_during_a_pause_is_as_old_as_the_pause(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	watchdog_pause(&w, T0 + 10);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 90);
	watchdog_resume(&w, T0 + 100);
	assert_int_equal(watchdog_deadline(&w), T0 + 150);
}

static void
test_an_extension_is_granted_up_to_its_limit(void **state)
{
	struct watchdog w = started(100, WATCHDOG_OFF);

	(void)state;
	assert_false(watchdog_extend(&w, 1000, T0 + 50)); /* max_extend is 0 */
	w.limits.max_extend_ns = 60;
	assert_false(watchdog_extend(&w, 50, T0 + 50)); /* no more than it has */
	assert_int_equal(watchdog_max_total_ns(&w), 100);
	assert_true(watchdog_extend(&w, 70, T0 + 50));
	assert_int_equal(watchdog_max_total_ns(&w), 120);
	assert_false(watchdog_extend(&w, 10, T0 + 60)); /* never takes back */
	assert_int_equal(watchdog_deadline(&w), T0 + 120);
	assert_true(watchdog_extend(&w, UINT64_MAX, T0 + 60));
	assert_int_equal(watchdog_deadline(&w), T0 + 160);
	assert_int_equal(watchdog_judge(&w, T0 + 159), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 160), WATCHDOG_TOTAL);
	/* A little more than it may be, or just as much. */
	w = started(100, WATCHDOG_OFF);
	w.limits.max_extend_ns = 60;
	assert_true(watchdog_extend(&w, 110, T0 + 51));
	assert_int_equal(watchdog_max_total_ns(&w), 160);
	assert_false(watchdog_extend(&w, 111, T0 + 50));
	w = started(WATCHDOG_OFF, 50);
	w.limits.max_extend_ns = 60;
	assert_false(watchdog_extend(&w, 1000, T0 + 10)); /* there is no limit to extend */
	assert_int_equal(watchdog_max_total_ns(&w), WATCHDOG_OFF);
}

static void
test_another_goes_on_where_one_left_off(void **state)
{
	struct watchdog one = started(100, 50), other;

	(void)state;
	one.limits.max_extend_ns = 60;
	one.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	watchdog_sign(&one, ACTIVITY_HEARTBEAT, T0 + 5);
	watchdog_extend(&one, 120, T0 + 10);
	watchdog_pause(&one, T0 + 20);
	watchdog_resume(&one, T0 + 30);
	watchdog_pause(&one, T0 + 40);
	watchdog_restore(&other, &one.limits,
	    &(struct watchdog_past){.started_ns = one.started_ns,
		.last_sign_ns = one.last_sign_ns,
		.granted_ns = one.granted_ns,
		.paused_ns = one.paused_ns,
		.has_beaten = one.has_beaten});
	assert_int_equal(watchdog_deadline(&other), WATCHDOG_OFF);
	watchdog_resume(&one, T0 + 70);
	watchdog_resume(&other, T0 + 70);
	assert_int_equal(watchdog_deadline(&other), watchdog_deadline(&one));
	assert_int_equal(watchdog_max_total_ns(&other), watchdog_max_total_ns(&one));
	assert_int_equal(watchdog_elapsed_ns(&other, T0 + 90), watchdog_elapsed_ns(&one, T0 + 90));
	/* No more than it may have, whatever it is told. */
	watchdog_restore(&other, &one.limits,
	    &(struct watchdog_past){.started_ns = T0, .granted_ns = 1000});
	assert_int_equal(watchdog_max_total_ns(&other), 160);
	assert_false(other.is_paused);
}

static void
test_a_lull_stops_the_idle_clock_alone(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	watchdog_lull(&w, T0 + 30);
	assert_int_equal(watchdog_deadline(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_wake(&w), WATCHDOG_OFF);
	assert_int_equal(watchdog_judge(&w, T0 + 1000), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 1000), 30);
	assert_int_equal(watchdog_elapsed_ns(&w, T0 + 1000), 1000);
	watchdog_lull(&w, T0 + 500); /* it is: this changes nothing */
	watchdog_stir(&w, T0 + 1030);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 1030), 30);
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	assert_int_equal(watchdog_judge(&w, T0 + 1049), WATCHDOG_ALIVE);
	assert_int_equal(watchdog_judge(&w, T0 + 1050), WATCHDOG_IDLE);
	watchdog_stir(&w, T0 + 1040); /* it is not: neither does this */
	assert_int_equal(watchdog_deadline(&w), T0 + 1050);
	w = started(100, 50);
	watchdog_lull(&w, T0 + 10);
	assert_int_equal(watchdog_deadline(&w), T0 + 100);
	assert_int_equal(watchdog_judge(&w, T0 + 100), WATCHDOG_TOTAL);
}

static void
test_a_sign_during_a_lull_is_as_old_as_the_lull(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 50);

	(void)state;
	watchdog_lull(&w, T0 + 30);
	watchdog_sign(&w, ACTIVITY_HEARTBEAT, T0 + 90);
	assert_int_equal(watchdog_idle_ns(&w, T0 + 95), 0);
	watchdog_stir(&w, T0 + 100);
	assert_int_equal(watchdog_deadline(&w), T0 + 150);
}

/* Each way in which a pause may lie beside a lull, by a clock that ticks only when neither is. */
static void
test_lulls_and_pauses_may_overlap_in_any_way(void **state)
{
	uint64_t lull, stir, pause, resume, at, idle, total;

	(void)state;
	for (lull = 1; lull < 7; lull++)
		for (stir = lull; stir < 8; stir++)
			for (pause = 1; pause < 7; pause++)
				for (resume = pause; resume < 8; resume++) {
					struct watchdog w = started(1000, 1000);

					for (at = idle = total = 0; at < 10; at++) {
						if (at == lull)
							watchdog_lull(&w, T0 + at);
						if (at == pause)
							watchdog_pause(&w, T0 + at);
						if (at == stir)
							watchdog_stir(&w, T0 + at);
						if (at == resume)
							watchdog_resume(&w, T0 + at);
						assert_int_equal(watchdog_idle_ns(&w, T0 + at),
						    idle);
						assert_int_equal(watchdog_elapsed_ns(&w, T0 + at),
						    total);
						total += at < pause || at >= resume;
						idle += (at < pause || at >= resume) &&
						    (at < lull || at >= stir);
					}
				}
}

static void
test_another_goes_on_with_a_lull(void **state)
{
	struct watchdog one = started(1000, 50), other;

	(void)state;
	watchdog_sign(&one, ACTIVITY_HEARTBEAT, T0 + 5);
	watchdog_lull(&one, T0 + 20);
	watchdog_stir(&one, T0 + 120);
	watchdog_lull(&one, T0 + 130);
	watchdog_restore(&other, &one.limits,
	    &(struct watchdog_past){.started_ns = one.started_ns,
		.last_sign_ns = one.last_sign_ns,
		.lull_ns = one.lull_ns});
	/* What files tell knows of no lull. */
	watchdog_sign(&other, ACTIVITY_HEARTBEAT, T0 + 5);
	assert_int_equal(watchdog_idle_ns(&other, T0 + 500), 25);
	watchdog_stir(&one, T0 + 500);
	watchdog_stir(&other, T0 + 500);
	assert_int_equal(watchdog_deadline(&other), T0 + 525);
	assert_int_equal(watchdog_deadline(&one), T0 + 525);
}

static void
test_half_of_max_idle_is_marked_once_until_a_sign(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 100);

	(void)state;
	assert_int_equal(watchdog_wake(&w), T0 + 50);
	assert_false(watchdog_is_quiet(&w, T0 + 49));
	assert_true(watchdog_is_quiet(&w, T0 + 50));
	assert_false(watchdog_mark_quiet(&w, T0 + 49));
	assert_true(watchdog_mark_quiet(&w, T0 + 50));
	assert_false(watchdog_mark_quiet(&w, T0 + 51));
	/* Nothing but its deadline wakes anybody up for it now. */
	assert_int_equal(watchdog_wake(&w), T0 + 100);
	watchdog_sign(&w, ACTIVITY_OUTPUT, T0 + 60);
	assert_true(watchdog_mark_quiet(&w, T0 + 60));
	assert_false(watchdog_mark_quiet(&w, T0 + 109));
	assert_int_equal(watchdog_wake(&w), T0 + 110);
}

static void
test_who_may_be_idle_or_is_paused_is_never_quiet(void **state)
{
	struct watchdog w = started(100, WATCHDOG_OFF);

	(void)state;
	assert_int_equal(watchdog_wake(&w), T0 + 100);
	assert_false(watchdog_is_quiet(&w, T0 + 99));
	w = started(WATCHDOG_OFF, 100);
	watchdog_pause(&w, T0 + 10);
	assert_int_equal(watchdog_wake(&w), WATCHDOG_OFF);
	assert_false(watchdog_is_quiet(&w, T0 + 1000));
	watchdog_resume(&w, T0 + 1000);
	assert_int_equal(watchdog_wake(&w), T0 + 1040);
	w = started(WATCHDOG_OFF, 100);
	w.limits.idle_from = IDLE_FROM_FIRST_BEAT;
	assert_int_equal(watchdog_wake(&w), WATCHDOG_OFF);
}

static void
test_the_mark_is_rounded_up_and_never_later_than_the_deadline(void **state)
{
	struct watchdog w = started(WATCHDOG_OFF, 100);

	(void)state;
	w.limits.check_interval_ns = 30;
	assert_int_equal(watchdog_wake(&w), 1050);
	w.limits.check_interval_ns = 5000;
	assert_int_equal(watchdog_wake(&w), 5000);
	w = started(20, 100);
	assert_int_equal(watchdog_wake(&w), T0 + 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clocks_stand_still_while_paused),
	    cmocka_unit_test(test_a_sign_during_a_pause_is_as_old_as_the_pause),
	    cmocka_unit_test(test_an_extension_is_granted_up_to_its_limit),
	    cmocka_unit_test(test_another_goes_on_where_one_left_off),
	    cmocka_unit_test(test_a_lull_stops_the_idle_clock_alone),
	    cmocka_unit_test(test_a_sign_during_a_lull_is_as_old_as_the_lull),
	    cmocka_unit_test(test_lulls_and_pauses_may_overlap_in_any_way),
	    cmocka_unit_test(test_another_goes_on_with_a_lull),
	    cmocka_unit_test(test_defaults_are_those_of_the_manual),
	    cmocka_unit_test(test_limits_are_exact),
	    cmocka_unit_test(test_total_is_examined_before_idle),
	    cmocka_unit_test(test_signs_of_life_move_the_idle_deadline_only),
	    cmocka_unit_test(test_a_sign_that_comes_late_does_not_turn_the_clock_back),
	    cmocka_unit_test(test_kinds_that_do_not_count_are_ignored),
	    cmocka_unit_test(test_idle_from_the_first_beat),
	    cmocka_unit_test(test_output_does_not_stand_for_the_first_beat),
	    cmocka_unit_test(test_the_first_beat_starts_the_idle_clock_though_beats_do_not_count),
	    cmocka_unit_test(test_deadlines_are_rounded_up_to_the_check_interval),
	    cmocka_unit_test(test_nothing_overflows),
	    cmocka_unit_test(test_a_time_before_the_start_is_no_time),
	    cmocka_unit_test(test_deadline_and_verdict_agree),
	    cmocka_unit_test(test_half_of_max_idle_is_marked_once_until_a_sign),
	    cmocka_unit_test(test_who_may_be_idle_or_is_paused_is_never_quiet),
	    cmocka_unit_test(test_the_mark_is_rounded_up_and_never_later_than_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
