/*
 * Whose child a process is, and who is known not to be below the supervisor.
 */
#include "server/outsiders.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_own(void **state)
{
	struct process p;

	(void)state;
	assert_int_equal(process_read(getpid(), &p), 0);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.parent, getppid());
	assert_int_equal(p.session, getsid(0));
	assert_true(p.start_time > 0);
}

static void
test_gone(void **state)
{
	struct process p;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(process_read(child, &p), -ESRCH);
}

/* A number that was given again, and another supervisor, are known of nothing. */
static void
test_known(void **state)
{
	static struct outsiders o;
	struct process shell = {.pid = 100, .start_time = 7}, again = {.pid = 100, .start_time = 8};
	struct process all[OUTSIDERS_MAX + 1];

	(void)state;
	assert_false(outsiders_have(&o, 5, &shell));
	outsiders_set(&o, 5, &shell, 1);
	assert_true(outsiders_have(&o, 5, &shell));
	assert_false(outsiders_have(&o, 6, &shell));
	assert_false(outsiders_have(&o, 5, &again));

	for (int i = 0; i <= OUTSIDERS_MAX; i++)
		all[i] = (struct process){.pid = 200 + i, .start_time = 1};
	outsiders_set(&o, 5, all, OUTSIDERS_MAX + 1);
	assert_false(outsiders_have(&o, 5, &shell));
	assert_true(outsiders_have(&o, 5, &all[OUTSIDERS_MAX - 1]));
	assert_false(outsiders_have(&o, 5, &all[OUTSIDERS_MAX]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_gone),
	    cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
