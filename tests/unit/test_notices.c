/*
 * Units of supervisor/notices: whose a datagram is, what it does, how a flood is muted, and that a
 * verdict waits for what was not read yet. The job is a cat(1): each packet that it reads becomes a
 * datagram. This process is the stranger.
 */
#include "supervisor/notices.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "wire/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* It has a struct of the name that supervisor/linger.h gives to another. */
#define linger socket_linger
#include <sys/socket.h>
#undef linger

#define JOB 7

struct world {
	struct loop loop;
	struct brood brood;
	struct notices notices;
	struct slot *slot;
	pid_t child;
	int ends[2];      /* datagrams go into the first */
	int orders[2];    /* packets for the job go into the first */
	uint64_t mute_ns; /* how much longer a flood is muted */
	int log_fd;       /* standard error, which is the log's, while a test runs */
};

static int
make_launch(void)
{
	static char *const argv[] = {"/bin/cat", NULL}, *const env[] = {NULL};
	struct launch launch = {.directory = "/",
	    .stdin_path = "/dev/null",
	    .argv = (char **)(uintptr_t)argv,
	    .env = (char **)(uintptr_t)env};
	void *block;
	size_t len;
	int fd;

	assert_int_equal(launch_pack(&launch, &block, &len), 0);
	fd = launch_to_memfd(block, len);
	assert_true(fd >= 0);
	free(block);
	return fd;
}

static void
start_job(struct world *w)
{
	struct wire_spawn spawn = {.job = JOB};
	int fds[WIRE_FD_COUNT], beats[2];

	limits_default(&spawn.limits);
	spawn.limits.max_extend_ns = 60 * NSEC_PER_SEC;
	assert_int_equal(pipe2(beats, O_CLOEXEC | O_NONBLOCK), 0);
	fds[WIRE_FD_LAUNCH] = make_launch();
	fds[WIRE_FD_STDIN] = dup(w->orders[1]);
	fds[WIRE_FD_OUTPUT] = dup(w->ends[0]);
	fds[WIRE_FD_BEATS] = beats[0];
	fds[WIRE_FD_CHILD_BEATS] = beats[1];
	fds[WIRE_FD_DIRECTORY] = open("/", O_PATH | O_CLOEXEC);
	brood_spawn(&w->brood, &spawn, fds);
	w->slot = slots_find(&w->brood.slots, JOB);
	assert_non_null(w->slot);
	w->child = w->slot->proc.pid;
	while (w->slot->child.state == CHILD_STARTING)
		assert_int_equal(loop_turn(&w->loop, false), 0);
	assert_int_equal(w->slot->child.state, CHILD_RUNNING);
}

