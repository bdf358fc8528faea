/*
 * Units of supervisor/hunt: what reaches a marked process, outside of any job's group, when a signal
 * comes while a pass with another is under way.
 */
#include "supervisor/hunt.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HAS_NOTHING 0
#define HAS_SIGNAL 1
#define FAILED 2

struct world {
	struct loop loop;
	struct slots slots;
	struct contain contain;
	struct hunt hunt;
	struct slot *slot;
	pid_t pid;
};

static unsigned passes_with_kill;

static void
passed(struct slot *slot)
{
	(void)slot;
	passes_with_kill++;
}

/* SIGUSR1 stays pending. When SIGUSR2 comes it ends, and tells whether the other had come before. */
static _Noreturn void
be_marked(uint64_t mark, int ready_fd)
{
	sigset_t set;
	int signo;

	/* A test that is killed must not leave it behind. */
	alarm(60);
	if (contain_set_mark(mark) != 0 || write(ready_fd, "x", 1) != 1)
		_exit(FAILED);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (sigwait(&set, &signo) != 0 || sigpending(&set) != 0)
		_exit(FAILED);
	_exit(sigismember(&set, SIGUSR1) ? HAS_SIGNAL : HAS_NOTHING);
}

static void
start_marked(struct world *w)
{
	/* Children do not see slots. */
	uint64_t mark = w->slot->mark;
	sigset_t set, before;
	int ends[2];
	char byte;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0)
		be_marked(mark, ends[1]);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
}

static int
set_up(void **state)
{
	static struct world w;

	/* What is waited for comes, or never. */
	alarm(60);
	passes_with_kill = 0;
	w = (struct world){.contain = {.base_fd = -1, .children_fd = -1}};
	assert_int_equal(loop_init(&w.loop), 0);
	assert_int_equal(slots_init(&w.slots, 1, &w.loop, NULL), 0);
	hunt_init(&w.hunt, &w.loop, &w.slots, &w.contain, passed);
	w.slot = slots_take(&w.slots, 1);
	/* Another run of this test at the same time has another. */
	slots_set_mark(&w.slots, w.slot, WIRE_MARK_LEAST + (uint64_t)getpid());
	start_marked(&w);
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
	hunt_forget(&w->hunt, w->slot);
	hunt_fini(&w->hunt);
	slots_fini(&w->slots);
	loop_fini(&w->loop);
	return 0;
}

/* As a pass begins, one that has met nobody yet. */
static void
begin(struct world *w, int signo)
{
	hunt_signal(&w->hunt, w->slot, signo);
	TAILQ_REMOVE(&w->hunt.waiting, w->slot, hunted);
	TAILQ_INSERT_TAIL(&w->hunt.hunted, w->slot, hunted);
	w->slot->hunted_by = signo;
	w->slot->hunt_signal = 0;
}

static void
end_pass(struct world *w)
{
	while (w->slot->hunted_by != 0)
		assert_int_equal(loop_turn(&w->loop, false), 0);
}

/* What the process had got by now, or FAILED. */
static int
ask(struct world *w)
{
	siginfo_t info;

	kill(w->pid, SIGUSR2);
	assert_int_equal(waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOWAIT), 0);
	return info.si_code == CLD_EXITED ? info.si_status : FAILED;
}

static void
a_pass_signals_who_has_the_mark(void **state)
{
	struct world *w = *state;

	begin(w, SIGUSR1);
	end_pass(w);
	assert_false(hunt_is_after(w->slot));
	assert_int_equal(ask(w), HAS_SIGNAL);
}

static void
a_later_signal_replaces_the_one_under_way(void **state)
{
	struct world *w = *state;

	begin(w, SIGUSR1);
	hunt_signal(&w->hunt, w->slot, SIGCONT);
	end_pass(w);
	assert_int_equal(ask(w), HAS_NOTHING);
}

static void
who_is_to_be_killed_gets_no_other_signal(void **state)
{
	struct world *w = *state;

	begin(w, SIGUSR1);
	hunt_signal(&w->hunt, w->slot, SIGKILL);
	end_pass(w);
	assert_int_equal(passes_with_kill, 0);
	assert_true(hunt_is_after(w->slot));
	assert_int_equal(ask(w), HAS_NOTHING);
}

static void
a_kill_goes_out_in_the_next_pass(void **state)
{
	struct world *w = *state;
	siginfo_t info;

	begin(w, SIGUSR1);
	hunt_signal(&w->hunt, w->slot, SIGKILL);
	while (hunt_is_after(w->slot))
		assert_int_equal(loop_turn(&w->loop, false), 0);
	assert_int_equal(passes_with_kill, 1);
	assert_int_equal(w->slot->survivor_count, 1);
	assert_int_equal(w->slot->survivors[0], w->pid);
	assert_int_equal(waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_status, SIGKILL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pass_signals_who_has_the_mark),
	    TEST(a_later_signal_replaces_the_one_under_way),
	    TEST(who_is_to_be_killed_gets_no_other_signal),
	    TEST(a_kill_goes_out_in_the_next_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
