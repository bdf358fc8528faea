/*
 * Marks as processes carry and inherit them, and the list of children that says whose orphans are left.
 */
#include "supervisor/contain.h"

#include "base/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILDREN 300
#define MARK (WIRE_MARK_LEAST + 4711)

static struct contain contain;

/* A child that has set up its own limit as it was told, and waits; the caller ends it. */
static pid_t
start(int (*set_up)(uint64_t mark), uint64_t mark)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (set_up(mark) != 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int
set_nothing(uint64_t mark)
{
	(void)mark;
	return 0;
}

static int
set_twice(uint64_t mark)
{
	int error = contain_set_mark(mark);

	return error != 0 ? error : contain_set_mark(mark / 2);
}

/* As a job that would not be found lowers what it may. */
static int
set_and_lower(uint64_t mark)
{
	struct rlimit limit = {.rlim_cur = 7, .rlim_max = mark};
	int error = contain_set_mark(mark);

	return error != 0 ? error : setrlimit(RLIMIT_LOCKS, &limit);
}

static void
test_a_mark_is_read_and_those_without_have_none(void **state)
{
	uint64_t mark = MARK, own, read, outer;
	pid_t marked = start(contain_set_mark, mark), plain = start(set_nothing, 0);

	(void)state;
	assert_int_equal(contain_read_mark(marked, &read, &outer), 0);
	assert_true(read == mark);
	assert_int_equal(contain_read_mark(getpid(), &own, &outer), 0);
	assert_int_equal(contain_read_mark(plain, &read, &outer), 0);
	assert_true(read == own && read != mark);
	end(marked);
	end(plain);
}

static void
test_a_zombie_keeps_its_mark_and_who_is_gone_has_none(void **state)
{
	uint64_t mark = MARK, read, outer;
	pid_t pid = start(contain_set_mark, mark);
	siginfo_t info;

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(contain_read_mark(pid, &read, &outer), 0);
	assert_true(read == mark);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(contain_read_mark(pid, &read, &outer), -ESRCH);
}

static void
test_the_outermost_mark_stays_below_another(void **state)
{
	struct rlimit own;
	uint64_t mark = MARK, read, outer, expected;
	pid_t pid = start(set_twice, mark);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_LOCKS, &own), 0);
	expected = own.rlim_max == RLIM_INFINITY ? mark : own.rlim_max;
	assert_int_equal(contain_read_mark(pid, &read, &outer), 0);
	assert_true(read == mark / 2 && outer == expected);
	end(pid);
	pid = start(set_and_lower, mark);
	assert_int_equal(contain_read_mark(pid, &read, &outer), 0);
	assert_true(read == 7 && outer == mark);
	end(pid);
}

