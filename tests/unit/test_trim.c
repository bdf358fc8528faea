/*
 * test_trim: a growing file keeps to its limit: what is freed is old, whole blocks, and seldom;
 * looks come before it is over, and cease where it is quiet.
 */
#include "server/trim.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KIB UINT64_C(1024)
#define BLOCK (4 * KIB)
#define START (1000 * NSEC_PER_SEC)

static struct trim_file
file(uint64_t size, uint64_t begin)
{
	return (struct trim_file){.size = size,
	    .begin = begin,
	    .room = size - begin + BLOCK,
	    .block = BLOCK};
}

/* The smallest excess at which something is freed, for a limit. */
static uint64_t
first_excess(uint64_t max_output, bool is_strict, uint64_t block)
{
	struct trim t = {.max_output = max_output, .is_strict = is_strict};
	struct trim_file f = file(max_output, 0);

	f.block = block;
	while (!trim_is_over(&t, &f)) {
		f.size++;
		f.room++;
	}
	return f.size - max_output;
}

static void
a_step_is_an_eighth_or_what_is_worth_it(void **state)
{
	(void)state;
	assert_int_equal(first_excess(1024 * KIB, false, BLOCK), 128 * KIB + 1);
	assert_int_equal(first_excess(256 * KIB, false, BLOCK), 64 * KIB + 1);
	assert_int_equal(first_excess(64 * KIB, false, BLOCK), 32 * KIB + 1);
	assert_int_equal(first_excess(KIB, false, BLOCK), BLOCK + 1);
	assert_int_equal(first_excess(64 * KIB, false, 1024 * KIB), 1024 * KIB + 1);
	assert_int_equal(first_excess(64 * KIB, true, BLOCK), 1);
}

static void
the_newest_bytes_stay_and_less_than_a_block_more(void **state)
{
	struct trim t = {.max_output = 64 * KIB};

	(void)state;
	for (uint64_t size = 97 * KIB; size < 400 * KIB; size += 777) {
		struct trim_file f = file(size, 0);
		uint64_t to = trim_to(&t, &f);

		assert_int_equal(to % BLOCK, 0);
		assert_true(size - to >= t.max_output);
		assert_true(size - to < t.max_output + BLOCK);
	}
}

static void
what_is_freed_already_takes_no_room(void **state)
{
	struct trim t = {.max_output = 64 * KIB};
	struct trim_file f = file(1000 * KIB, 920 * KIB);

	(void)state;
	assert_int_equal(trim_to(&t, &f), 0);
	f = file(1017 * KIB, 920 * KIB);
	assert_int_equal(trim_to(&t, &f), 952 * KIB);
	f.begin = f.size; /* nothing but a hole */
	assert_int_equal(trim_to(&t, &f), 0);
}

static void
a_file_with_holes_of_its_own_is_let_alone(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .is_strict = true};
	struct trim_file f = file(1024 * 1024 * KIB, 0);

	(void)state;
	f.room = 8 * KIB;
	assert_false(trim_is_over(&t, &f));
	assert_int_equal(trim_to(&t, &f), 0);
}

static void
less_than_a_block_over_cannot_be_freed(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .is_strict = true};
	struct trim_file f = file(64 * KIB + 100, 0);

	(void)state;
	assert_true(trim_is_over(&t, &f));
	assert_int_equal(trim_to(&t, &f), 0);
}

static void
far_from_the_limit_it_is_looked_at_each_second(void **state)
{
	struct trim t = {.max_output = 65536 * KIB, .looked_ns = START};
	struct trim_file f = file(10 * KIB, 0);

	(void)state;
	assert_int_equal(trim_next(&t, &f, START + NSEC_PER_SEC), START + 2 * NSEC_PER_SEC);
}

static void
near_the_limit_it_is_looked_at_when_it_will_be_over(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .size = 46 * KIB, .looked_ns = START};
	struct trim_file f = file(56 * KIB, 0);

	/* 10 KiB in 100 ms; 40 KiB are left. */
	(void)state;
	assert_int_equal(trim_next(&t, &f, START + 100 * NSEC_PER_MSEC),
	    START + 500 * NSEC_PER_MSEC);
}

static void
a_flood_costs_no_more_than_fifty_looks_a_second(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .looked_ns = START};
	struct trim_file f = file(1024 * 1024 * KIB, 1024 * 1024 * KIB - 64 * KIB);

	(void)state;
	assert_int_equal(trim_next(&t, &f, START + NSEC_PER_MSEC), START + 21 * NSEC_PER_MSEC);
}

static void
what_cannot_be_helped_is_no_hurry(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .looked_ns = START};
	struct trim_file f = file(1024 * KIB, 0);

	(void)state;
	assert_int_equal(trim_next(&t, &f, START + NSEC_PER_MSEC), START + 1001 * NSEC_PER_MSEC);
}

static void
a_pause_between_bursts_is_waited_out_step_by_step(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .size = 40 * KIB, .looked_ns = START};
	struct trim_file f = file(90 * KIB, 0);
	uint64_t now = START + 100 * NSEC_PER_MSEC;
	uint64_t next = trim_next(&t, &f, now);

	(void)state;
	assert_int_equal(next, now + 20 * NSEC_PER_MSEC);
	now = next;
	next = trim_next(&t, &f, now);
	assert_int_equal(next, now + 40 * NSEC_PER_MSEC);
}

static void
a_quiet_file_is_not_looked_at(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .looked_ns = START};
	struct trim_file f = file(0, 0);
	uint64_t now = START + NSEC_PER_SEC, next;
	int looks = 0;

	(void)state;
	assert_true(trim_next(&t, &f, now) == TRIM_QUIET);
	next = trim_wake(&t, now);
	assert_int_equal(next, now + 50 * NSEC_PER_MSEC);
	f = file(100, 0);
	while (next != TRIM_QUIET) {
		now = next;
		next = trim_next(&t, &f, now);
		assert_true(++looks < 20);
	}
	assert_true(now >= START + 3 * NSEC_PER_SEC);
}

static void
a_file_that_was_cut_short_is_not_quiet(void **state)
{
	struct trim t = {.max_output = 64 * KIB, .size = 50 * KIB, .looked_ns = START};
	struct trim_file f = file(0, 0);

	(void)state;
	assert_true(trim_next(&t, &f, START + NSEC_PER_SEC) != TRIM_QUIET);
	assert_int_equal(t.size, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_step_is_an_eighth_or_what_is_worth_it),
	    cmocka_unit_test(the_newest_bytes_stay_and_less_than_a_block_more),
	    cmocka_unit_test(what_is_freed_already_takes_no_room),
	    cmocka_unit_test(a_file_with_holes_of_its_own_is_let_alone),
	    cmocka_unit_test(less_than_a_block_over_cannot_be_freed),
	    cmocka_unit_test(far_from_the_limit_it_is_looked_at_each_second),
	    cmocka_unit_test(near_the_limit_it_is_looked_at_when_it_will_be_over),
	    cmocka_unit_test(a_flood_costs_no_more_than_fifty_looks_a_second),
	    cmocka_unit_test(what_cannot_be_helped_is_no_hurry),
	    cmocka_unit_test(a_pause_between_bursts_is_waited_out_step_by_step),
	    cmocka_unit_test(a_quiet_file_is_not_looked_at),
	    cmocka_unit_test(a_file_that_was_cut_short_is_not_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
