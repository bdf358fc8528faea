/* What the supervisor tells of an earlier start is told from what it tells of this one. */
#include "server/echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STARTED_MS 1000

static struct queue_job
job(enum status status, uint64_t mark)
{
	return (struct queue_job){.number = 1, .mark = mark, .status = status};
}

static struct wire_ended
ended(uint64_t mark, uint32_t stage)
{
	return (struct wire_ended){.job = 1,
	    .mark = mark,
	    .started_wall_ms = STARTED_MS,
	    .stage = stage};
}

static void
test_start(void **state)
{
	const struct standing st = {.job = 1, .mark = 7};
	struct queue_job j = job(STATUS_STARTING, 7);

	(void)state;
	assert_false(echo_is_start(&j, &st));
	j.status = STATUS_RUNNING;
	assert_false(echo_is_start(&j, &st));
	j.mark = 8;
	assert_true(echo_is_start(&j, &st));
	j = job(STATUS_SUSPENDED, 0);
	assert_true(echo_is_start(&j, &st));
	j = job(STATUS_QUEUED, 0);
	assert_false(echo_is_start(&j, &st)); /* the store is older */
	j.is_retry = true;
	assert_true(echo_is_start(&j, &st));
	j.is_retry = false;
	j.is_resumed = true;
	assert_true(echo_is_start(&j, &st));
}

static void
test_end(void **state)
{
	struct queue_job j = job(STATUS_RUNNING, 7);
	struct wire_ended m = ended(7, WIRE_STAGE_NONE);

	(void)state;
	assert_false(echo_is_end(&j, &m, STARTED_MS));
	j.status = STATUS_STARTING;
	assert_false(echo_is_end(&j, &m, STARTED_MS)); /* within the same millisecond */
	j.mark = 8;
	assert_true(echo_is_end(&j, &m, 0));
	m.stage = WIRE_STAGE_EXEC;
	assert_true(echo_is_end(&j, &m, 0));
	j.status = STATUS_QUEUED;
	assert_true(echo_is_end(&j, &m, 0));
	j.status = STATUS_SUSPENDED;
	assert_true(echo_is_end(&j, &m, 0));
}

static void
test_end_without_mark(void **state)
{
	struct queue_job j = job(STATUS_STARTING, 0);
	struct wire_ended m = ended(0, WIRE_STAGE_NONE);

	(void)state;
	assert_true(echo_is_end(&j, &m, STARTED_MS));
	assert_false(echo_is_end(&j, &m, 0));
	assert_false(echo_is_end(&j, &m, STARTED_MS - 1));
	j.status = STATUS_RUNNING;
	assert_false(echo_is_end(&j, &m, STARTED_MS));
	j = job(STATUS_STARTING, 7);
	m.stage = WIRE_STAGE_SLOT; /* refused before it had one */
	assert_false(echo_is_end(&j, &m, STARTED_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start),
	    cmocka_unit_test(test_end),
	    cmocka_unit_test(test_end_without_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
