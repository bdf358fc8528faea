/*
 * To whom a question is put, and who may answer it.
 */
#include "server/escalation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* root is no job; a is job 1, below it b, job 2, below it c, job 3, which asks. */
static const struct ancestor above[] = {{"b", 2}, {"a", 1}, {"root", 0}};
#define COUNT (sizeof(above) / sizeof(above[0]))

struct world {
	unsigned there; /* bit: job */
	const struct taker *takers;
	size_t count;
};

static bool
is_there(void *arg, int64_t job)
{
	const struct world *w = arg;

	return (w->there >> job & 1) != 0;
}

static bool
is_taken(void *arg, const struct ancestor *a)
{
	const struct world *w = arg;

	for (size_t i = 0; i < w->count; i++)
		if (escalation_is_bound(&w->takers[i], a))
			return true;
	return false;
}

/* With the takers of `mask` out of b, a and root, and the jobs of `there`. */
static size_t
find(unsigned mask, unsigned there)
{
	static const struct taker all[] = {{"b", 2}, {"a", 1}, {"root", 0}};
	struct taker takers[3];
	struct world world = {.there = there, .takers = takers};
	const struct escalation_world w = {is_there, is_taken, &world};

	for (unsigned i = 0; i < 3; i++)
		if ((mask >> i & 1) != 0)
			takers[world.count++] = all[i];
	return escalation_find(above, COUNT, &w);
}

static void
the_nearest_who_is_there_and_takes_is_asked(void **state)
{
	unsigned mask, there;

	(void)state;
	for (mask = 0; mask < 8; mask++)
		for (there = 0; there < 8; there++) {
			size_t expected = COUNT;

			if ((mask & 4) != 0)
				expected = 2;
			if ((mask & 2) != 0 && (there & 2) != 0)
				expected = 1;
			if ((mask & 1) != 0 && (there & 4) != 0)
				expected = 0;
			assert_int_equal(find(mask, there), expected);
		}
}

/* Job 4 has the id of the id at the top, which is no job: it does not speak for that. */
static void
a_job_takes_for_itself_alone(void **state)
{
	const struct taker own = {"root", 4}, outside = {"root", 0}, lying = {"b", 4};

	(void)state;
	assert_false(escalation_is_bound(&own, &above[2]));
	assert_true(escalation_is_bound(&outside, &above[2]));
	assert_false(escalation_is_bound(&lying, &above[0]));
	/* Who is of no job may serve for one. */
	assert_true(escalation_is_bound(&(struct taker){"b", 0}, &above[0]));
	assert_false(escalation_is_bound(&(struct taker){NULL, 0}, &above[2]));
}

static void
who_may_answer(void **state)
{
	const struct taker user = {NULL, 0}, root = {"root", 0}, b = {"b", 2}, asker = {"c", 3},
			   nameless = {NULL, 3};

	(void)state;
	assert_true(escalation_may_answer(&user, NULL));
	assert_true(escalation_may_answer(&user, &above[0]));
	assert_true(escalation_may_answer(&root, &above[2]));
	assert_false(escalation_may_answer(&root, &above[1]));
	assert_false(escalation_may_answer(&root, NULL));
	assert_true(escalation_may_answer(&b, &above[0]));
	assert_false(escalation_may_answer(&b, &above[1]));
	assert_false(escalation_may_answer(&b, NULL));
	for (size_t i = 0; i < COUNT; i++) {
		assert_false(escalation_may_answer(&asker, &above[i]));
		assert_false(escalation_may_answer(&nameless, &above[i]));
	}
	assert_false(escalation_may_answer(&asker, NULL));
	assert_false(escalation_may_answer(&nameless, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_nearest_who_is_there_and_takes_is_asked),
	    cmocka_unit_test(a_job_takes_for_itself_alone),
	    cmocka_unit_test(who_may_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
