/*
 * Units of supervisor/report, over a real pair of wires: what is told, in which order, and that nothing is lost
 * when the wire is full.
 */
#include "base/fd.h"
#include "supervisor/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SLOTS 1000

struct world {
	struct slots slots;
	struct report report;
	struct loop loop; /* its timers only */
	int wire[2];
};

static int
set_up(void **state)
{
	static struct world w;

	w.loop = (struct loop){.now_ns = 1000};
	timers_init(&w.loop.timers);
	assert_int_equal(slots_init(&w.slots, SLOTS, &w.loop, NULL), 0);
	report_init(&w.report, SLOTS);
	assert_int_equal(wire_pair(w.wire), 0);
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	slots_fini(&w->slots);
	fd_close(&w->wire[0]);
	fd_close(&w->wire[1]);
	return 0;
}

/* The type of the next message, or -1 if there is none; *ret_job where it has one. */
static int
next(struct world *w, uint64_t *ret_job)
{
	struct wire_message m;
	int fds[WIRE_FDS_MAX], rc;
	const char *why;

	rc = wire_receive(w->wire[1], WIRE_SERVER, &m, fds, &why);
	if (rc == -EAGAIN)
		return -1;
	assert_int_equal(rc, 1);
	/* All that are about a job begin with it. */
	*ret_job = m.job.job;
	return m.type;
}

static struct slot *
take(struct world *w, uint64_t job, enum child_state state)
{
	struct slot *slot = slots_take(&w->slots, job);

	assert_non_null(slot);
	slot->child.state = state;
	if (state != CHILD_STARTING)
		slot->started_wall_ms = 1;
	return slot;
}

static void
test_a_new_server_is_told_everything_in_order(void **state)
{
	struct world *w = *state;
	static const struct {
		int type;
		uint64_t job;
	} expected[] = {{WIRE_STARTED, 1}, {WIRE_STARTED, 2}, {WIRE_ENDED, 2}};
	uint64_t job;
	size_t i;

	take(w, 2, CHILD_OVER);
	take(w, 1, CHILD_RUNNING);
	report_stopping(&w->report);
	report_new_server(&w->report, &w->slots);
	report_reload(&w->report);
	assert_int_equal(report_send(&w->report, w->wire[0]), 0);
	assert_int_equal(next(w, &job), WIRE_HELLO);
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(next(w, &job), expected[i].type);
		assert_int_equal(job, expected[i].job);
	}
	assert_int_equal(next(w, &job), WIRE_SYNCED);
	assert_int_equal(next(w, &job), WIRE_RELOAD);
	assert_int_equal(next(w, &job), WIRE_STOPPING);
	assert_int_equal(next(w, &job), -1);
}

static void
test_synced_waits_for_what_may_have_started(void **state)
{
	struct world *w = *state;
	struct slot *slot = take(w, 1, CHILD_STARTING);
	uint64_t job;

	slot->report_io.fd = 99;
	report_new_server(&w->report, &w->slots);
	report_all(&w->report, &w->slots);
	assert_int_equal(report_send(&w->report, w->wire[0]), 0);
	assert_int_equal(next(w, &job), WIRE_HELLO);
	assert_int_equal(next(w, &job), -1);

	/* What begins later is not waited for. */
	take(w, 2, CHILD_STARTING)->report_io.fd = 98;
	report_slot(&w->report, slot, SLOT_TELL_STANDING);
	report_settled(&w->report, slot);
	assert_int_equal(report_send(&w->report, w->wire[0]), 0);
	assert_int_equal(next(w, &job), WIRE_STARTED);
	assert_int_equal(next(w, &job), WIRE_SYNCED);
	assert_int_equal(next(w, &job), -1);
}

static void
test_a_full_wire_loses_nothing(void **state)
{
	struct world *w = *state;
	unsigned started = 0, ended = 0, stops = 0;
	uint64_t job;
	int i, type, rc;

	for (i = 1; i <= SLOTS; i++)
		take(w, (uint64_t)i, CHILD_OVER);
	report_new_server(&w->report, &w->slots);
	do {
		rc = report_send(&w->report, w->wire[0]);
		assert_true(rc == 0 || rc == -EAGAIN);
		stops += rc == -EAGAIN;
		while ((type = next(w, &job)) != -1) {
			started += type == WIRE_STARTED;
			/* Never before its start. */
			if (type == WIRE_ENDED)
				assert_int_equal(++ended, started);
		}
	} while (rc != 0);
	assert_int_equal(started, SLOTS);
	assert_int_equal(ended, SLOTS);
	assert_true(stops > 0);
}

static void
test_what_is_forgotten_is_not_told(void **state)
{
	struct world *w = *state;
	struct slot *slot = take(w, 1, CHILD_OVER);
	uint64_t job;

	report_slot(&w->report, slot, SLOT_TELL_STANDING | SLOT_TELL_ENDED);
	report_forget(&w->report, slot);
	assert_int_equal(report_send(&w->report, w->wire[0]), 0);
	assert_int_equal(next(w, &job), -1);
}

static void
test_refusals_make_room_once_they_are_told(void **state)
{
	struct world *w = *state;
	struct slot *slot;
	uint64_t i;

	for (i = 1; i <= SLOTS; i++)
		take(w, i, CHILD_RUNNING);
	assert_null(slots_take(&w->slots, SLOTS + 1));
	for (i = 1; i <= SLOTS_REFUSALS; i++) {
		assert_true(slots_has_room(&w->slots));
		slot = slots_take_refusal(&w->slots, SLOTS + i);
		assert_non_null(slot);
		report_slot(&w->report, slot, SLOT_TELL_ENDED);
	}
	assert_false(slots_has_room(&w->slots));
	assert_null(slots_take_refusal(&w->slots, 5000));
	while (report_send(&w->report, w->wire[0]) != 0)
		while (next(w, &i) != -1)
			continue;
	assert_non_null(slots_take_refusal(&w->slots, 5000));
	/* The oldest gave way. */
	assert_null(slots_find(&w->slots, SLOTS + 1));
	assert_non_null(slots_find(&w->slots, SLOTS + 2));
	assert_int_equal(w->slots.used, SLOTS + SLOTS_REFUSALS);
}

