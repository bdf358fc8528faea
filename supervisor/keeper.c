/*
 * keeper: see keeper.h. Run by the supervisor, and by its child up to the exec of the server. Must
 * never end the supervisor, whatever the server does, and never wait for it.
 */
#include "supervisor/keeper.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "supervisor/spawn.h"
#include "wire/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SERVER_FDS (WIRE_STORE_LOCK_FD + 1)
#define EXIT_NOT_EXECUTED 127

/* A server that lived shorter than this died young. */
#define YOUNG_NS (10 * NSEC_PER_SEC)
/*
 * After so many in a row that died young and never served, the store is checked; after so many, the next
 * first answers for a while without one.
 */
#define DEATHS_IN_DOUBT 3
#define DEATHS_TO_WAIT 5
#define WAIT_SERVED_NS (50 * NSEC_PER_MSEC)
#define WAIT_MIN_NS (100 * NSEC_PER_MSEC)
#define WAIT_MAX_NS (5 * NSEC_PER_SEC)
#define PATIENCE_NS (5 * NSEC_PER_SEC)

static void
restart_due(void *arg)
{
	keeper_start(arg);
}

static void
patience_passed(void *arg)
{
	struct keeper *k = arg;

	log_line("server %d does not end: killing it", (int)k->server.pid);
	proc_signal(&k->server, SIGKILL);
}

void
keeper_init(struct keeper *k, struct loop *loop, struct proc_abilities *abilities,
    char *const *argv)
{
	*k = (struct keeper){
	    .loop = loop,
	    .abilities = abilities,
	    .argv = argv,
	    .fds = k->fds,
	    .server = PROC_NONE,
	    .wire_io.fd = -1,
	};
	timer_init(&k->restart, restart_due, k);
	timer_init(&k->patience, patience_passed, k);
}

void
keeper_renew(struct keeper *k, uint32_t what, int fd)
{
	int *old = what == WIRE_RENEWED_LISTEN ? &k->fds.listen
	    : what == WIRE_RENEWED_LOCK        ? &k->fds.lock
					       : NULL;

	if (old == NULL) {
		log_line("ignored RENEW: there is no %" PRIu32, what);
		fd_close(&fd);
		return;
	}
	fd_close(old);
	*old = fd;
}

void
keeper_close_fds(struct keeper *k)
{
	fd_close(&k->fds.listen);
	fd_close(&k->fds.lock);
	fd_close(&k->fds.store_lock);
}

/* How far the server is to trust its store, and itself. */
static const char *
mode_of(const struct keeper *k)
{
	if (!k->has_ever_served)
		return "first";
	if (k->last_code == EX_DATAERR)
		return "damaged";
	if (k->unserved_deaths >= DEATHS_TO_WAIT)
		return "wait";
	return k->unserved_deaths >= DEATHS_IN_DOUBT ? "check" : "again";
}

/* Between clone and exec. */
static _Noreturn void
server_main(const struct keeper *k, int wire_fd)
{
	extern char **environ;
	char mode[16], end[sizeof(k->last_end)], deaths[16];
	char *argv[KEEPER_WORDS_MAX + 4] = {NULL};
	int n = 0;
	int fds[SERVER_FDS] = {-1, -1, -1, wire_fd, k->fds.listen, k->fds.lock, k->fds.notify,
	    k->fds.store_lock};
	int none = -1, error;

	while (n < KEEPER_WORDS_MAX && k->argv[n] != NULL) {
		argv[n] = k->argv[n];
		n++;
	}
	snprintf(mode, sizeof(mode), "%s", mode_of(k));
	snprintf(end, sizeof(end), "%s", k->last_end);
	snprintf(deaths, sizeof(deaths), "%u",
	    k->young_deaths >= DEATHS_IN_DOUBT ? k->young_deaths : 0);
	argv[n++] = mode;
	argv[n++] = end;
	argv[n] = deaths;
	error = spawn_place_fds(fds, SERVER_FDS, &none);
	spawn_reset_signals();
	spawn_restore_nofile(k->nofile_limit);
	if (error == 0) {
		execve("/proc/self/exe", argv, environ);
		error = -errno;
	}
	log_line("cannot execute the server: %s", strerror(-error));
	_exit(EXIT_NOT_EXECUTED);
}

