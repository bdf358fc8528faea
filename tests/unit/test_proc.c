/*
 * Processes that are no children of ours: found by number and start time, and how they ended.
 */
#include "supervisor/proc.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CODE 7
#define PATIENCE_MS 60000

/* A child of a middle process that does not reap it before it is told to, and then waits for us. */
struct foreign {
	pid_t middle, pid;
	int reap; /* a byte makes the middle reap; its answer comes through `reaped` */
	int reaped;
	int go; /* the process exits when this is closed */
};

static _Noreturn void
be_middle(const int go[2], const int reap[2], const int reaped[2])
{
	char byte;
	pid_t pid = fork();

	if (pid == 0) {
		close(go[1]);
		close(reap[1]);
		_exit(read(go[0], &byte, 1) == 0 ? CODE : 1);
	}
	close(go[0]);
	close(go[1]);
	if (write(reaped[1], &pid, sizeof(pid)) != sizeof(pid) || read(reap[0], &byte, 1) != 1 ||
	    waitpid(pid, NULL, 0) != pid || write(reaped[1], "x", 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

static struct foreign
start(void)
{
	int go[2], reap[2], reaped[2];
	struct foreign f;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(reap), 0);
	assert_int_equal(pipe(reaped), 0);
	f.middle = fork();
	assert_true(f.middle >= 0);
	if (f.middle == 0)
		be_middle(go, reap, reaped);
	close(go[0]);
	close(reap[0]);
	close(reaped[1]);
	f.go = go[1];
	f.reap = reap[1];
	f.reaped = reaped[0];
	assert_int_equal(read(f.reaped, &f.pid, sizeof(f.pid)), sizeof(f.pid));
	return f;
}

static void
let_exit(struct foreign *f, const struct proc *p)
{
	struct pollfd ready = {.fd = p->pidfd, .events = POLLIN};

	close(f->go);
	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
}

static void
have_reaped(const struct foreign *f)
{
	char byte;

	assert_int_equal(write(f->reap, "x", 1), 1);
	assert_int_equal(read(f->reaped, &byte, 1), 1);
}

static void
finish(const struct foreign *f, struct proc *p)
{
	kill(f->middle, SIGKILL);
	assert_int_equal(waitpid(f->middle, NULL, 0), f->middle);
	close(f->reap);
	close(f->reaped);
	proc_close(p);
}

static struct proc
find(const struct foreign *f, uint64_t *ret_start_time)
{
	struct proc_stat st;
	struct proc p = PROC_NONE;

	assert_int_equal(proc_stat_read(f->pid, &st), 0);
	assert_int_equal(proc_find(f->pid, st.start_time, &p), 0);
	*ret_start_time = st.start_time;
	return p;
}

static void
a_number_alone_finds_nobody(void **state)
{
	struct foreign f = start();
	uint64_t start_time;
	struct proc p = find(&f, &start_time), other = PROC_NONE;

	(void)state;
	assert_int_equal(proc_find(f.pid, start_time + 1, &other), -ESRCH);
	assert_int_equal(other.pidfd, -1);
	let_exit(&f, &p);
	have_reaped(&f);
	assert_int_equal(proc_find(f.pid, start_time, &other), -ESRCH);
	finish(&f, &p);
}

static void
a_foreign_zombie_has_its_status(void **state)
{
	struct proc_abilities none = {0};
	struct foreign f = start();
	uint64_t start_time;
	struct proc p = find(&f, &start_time);
	struct proc_end end;
	int status = -1;

	(void)state;
	assert_int_equal(proc_wait(&p, false, &end), -ECHILD);
	let_exit(&f, &p);
	assert_int_equal(proc_exit_status(&none, &p, start_time, &status), 0);
	assert_int_equal(status, CODE << 8);
	/* Somebody else's status is not taken for its own. */
	assert_int_equal(proc_exit_status(&none, &p, start_time + 1, &status), -ESRCH);
	finish(&f, &p);
}

static void
who_was_reaped_by_others_has_its_status_or_none(void **state)
{
	struct proc_abilities none = {0}, a;
	struct foreign f = start();
	uint64_t start_time;
	struct proc p = find(&f, &start_time);
	int status = -1, rc;

	(void)state;
	assert_int_equal(proc_abilities_detect(&a, NULL), 0);
	let_exit(&f, &p);
	have_reaped(&f);
	assert_int_equal(proc_exit_status(&none, &p, start_time, &status), -ESRCH);
	assert_int_equal(status, -1);
	rc = proc_exit_status(&a, &p, start_time, &status);
	if (a.has_exit_info && rc == 0)
		assert_int_equal(status, CODE << 8);
	else
		assert_int_equal(rc, -ESRCH);
	finish(&f, &p);
}

static void
abilities_can_be_done_without(void **state)
{
	struct proc_abilities a;

	(void)state;
	assert_int_equal(proc_abilities_detect(&a, "clone3 exit-info"), 0);
	assert_false(a.has_clone3 || a.has_exit_info);
	assert_int_equal(proc_abilities_detect(&a, "clone"), 0);
	assert_true(a.has_clone3 && a.has_exit_info);
	assert_int_equal(proc_abilities_detect(&a, "exit-info group-pidfd"), 0);
	assert_false(a.has_group_pidfd || a.has_exit_info);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_alone_finds_nobody),
	    cmocka_unit_test(a_foreign_zombie_has_its_status),
	    cmocka_unit_test(who_was_reaped_by_others_has_its_status_or_none),
	    cmocka_unit_test(abilities_can_be_done_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
