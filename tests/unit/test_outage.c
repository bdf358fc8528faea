/* An outage goes on until there is an answer, or a connection that lasts. */
#include "cli/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void
test_answer(void **state)
{
	struct outage o = {0};

	(void)state;
	assert_true(outage_lose(&o, 10 * S));
	assert_int_equal(outage_length_ns(&o, 13 * S), 3 * S);
	outage_find(&o, 13 * S);
	outage_end(&o);
	assert_true(outage_lose(&o, 13 * S + 1));
	assert_int_equal(outage_length_ns(&o, 13 * S + 1), 0);
}

/* A daemon that ends as soon as it has begun is one outage. */
static void
test_lost_at_once(void **state)
{
	struct outage o = {0};

	(void)state;
	assert_true(outage_lose(&o, 10 * S));
	for (uint64_t t = 10; t < 30; t++) {
		outage_find(&o, t * S);
		assert_false(outage_lose(&o, t * S + S / 2));
	}
	assert_false(outage_lose(&o, 60 * S)); /* nobody was found */
	assert_int_equal(outage_length_ns(&o, 60 * S), 50 * S);
}

/* Who waits for a job is lost twice, far apart, without an answer in between. */
static void
test_lost_later(void **state)
{
	struct outage o = {0};

	(void)state;
	assert_true(outage_lose(&o, 10 * S));
	outage_find(&o, 11 * S);
	assert_true(outage_lose(&o, 11 * S + OUTAGE_LASTING_NS));
	assert_int_equal(outage_length_ns(&o, 13 * S), S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_lost_at_once),
	    cmocka_unit_test(test_lost_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