/* A line that ends a flood of `count`. */
static void
say(struct world *w, struct slot *slot, const char *text, uint32_t count)
{
	slot->has_lines = true;
	heartbeat_say(slots_heartbeat(&w->slots, slot), text, strlen(text));
	slot->lines += count;
	slots_note_news(&w->slots, slot, SLOT_TELL_PROGRESS);
}

/* What is told in this turn is one PROGRESS: `text`, with so many skipped. */
static void
assert_progress(struct world *w, const char *text, uint32_t skipped)
{
	struct wire_message m;
	int fds[WIRE_FDS_MAX];
	const char *why;

	assert_int_equal(wire_receive(w->wire[1], WIRE_SERVER, &m, fds, &why), 1);
	assert_int_equal(m.type, WIRE_PROGRESS);
	assert_int_equal(m.progress.skipped, skipped);
	assert_int_equal(m.progress.last.len, strlen(text));
	assert_memory_equal(m.progress.last.text, text, strlen(text));
}

static void
turn(struct world *w, uint64_t later_ns)
{
	w->loop.now_ns += later_ns;
	timers_expire(&w->loop.timers, w->loop.now_ns);
	report_news(&w->report, &w->slots);
	assert_int_equal(report_send(&w->report, w->wire[0]), 0);
}

static void
test_of_a_flood_the_last_line_is_told(void **state)
{
	struct world *w = *state;
	struct slot *slot = take(w, 1, CHILD_RUNNING);
	uint64_t job;

	say(w, slot, "first", 1);
	turn(w, 0);
	assert_progress(w, "first", 0);
	say(w, slot, "flood", 1000);
	turn(w, 1);
	say(w, slot, "last", 1);
	turn(w, 1);
	/* Not before its time, for which the loop is woken up once. */
	assert_int_equal(next(w, &job), -1);
	assert_int_equal(timers_next(&w->loop.timers), 1000 + REPORT_NEWS_NS);
	turn(w, REPORT_NEWS_NS - 2);
	assert_progress(w, "last", 1000);
	assert_int_equal(next(w, &job), -1);
	assert_int_equal(timers_next(&w->loop.timers), TIMER_NEVER);
}

static void
test_news_comes_between_the_start_and_the_end(void **state)
{
	struct world *w = *state;
	struct slot *slot = take(w, 1, CHILD_OVER);
	uint64_t job;

	/* Something was told just now. */
	w->report.news_ns = w->loop.now_ns + REPORT_NEWS_NS;
	report_slot(&w->report, slot, SLOT_TELL_STANDING);
	say(w, slot, "bye", 1);
	report_slot(&w->report, slot, SLOT_TELL_ENDED);
	turn(w, 0);
	assert_int_equal(next(w, &job), WIRE_STARTED);
	assert_progress(w, "bye", 0);
	assert_int_equal(next(w, &job), WIRE_ENDED);
	assert_true(TAILQ_EMPTY(&w->slots.news));
	turn(w, REPORT_NEWS_NS);
	assert_int_equal(next(w, &job), -1);
}

static void
test_a_new_server_is_told_the_lines_that_nobody_was(void **state)
{
	struct world *w = *state;
	struct slot *told = take(w, 1, CHILD_RUNNING), *slot = take(w, 2, CHILD_RUNNING);
	uint64_t job;

	say(w, told, "told", 1);
	turn(w, 0);
	assert_progress(w, "told", 0);
	told->watchdog.is_quiet = true;
	say(w, slot, "waits", 3);
	report_slot(&w->report, slot, slots_take_news(&w->slots, slot));
	report_new_server(&w->report, &w->slots);
	turn(w, 0);
	assert_int_equal(next(w, &job), WIRE_HELLO);
	assert_int_equal(next(w, &job), WIRE_STARTED);
	assert_progress(w, "waits", 2);
	assert_int_equal(next(w, &job), WIRE_STARTED);
	/* It has been silent for long, which is so still. */
	assert_int_equal(next(w, &job), WIRE_IDLE);
	assert_int_equal(job, 1);
	assert_int_equal(next(w, &job), WIRE_SYNCED);
}

static void
test_news_of_a_forgotten_job_is_not_told(void **state)
{
	struct world *w = *state;
	struct slot *slot = take(w, 1, CHILD_OVER);
	uint64_t job;

	say(w, slot, "bye", 1);
	report_forget(&w->report, slot);
	slots_give_back(&w->slots, slot);
	turn(w, REPORT_NEWS_NS);
	assert_int_equal(next(w, &job), -1);
}

#define UNIT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    UNIT(test_a_new_server_is_told_everything_in_order),
	    UNIT(test_synced_waits_for_what_may_have_started),
	    UNIT(test_a_full_wire_loses_nothing),
	    UNIT(test_what_is_forgotten_is_not_told),
	    UNIT(test_refusals_make_room_once_they_are_told),
	    UNIT(test_of_a_flood_the_last_line_is_told),
	    UNIT(test_news_comes_between_the_start_and_the_end),
	    UNIT(test_a_new_server_is_told_the_lines_that_nobody_was),
	    UNIT(test_news_of_a_forgotten_job_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
