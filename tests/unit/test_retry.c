/*
 * Promises of server/retry: which ends lead to another run, and how long that waits: doubling, within a
 * bound.
 */
#include "server/retry.h"

#include "base/clock.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t
wait_after(uint64_t first_ns, uint32_t retried)
{
	const struct store_order order = {.retry_delay_ns = first_ns, .retried = retried};

	return retry_wait_ns(&order);
}

static void
the_wait_doubles_up_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(wait_after(NSEC_PER_SEC, 0), NSEC_PER_SEC);
	assert_int_equal(wait_after(NSEC_PER_SEC, 1), 2 * NSEC_PER_SEC);
	assert_int_equal(wait_after(NSEC_PER_SEC, 5), 32 * NSEC_PER_SEC);
	assert_int_equal(wait_after(NSEC_PER_SEC, 11), 2048 * NSEC_PER_SEC);
	assert_int_equal(wait_after(NSEC_PER_SEC, 12), RETRY_LONGEST_NS);
	assert_int_equal(wait_after(NSEC_PER_SEC, 999999), RETRY_LONGEST_NS);
	assert_int_equal(wait_after(0, 999999), 0);
}

static void
one_that_was_longer_stays_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(wait_after(2 * RETRY_LONGEST_NS, 0), 2 * RETRY_LONGEST_NS);
	assert_int_equal(wait_after(2 * RETRY_LONGEST_NS, 7), 2 * RETRY_LONGEST_NS);
	assert_int_equal(wait_after(RETRY_LONGEST_NS, 7), RETRY_LONGEST_NS);
}

static void
only_what_was_wished_for_is_run_again(void **state)
{
	struct queue_job j = {.status = STATUS_RUNNING};
	struct store_order order = {.retries = 2, .retried = 1, .retry_on = STORE_RETRY_ERROR};
	struct retry_cause cause = {.status = STATUS_ERROR};

	(void)state;
	assert_true(retry_is_due(&j, &order, &cause));
	cause.status = STATUS_TIMEOUT;
	assert_false(retry_is_due(&j, &order, &cause));
	order.retry_on = STORE_RETRY_TIMEOUT;
	assert_true(retry_is_due(&j, &order, &cause));
	cause.status = STATUS_LOST;
	assert_false(retry_is_due(&j, &order, &cause));
	order.retry_on = STORE_RETRY_ERROR | STORE_RETRY_TIMEOUT | STORE_RETRY_LOST;
	assert_true(retry_is_due(&j, &order, &cause));
	cause.status = STATUS_COMPLETED;
	assert_false(retry_is_due(&j, &order, &cause));
	cause.status = STATUS_CANCELLED;
	assert_false(retry_is_due(&j, &order, &cause));
	cause.status = STATUS_SKIPPED;
	assert_false(retry_is_due(&j, &order, &cause));
}

static void
what_speaks_against_it_wins(void **state)
{
	struct queue_job j = {.status = STATUS_RUNNING};
	struct store_order order = {.retries = 2, .retried = 1, .retry_on = STORE_RETRY_ERROR};
	struct retry_cause cause = {.status = STATUS_ERROR};

	(void)state;
	j.is_cancelled = true;
	assert_false(retry_is_due(&j, &order, &cause));
	j.is_cancelled = false;
	j.status = STATUS_QUEUED; /* cancelled, or skipped, before it was started */
	assert_false(retry_is_due(&j, &order, &cause));
	j.status = STATUS_STARTING;
	assert_true(retry_is_due(&j, &order, &cause));
	cause.has_survivors = true;
	assert_false(retry_is_due(&j, &order, &cause));
	cause.has_survivors = false;
	cause.cause = WIRE_CAUSE_OUTPUT;
	assert_false(retry_is_due(&j, &order, &cause));
	cause.cause = WIRE_CAUSE_NONE;
	order.retried = 2;
	assert_false(retry_is_due(&j, &order, &cause));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_wait_doubles_up_to_an_hour),
	    cmocka_unit_test(one_that_was_longer_stays_as_it_is),
	    cmocka_unit_test(only_what_was_wished_for_is_run_again),
	    cmocka_unit_test(what_speaks_against_it_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
