/*
 * test_child: walks every cell of the table of a job's states, and the promises that follow from it.
 */
#include "supervisor/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CAUSES 5
#define STOP (CHILD_TELL_STANDING | CHILD_SIGNAL | CHILD_ARM_GRACE)

/* What the table must say; where nothing is written the event is out of place. */
static const struct {
	enum child_state state;
	enum child_event event;
	enum child_state next;
	unsigned actions;
} expected[] = {
    {CHILD_FREE, CHILD_CLONED, CHILD_STARTING, 0},
    {CHILD_FREE, CHILD_NOT_EXECUTED, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_FREE, CHILD_ADOPTED, CHILD_RUNNING, CHILD_TELL_STANDING | CHILD_WATCH},
    {CHILD_FREE, CHILD_ADOPTED_PAUSED, CHILD_PAUSED, CHILD_TELL_STANDING | CHILD_WATCH},
    {CHILD_FREE, CHILD_ADOPTED_ENDING, CHILD_ENDING, CHILD_TELL_STANDING | CHILD_ARM_GRACE},
    {CHILD_STARTING, CHILD_EXECUTED, CHILD_RUNNING, CHILD_TELL_STANDING | CHILD_WATCH},
    {CHILD_STARTING, CHILD_NOT_EXECUTED, CHILD_LEAVING, 0},
    {CHILD_STARTING, CHILD_LEADER_EXITED, CHILD_LEAVING, CHILD_PROBE},
    {CHILD_STARTING, CHILD_CANCEL, CHILD_KILLING,
	CHILD_BLAME | CHILD_KILL_LEADER | CHILD_ARM_PATIENCE},
    {CHILD_RUNNING, CHILD_LEADER_EXITED, CHILD_LEAVING, CHILD_PROBE},
    {CHILD_RUNNING, CHILD_LEFTOVERS_WAIT, CHILD_RUNNING, 0},
    {CHILD_RUNNING, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_RUNNING, CHILD_TOTAL_PASSED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_RUNNING, CHILD_IDLE_PASSED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_RUNNING, CHILD_TRIGGERED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_RUNNING, CHILD_OUTPUT_PASSED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_RUNNING, CHILD_CANCEL, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_RUNNING, CHILD_PAUSE, CHILD_PAUSED, CHILD_TELL_STANDING | CHILD_STOP},
    {CHILD_RUNNING, CHILD_UNPAUSE, CHILD_RUNNING, 0},
    {CHILD_PAUSED, CHILD_LEADER_EXITED, CHILD_LEAVING,
	CHILD_TELL_STANDING | CHILD_PROBE | CHILD_CONTINUE},
    {CHILD_PAUSED, CHILD_LEFTOVERS_WAIT, CHILD_PAUSED, 0},
    {CHILD_PAUSED, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_PAUSED, CHILD_TRIGGERED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_PAUSED, CHILD_OUTPUT_PASSED, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_PAUSED, CHILD_CANCEL, CHILD_ENDING, CHILD_BLAME | STOP},
    {CHILD_PAUSED, CHILD_PAUSE, CHILD_PAUSED, CHILD_STOP},
    {CHILD_PAUSED, CHILD_UNPAUSE, CHILD_RUNNING, CHILD_TELL_STANDING | CHILD_CONTINUE},
    {CHILD_LEAVING, CHILD_LEADER_EXITED, CHILD_LEAVING, CHILD_PROBE},
    {CHILD_LEAVING, CHILD_LEFTOVERS, CHILD_ENDING, STOP},
    {CHILD_LEAVING, CHILD_LEFTOVERS_WAIT, CHILD_RUNNING, CHILD_TELL_STANDING | CHILD_WATCH},
    {CHILD_LEAVING, CHILD_LEFTOVERS_LEAVE, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_LEAVING, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_ENDING, CHILD_LEADER_EXITED, CHILD_ENDING, CHILD_PROBE},
    {CHILD_ENDING, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_ENDING, CHILD_GRACE_PASSED, CHILD_KILLING, CHILD_KILL | CHILD_ARM_PATIENCE},
    {CHILD_ENDING, CHILD_LEFTOVERS, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_LEFTOVERS_WAIT, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_LEFTOVERS_LEAVE, CHILD_ENDING, 0},
    {CHILD_KILLING, CHILD_EXECUTED, CHILD_KILLING, CHILD_TELL_STANDING | CHILD_KILL},
    {CHILD_KILLING, CHILD_NOT_EXECUTED, CHILD_KILLING, 0},
    {CHILD_KILLING, CHILD_NOTHING_HELPS, CHILD_STUCK, CHILD_TELL_ENDED},
    {CHILD_STUCK, CHILD_EXECUTED, CHILD_STUCK, CHILD_KILL},
    {CHILD_STUCK, CHILD_NOT_EXECUTED, CHILD_STUCK, 0},
    {CHILD_KILLING, CHILD_LEADER_EXITED, CHILD_KILLING, CHILD_PROBE},
    {CHILD_KILLING, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_KILLING, CHILD_LEFTOVERS, CHILD_KILLING, CHILD_KILL},
    {CHILD_KILLING, CHILD_LEFTOVERS_WAIT, CHILD_KILLING, CHILD_KILL},
    {CHILD_KILLING, CHILD_LEFTOVERS_LEAVE, CHILD_KILLING, CHILD_KILL},
    {CHILD_STUCK, CHILD_LEADER_EXITED, CHILD_STUCK, CHILD_PROBE},
    {CHILD_STUCK, CHILD_TREE_EMPTY, CHILD_OVER, CHILD_TELL_ENDED},
    {CHILD_STUCK, CHILD_LEFTOVERS, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_LEFTOVERS_WAIT, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_LEFTOVERS_LEAVE, CHILD_STUCK, 0},
    {CHILD_LEAVING, CHILD_TRIGGERED, CHILD_LEAVING, 0},
    {CHILD_LEAVING, CHILD_OUTPUT_PASSED, CHILD_LEAVING, 0},
    {CHILD_LEAVING, CHILD_CANCEL, CHILD_LEAVING, 0},
    {CHILD_LEAVING, CHILD_PAUSE, CHILD_LEAVING, 0},
    {CHILD_LEAVING, CHILD_UNPAUSE, CHILD_LEAVING, 0},
    {CHILD_ENDING, CHILD_TRIGGERED, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_OUTPUT_PASSED, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_CANCEL, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_PAUSE, CHILD_ENDING, 0},
    {CHILD_ENDING, CHILD_UNPAUSE, CHILD_ENDING, 0},
    {CHILD_KILLING, CHILD_TRIGGERED, CHILD_KILLING, 0},
    {CHILD_KILLING, CHILD_OUTPUT_PASSED, CHILD_KILLING, 0},
    {CHILD_KILLING, CHILD_CANCEL, CHILD_KILLING, 0},
    {CHILD_KILLING, CHILD_PAUSE, CHILD_KILLING, 0},
    {CHILD_KILLING, CHILD_UNPAUSE, CHILD_KILLING, 0},
    {CHILD_STUCK, CHILD_TRIGGERED, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_OUTPUT_PASSED, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_CANCEL, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_PAUSE, CHILD_STUCK, 0},
    {CHILD_STUCK, CHILD_UNPAUSE, CHILD_STUCK, 0},
    {CHILD_OVER, CHILD_TRIGGERED, CHILD_OVER, 0},
    {CHILD_OVER, CHILD_OUTPUT_PASSED, CHILD_OVER, 0},
    {CHILD_OVER, CHILD_CANCEL, CHILD_OVER, 0},
    {CHILD_OVER, CHILD_PAUSE, CHILD_OVER, 0},
    {CHILD_OVER, CHILD_UNPAUSE, CHILD_OVER, 0},
    {CHILD_OVER, CHILD_FORGET, CHILD_FREE, CHILD_RELEASE},
};