/* The wire, in the loop, and the server at its other end. 0 or -errno, with nothing left behind. */
static int
launch(struct keeper *k)
{
	int ends[2], rc;

	rc = wire_pair(ends);
	if (rc != 0)
		return rc;
	rc = loop_add(k->loop, &k->wire_io, ends[0], EPOLLIN, k->ready, k->arg);
	if (rc == 0) {
		rc = proc_clone(k->abilities, -1, &k->server);
		if (rc == 0)
			server_main(k, ends[1]);
	}
	fd_close(&ends[1]);
	if (rc < 0) {
		loop_remove(k->loop, &k->wire_io);
		fd_close(&ends[0]);
		return rc;
	}
	return 0;
}

/* How long to wait after so many early deaths in a row; the first one is forgiven. */
static uint64_t
wait_ns(unsigned young_deaths, bool has_served)
{
	uint64_t ns = WAIT_MIN_NS;

	if (young_deaths <= 1)
		return 0;
	if (has_served)
		return WAIT_SERVED_NS;
	while (--young_deaths > 1 && ns < WAIT_MAX_NS)
		ns *= 2;
	return ns < WAIT_MAX_NS ? ns : WAIT_MAX_NS;
}

void
keeper_start(struct keeper *k)
{
	uint64_t wait;
	int error;

	k->started_ns = clock_mono_ns();
	k->has_served = false;
	error = launch(k);
	if (error == 0) {
		k->started(k->arg);
		return;
	}
	k->young_deaths += k->young_deaths == 0 ? 2 : 1;
	wait = wait_ns(k->young_deaths, k->has_served);
	log_line("cannot start the server: %s; trying again in %.1f s", strerror(-error),
	    (double)wait / 1e9);
	timer_arm(&k->loop->timers, &k->restart, k->started_ns + wait);
}

void
keeper_served(struct keeper *k)
{
	k->has_served = k->has_ever_served = true;
}

int
keeper_wire(const struct keeper *k)
{
	return k->wire_io.fd;
}

void
keeper_wait_for(struct keeper *k, uint32_t events)
{
	if (k->wire_io.fd != -1)
		loop_change(k->loop, &k->wire_io, events);
}

void
keeper_close_wire(struct keeper *k)
{
	int fd = k->wire_io.fd;

	if (fd == -1)
		return;
	loop_remove(k->loop, &k->wire_io);
	fd_close(&fd);
	timer_arm(&k->loop->timers, &k->patience, clock_mono_ns() + PATIENCE_NS);
}

bool
keeper_has_server(const struct keeper *k)
{
	return k->server.pid != 0;
}

bool
keeper_is_server(const struct keeper *k, pid_t pid)
{
	return k->server.pid != 0 && k->server.pid == pid;
}

int
keeper_reap(struct keeper *k)
{
	struct proc_end end = {0};
	bool was_killed;

	keeper_close_wire(k);
	timer_disarm(&k->loop->timers, &k->patience);
	k->last_pid = k->server.pid;
	proc_wait(&k->server, true, &end);
	proc_close(&k->server);
	was_killed = WIFSIGNALED(end.wait_status);
	snprintf(k->last_end, sizeof(k->last_end),
	    was_killed ? "was killed by signal %d" : "exited with %d",
	    was_killed ? WTERMSIG(end.wait_status) : WEXITSTATUS(end.wait_status));
	k->last_code = was_killed ? -1 : WEXITSTATUS(end.wait_status);
	return k->last_code;
}

int
keeper_end_server(struct keeper *k)
{
	struct pollfd exited = {.fd = k->server.pidfd, .events = POLLIN};

	keeper_close_wire(k);
	if (poll(&exited, 1, (int)(PATIENCE_NS / NSEC_PER_MSEC)) != 1) {
		patience_passed(k);
		poll(&exited, 1, -1);
	}
	return keeper_reap(k);
}

void
keeper_restart(struct keeper *k)
{
	uint64_t now_ns = clock_mono_ns(), wait;

	bool is_young = now_ns - k->started_ns < YOUNG_NS;

	k->young_deaths = is_young ? k->young_deaths + 1 : 0;
	k->unserved_deaths = is_young && !k->has_served ? k->unserved_deaths + 1 : 0;
	wait = wait_ns(k->young_deaths, k->has_served);
	log_line("server %d %s; starting another in %.2f s", (int)k->last_pid, k->last_end,
	    (double)wait / 1e9);
	if (wait == 0)
		keeper_start(k);
	else
		timer_arm(&k->loop->timers, &k->restart, now_ns + wait);
}

void
keeper_fini(struct keeper *k)
{
	keeper_close_wire(k);
	timer_disarm(&k->loop->timers, &k->patience);
	timer_disarm(&k->loop->timers, &k->restart);
	proc_close(&k->server);
}