/* In a child, for what is lowered stays low. */
static void
test_a_hard_limit_bounds_marks_or_leaves_no_room(void **state)
{
	struct rlimit low = {1 << 21, 1 << 21}, none = {1000, 1000};
	struct contain bounded;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(contain.mark_limit > WIRE_MARK_LEAST);
	assert_true(contain.mark_limit <= UINT64_C(1) << 62);
	if (pid == 0) {
		if (setrlimit(RLIMIT_LOCKS, &low) != 0)
			_exit(1);
		contain_init(&bounded, 2);
		contain_fini(&bounded);
		if (bounded.mark_limit != 1 << 21 || contain_set_mark((1 << 21) - 1) != 0)
			_exit(2);
		if (setrlimit(RLIMIT_LOCKS, &none) != 0)
			_exit(3);
		contain_init(&bounded, 3);
		contain_fini(&bounded);
		_exit(bounded.mark_limit == 0 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct seen {
	pid_t expected[CHILDREN];
	unsigned count;
	unsigned others;
};

static bool
note(void *arg, pid_t pid)
{
	struct seen *seen = arg;
	unsigned i;

	for (i = 0; i < CHILDREN; i++) {
		if (seen->expected[i] == pid) {
			seen->count++;
			return true;
		}
	}
	seen->others++;
	return true;
}

static void
test_all_children_are_seen_once_living_or_dead(void **state)
{
	struct seen seen = {0};
	siginfo_t info;
	unsigned i;

	(void)state;
	for (i = 0; i < CHILDREN; i++) {
		seen.expected[i] = fork();
		if (seen.expected[i] == 0) {
			for (;;)
				pause();
		}
		assert_true(seen.expected[i] > 0);
	}
	kill(seen.expected[1], SIGKILL);
	assert_int_equal(waitid(P_PID, seen.expected[1], &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(contain_children(&contain, note, &seen), 0);
	assert_int_equal(seen.count, CHILDREN);
	assert_int_equal(seen.others, 0);
	for (i = 0; i < CHILDREN; i++)
		end(seen.expected[i]);
	seen.count = 0;
	assert_int_equal(contain_children(&contain, note, &seen), 0);
	assert_int_equal(seen.count + seen.others, 0);
}

static void
test_without_the_list_it_says_so(void **state)
{
	struct contain none = {.base_fd = -1, .children_fd = -1};
	struct seen seen = {0};

	(void)state;
	assert_int_equal(contain_children(&none, note, &seen), -ENOTSUP);
}

static void
test_wishes(void **state)
{
	struct contain none = {.base_fd = -1, .children_fd = -1}, some = {.base_fd = 0};

	(void)state;
	assert_int_equal(contain_choose(&none, WIRE_CONTAIN_AUTO), WIRE_CONTAIN_SUBREAPER);
	assert_int_equal(contain_choose(&some, WIRE_CONTAIN_AUTO), WIRE_CONTAIN_CGROUP);
	assert_int_equal(contain_choose(&none, WIRE_CONTAIN_CGROUP), -ENOTSUP);
	assert_int_equal(contain_choose(&some, WIRE_CONTAIN_CGROUP), WIRE_CONTAIN_CGROUP);
	assert_int_equal(contain_choose(&some, WIRE_CONTAIN_SUBREAPER), WIRE_CONTAIN_SUBREAPER);
	assert_int_equal(contain_choose(&some, WIRE_CONTAIN_GROUP), WIRE_CONTAIN_GROUP);
	assert_int_equal(contain_choose(&some, WIRE_CONTAIN_COUNT), -EINVAL);
}

/* Where a cgroup may be made. */
static void
test_a_cgroup_is_found_in_the_base_of_another_by_its_mark(void **state)
{
	struct limits limits = {.max_memory = WATCHDOG_OFF, .max_processes = WATCHDOG_OFF};
	struct contain other;
	int fd = -1, base_fd = -1;

	(void)state;
	if (contain.base_fd == -1)
		skip();
	contain_init(&other, 2);
	assert_int_equal(contain_open(&contain, 7, MARK + 1, &limits, &fd), 0);
	fd_close(&fd);
	assert_int_equal(contain_open(&other, 7, MARK, &limits, &fd), 0);
	fd_close(&fd);
	assert_int_equal(contain_find_marked(&contain, 8, MARK, &base_fd), -ENOENT);
	assert_int_equal(contain_find_marked(&contain, 7, MARK + 2, &base_fd), -ENOENT);
	assert_int_equal(contain_find_marked(&contain, 7, 0, &base_fd), -ENOENT);
	assert_int_equal(base_fd, -1);
	assert_int_equal(contain_find_marked(&contain, 7, MARK, &base_fd), 0);
	assert_int_equal(contain_is_populated(base_fd, 7), 0);
	assert_int_equal(contain_remove(base_fd, 7), 0);
	assert_int_equal(contain_is_populated(other.base_fd, 7), -ENOENT);
	assert_int_equal(contain_remove(contain.base_fd, 7), 0);
	fd_close(&base_fd);
	contain_fini(&other);
}

static int
set_up_group(void **state)
{
	(void)state;
	contain_init(&contain, 1);
	return contain.children_fd == -1;
}

static int
tear_down_group(void **state)
{
	(void)state;
	contain_fini(&contain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_mark_is_read_and_those_without_have_none),
	    cmocka_unit_test(test_a_zombie_keeps_its_mark_and_who_is_gone_has_none),
	    cmocka_unit_test(test_the_outermost_mark_stays_below_another),
	    cmocka_unit_test(test_a_hard_limit_bounds_marks_or_leaves_no_room),
	    cmocka_unit_test(test_all_children_are_seen_once_living_or_dead),
	    cmocka_unit_test(test_without_the_list_it_says_so),
	    cmocka_unit_test(test_wishes),
	    cmocka_unit_test(test_a_cgroup_is_found_in_the_base_of_another_by_its_mark),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