#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static size_t
find(int state, int event)
{
	size_t i;

	for (i = 0; i < EXPECTED; i++)
		if ((int)expected[i].state == state && (int)expected[i].event == event)
			break;
	return i;
}

static void
every_cell_says_what_is_promised(void **state)
{
	struct child c;
	size_t found;
	int from, event;
	unsigned actions;

	(void)state;
	for (from = 0; from < CHILD_STATE_COUNT; from++) {
		for (event = 0; event < CHILD_EVENT_COUNT; event++) {
			c = (struct child){(enum child_state)from, CHILD_EVENT_COUNT};
			actions = child_step(&c, (enum child_event)event);
			found = find(from, event);
			if (found == EXPECTED) {
				assert_int_equal(actions, CHILD_COMPLAIN);
				assert_int_equal(c.state, from);
				continue;
			}
			assert_int_equal(actions, expected[found].actions);
			assert_int_equal(c.state, expected[found].next);
		}
	}
}

static void
the_first_cause_stands(void **state)
{
	static const enum child_event causes[] = {CHILD_TOTAL_PASSED, CHILD_IDLE_PASSED,
	    CHILD_TRIGGERED, CHILD_OUTPUT_PASSED, CHILD_CANCEL};
	struct child c;
	size_t i, j;

	(void)state;
	for (i = 0; i < CAUSES; i++) {
		for (j = 0; j < CAUSES; j++) {
			child_init(&c);
			child_step(&c, CHILD_CLONED);
			child_step(&c, CHILD_EXECUTED);
			child_step(&c, causes[i]);
			child_step(&c, causes[j]);
			child_step(&c, CHILD_LEADER_EXITED);
			child_step(&c, CHILD_CANCEL);
			child_step(&c, CHILD_TREE_EMPTY);
			child_step(&c, CHILD_CANCEL);
			assert_int_equal(c.state, CHILD_OVER);
			assert_int_equal(c.cause, causes[i]);
		}
	}
}