static int
set_up(void **state)
{
	static struct world w;
	struct proc_abilities abilities;
	int on = 1, null_fd;

	/* What is waited for comes, or never. */
	alarm(60);
	w = (struct world){.log_fd = dup(STDERR_FILENO)};
	log_init("test", false);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null_fd, STDERR_FILENO);
	fd_close(&null_fd);
	assert_int_equal(proc_abilities_detect(&abilities, NULL), 0);
	assert_int_equal(loop_init(&w.loop), 0);
	assert_int_equal(brood_init(&w.brood, &w.loop, &abilities, 4, 1024), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w.ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w.orders), 0);
	assert_int_equal(setsockopt(w.ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(notices_init(&w.notices, &w.brood, w.ends[1]), 0);
	start_job(&w);
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	kill(w->child, SIGKILL);
	waitpid(w->child, NULL, 0);
	brood_fini(&w->brood);
	loop_fini(&w->loop);
	fd_close(&w->ends[0]);
	fd_close(&w->ends[1]);
	fd_close(&w->orders[0]);
	fd_close(&w->orders[1]);
	dup2(w->log_fd, STDERR_FILENO);
	fd_close(&w->log_fd);
	return 0;
}

static void
say_bytes(struct world *w, const void *data, size_t len)
{
	assert_int_equal(send(w->orders[0], data, len, 0), len);
}

static void
say(struct world *w, const char *text)
{
	say_bytes(w, text, strlen(text));
}

/* Whether there was room for it. */
static bool
say_as_stranger(struct world *w, const char *text)
{
	return send(w->ends[0], text, strlen(text), MSG_DONTWAIT) >= 0;
}

static void
turn(struct world *w, bool is_polling)
{
	assert_int_equal(loop_turn(&w->loop, is_polling), 0);
}

static void
wait_for_datagram(struct world *w)
{
	struct pollfd p = {.fd = w->ends[1], .events = POLLIN};

	assert_int_equal(poll(&p, 1, 60000), 1);
}

/* What waits in the socket, or comes, is read as in a turn of the loop, but that no time passes. */
static void
read_now(struct world *w)
{
	wait_for_datagram(w);
	w->notices.io.ready(w->notices.io.arg, EPOLLIN);
}

/* What the job says next, in a turn of the loop. */
static void
hear(struct world *w, const char *text)
{
	say(w, text);
	turn(w, false);
}

static bool
has_line(struct world *w, const char *line)
{
	const struct heartbeat *h = slots_heartbeat(&w->brood.slots, w->slot);

	return w->slot->has_lines && h->last_len == strlen(line) &&
	    memcmp(h->last, line, h->last_len) == 0;
}

/* Until the socket is muted, and nothing lies in it. */
static void
flood(struct world *w)
{
	while (!w->notices.unmute.is_armed) {
		while (say_as_stranger(w, "WATCHDOG=trigger"))
			continue;
		read_now(w);
	}
	w->brood.last_look(w->brood.last_look_arg);
	/* As long as the test takes. */
	timer_arm(&w->loop.timers, &w->notices.unmute, w->notices.unmute.at_ns + w->mute_ns);
}

/* The job says it while nobody listens, and its idle limit passes. */
static void
say_too_late(struct world *w, const char *text)
{
	w->mute_ns = 60 * NSEC_PER_SEC;
	flood(w);
	say(w, text);
	wait_for_datagram(w);
	/* It has been idle since the machine was started, which may be less than the limit ago. */
	w->slot->watchdog.limits.max_idle_ns = w->loop.now_ns;
	w->slot->watchdog.last_sign_ns = 0;
	timer_arm(&w->loop.timers, &w->slot->deadline, w->loop.now_ns);
	turn(w, true);
}

static void
a_notice_is_a_sign_of_life_and_a_line(void **state)
{
	struct world *w = *state;
	uint64_t before_ns = w->slot->watchdog.last_sign_ns;

	hear(w, "READY=1\nSTATUS=going on");
	assert_true(w->slot->watchdog.last_sign_ns > before_ns);
	assert_true(w->slot->watchdog.has_beaten);
	assert_true(has_line(w, "phase=ready message=going on"));
	/* No timer beside the deadline: nothing wakes up for it later. */
	assert_int_equal(timers_next(&w->loop.timers), w->slot->deadline.at_ns);
	before_ns = w->slot->watchdog.last_sign_ns;
	hear(w, "WATCHDOG=0\nX=1");
	assert_int_equal(w->slot->watchdog.last_sign_ns, before_ns);
}

static void
strangers_and_rubbish_are_dropped(void **state)
{
	static char big[NOTICE_MAX + 1];
	struct world *w = *state;
	uint64_t before_ns = w->slot->watchdog.last_sign_ns;

	memset(big, 'x', sizeof(big));
	memcpy(big, "WATCHDOG=1\n", 11);
	say_bytes(w, big, sizeof(big));
	say_bytes(w, "WATCHDOG=1\0x", 12);
	assert_true(say_as_stranger(w, "WATCHDOG=1"));
	assert_true(say_as_stranger(w, "WATCHDOG=trigger"));
	/* The first is logged; the others would be, a second later. */
	while (w->notices.dropped < 3)
		read_now(w);
	assert_int_equal(w->slot->watchdog.last_sign_ns, before_ns);
	assert_int_equal(w->slot->child.state, CHILD_RUNNING);
}

static void
a_request_for_time_moves_the_deadline(void **state)
{
	struct world *w = *state;
	uint64_t started_ns = w->slot->watchdog.started_ns;

	w->slot->watchdog.limits.max_idle_ns = WATCHDOG_OFF;
	w->slot->watchdog.limits.max_total_ns = 600 * NSEC_PER_SEC;
	hear(w, "EXTEND_TIMEOUT_USEC=1");
	assert_int_equal(watchdog_max_total_ns(&w->slot->watchdog), 600 * NSEC_PER_SEC);
	hear(w, "EXTEND_TIMEOUT_USEC=3600000000");
	assert_int_equal(w->slot->deadline.at_ns, started_ns + 660 * NSEC_PER_SEC);
}

static void
a_trigger_ends_the_job(void **state)
{
	struct world *w = *state;
	siginfo_t info;

	hear(w, "WATCHDOG=trigger");
	assert_int_equal(w->slot->child.state, CHILD_ENDING);
	assert_int_equal(w->slot->child.cause, CHILD_TRIGGERED);
	assert_true(w->slot->verdict_ns > 0);
	assert_int_equal(waitid(P_PID, (id_t)w->child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_status, SIGTERM);
}

static void
a_flood_is_muted_and_the_job_heard_again(void **state)
{
	struct world *w = *state;
	uint64_t until_ns;

	flood(w);
	until_ns = w->notices.unmute.at_ns;
	say(w, "STATUS=late");
	while (!has_line(w, "message=late"))
		turn(w, false);
	assert_true(w->loop.now_ns >= until_ns);
}

static void
no_verdict_before_what_waits_was_read(void **state)
{
	struct world *w = *state;

	say_too_late(w, "WATCHDOG=1");
	assert_int_equal(w->slot->child.state, CHILD_RUNNING);
	assert_true(w->slot->deadline.at_ns > w->loop.now_ns + NSEC_PER_SEC);
}

static void
without_a_sign_there_is_a_verdict(void **state)
{
	struct world *w = *state;

	say_too_late(w, "X=1");
	assert_int_equal(w->slot->child.state, CHILD_ENDING);
	assert_int_equal(w->slot->child.cause, CHILD_IDLE_PASSED);
}

static void
a_trigger_that_waits_goes_before_the_verdict(void **state)
{
	struct world *w = *state;

	say_too_late(w, "WATCHDOG=1\nWATCHDOG=trigger");
	assert_int_equal(w->slot->child.state, CHILD_ENDING);
	assert_int_equal(w->slot->child.cause, CHILD_TRIGGERED);
	/* Its grace runs, whatever its idle limit is now. */
	assert_true(w->slot->deadline.at_ns < w->loop.now_ns + 60 * NSEC_PER_SEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_notice_is_a_sign_of_life_and_a_line),
	    TEST(strangers_and_rubbish_are_dropped),
	    TEST(a_request_for_time_moves_the_deadline),
	    TEST(a_trigger_ends_the_job),
	    TEST(a_flood_is_muted_and_the_job_heard_again),
	    TEST(no_verdict_before_what_waits_was_read),
	    TEST(without_a_sign_there_is_a_verdict),
	    TEST(a_trigger_that_waits_goes_before_the_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