static void
a_cancel_after_the_exit_is_no_cause(void **state)
{
	struct child c;

	(void)state;
	child_init(&c);
	child_step(&c, CHILD_CLONED);
	child_step(&c, CHILD_EXECUTED);
	child_step(&c, CHILD_LEADER_EXITED);
	child_step(&c, CHILD_CANCEL);
	child_step(&c, CHILD_LEFTOVERS);
	child_step(&c, CHILD_CANCEL);
	child_step(&c, CHILD_TREE_EMPTY);
	assert_int_equal(c.cause, CHILD_EVENT_COUNT);
}

/*
 * Whatever comes in whatever order: a start is told before any end, the tree's end is told once, a
 * hopeless one's once before it, and forgetting frees.
 */
static void
every_order_ends_in_one_end(void **state)
{
	unsigned seed, i, ended, stuck, actions;
	uint32_t random;
	struct child c;

	(void)state;
	for (seed = 1; seed < 20000; seed++) {
		random = seed * 2654435761u;
		ended = stuck = 0;
		child_init(&c);
		child_step(&c, CHILD_CLONED);
		for (i = 0; i < 60; i++) {
			random = random * 1664525u + 1013904223u;
			actions = child_step(&c, (enum child_event)((random >> 16) % CHILD_FORGET));
			if ((actions & CHILD_TELL_STANDING) != 0)
				assert_int_equal(ended + stuck, 0);
			if ((actions & CHILD_TELL_ENDED) != 0 && c.state == CHILD_STUCK)
				stuck++;
			else
				ended += (actions & CHILD_TELL_ENDED) != 0;
			assert_true(stuck <= 1);
			assert_int_equal(ended, c.state == CHILD_OVER);
			assert_int_equal(actions & CHILD_RELEASE, 0);
			assert_int_equal(child_is_live(&c), !ended);
		}
		if (c.state != CHILD_OVER)
			continue;
		assert_int_equal(child_step(&c, CHILD_FORGET), CHILD_RELEASE);
		assert_false(child_is_live(&c));
	}
}

/* Clocks: what a pause stops, something that leaves the pause alive starts again. */
static void
a_pause_ends_in_going_on_or_in_an_end(void **state)
{
	struct child c;
	int event;
	unsigned actions;

	(void)state;
	for (event = 0; event < CHILD_EVENT_COUNT; event++) {
		c = (struct child){CHILD_PAUSED, CHILD_EVENT_COUNT};
		actions = child_step(&c, (enum child_event)event);
		if (c.state == CHILD_PAUSED)
			continue;
		assert_int_not_equal(actions & (CHILD_CONTINUE | CHILD_SIGNAL | CHILD_TELL_ENDED),
		    0);
	}
}

static void
all_have_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CHILD_STATE_COUNT; i++)
		assert_non_null(child_state_name((enum child_state)i));
	for (i = 0; i < CHILD_EVENT_COUNT; i++)
		assert_non_null(child_event_name((enum child_event)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_says_what_is_promised),
	    cmocka_unit_test(the_first_cause_stands),
	    cmocka_unit_test(a_cancel_after_the_exit_is_no_cause),
	    cmocka_unit_test(every_order_ends_in_one_end),
	    cmocka_unit_test(a_pause_ends_in_going_on_or_in_an_end),
	    cmocka_unit_test(all_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
