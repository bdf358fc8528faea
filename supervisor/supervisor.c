/*
 * supervisor: see supervisor.h. The loop of the supervisor's process; with what is below it, all
 * that runs there.
 *
 * In order: signals blocked and read from a descriptor; everything reserved; then, from the point of
 * no return on, turns of the loop. In a turn come in: messages of the server, exits (SIGCHLD),
 * report pipes, heartbeats, notices, deadlines. What there is to tell leaves at its end.
 *
 * After the point of no return it must never allocate, never exit but in order, never wait except
 * in epoll_wait(2), and never open, read or parse anything that belongs to a user.
 */
#include "supervisor/supervisor.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "supervisor/handover.h"
#include "supervisor/reaper.h"
#include "supervisor/signals.h"
#include "supervisor/state.h"
#include "supervisor/talk.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static void
stop(struct supervisor *s, int signo)
{
	if (s->brood.report.is_stopping)
		return;
	log_line("stopping: signal %d", signo);
	notify_send("STOPPING=1\nSTATUS=Stopping");
	report_stopping(&s->brood.report);
}

static void
signal_ready(void *arg, uint32_t events)
{
	struct supervisor *s = arg;
	struct signalfd_siginfo info;
	bool has_exits = false;

	(void)events;
	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			has_exits = true;
			break;
		case SIGHUP:
			report_reload(&s->brood.report);
			break;
		case SIGTERM:
		case SIGINT:
			stop(s, (int)info.ssi_signo);
			break;
		}
	}
	/* Here and not later: who has exited in time must not be found late by its deadline. */
	if (has_exits)
		reaper_reap(s);
}

static void
try_again(void *arg)
{
	struct supervisor *s = arg;

	talk_again(s);
	reaper_reap(s);
}

/* What the server that this process was has left: pidfds, and writing ends that no reader saw closed. */
static void
board(struct supervisor *s, int lifeboat_fd)
{
	struct lifeboat *b = &s->lifeboat;
	int error = lifeboat_fd == -1 ? 0 : lifeboat_land(b, lifeboat_fd);

	if (error != 0)
		log_line("what the last supervisor held is lost: %s", strerror(-error));
	for (size_t i = 0; i < b->count; i++)
		if (b->seats[i].kind == LIFEBOAT_WRITER && b->seats[i].fd != -1)
			writers_hold(&s->writers, b->seats[i].number, fd_take(&b->seats[i].fd));
}

static int
prepare(struct supervisor *s, const struct supervisor_setup *setup)
{
	struct proc_abilities abilities;
	uint64_t nofile_before, nofile;
	uint32_t count;
	int error;

	error = proc_abilities_detect(&abilities, setup->without);
	if (error != 0)
		return error;
	nofile = fd_raise_limit(&nofile_before);
	count = slots_count_for(nofile);
	timer_init(&s->again, try_again, s);
	error = loop_init(&s->loop);
	if (error == 0)
		error = brood_init(&s->brood, &s->loop, &abilities, count, nofile_before);
	if (error == 0)
		error = writers_init(&s->writers, count);
	if (error == 0)
		error = loop_add(&s->loop, &s->signal_io, s->signal_fd, EPOLLIN, signal_ready, s);
	if (error == 0)
		error = notices_init(&s->notices, &s->brood, s->notices.fd);
	adopt_init(&s->adopt, &s->brood, &s->lifeboat);
	board(s, setup->lifeboat_fd);
	s->is_boarding = setup->lifeboat_fd != -1;
	s->nofile_before = nofile_before;
	s->has_program = setup->program != NULL;
	keeper_init(&s->keeper, &s->loop, &s->brood.abilities, setup->server_argv);
	s->keeper.has_ever_served = s->is_boarding; /* in this daemon, under the one before */
	s->keeper.nofile_limit = nofile_before;
	s->keeper.started = talk_started;
	s->keeper.ready = talk_ready;
	s->keeper.arg = s;
	return error;
}

/*
 * Whether the server was let go, so that another program can take this one's place. From then on nothing happens to
 * any job: it would be told to nobody. A server that did not end in order may not have stored what it was told.
 */
static bool
let_server_go(struct supervisor *s)
{
	if (!s->is_yielding || keeper_wire(&s->keeper) == -1 || !handover_is_due(&s->brood))
		return false;
	s->has_yielded = keeper_end_server(&s->keeper) == 0;
	if (!s->has_yielded)
		keeper_restart(&s->keeper);
	return s->has_yielded;
}

static void
turn_until_done(struct supervisor *s)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	int error;

	while (!s->is_done) {
		talk_tell(s);
		if (let_server_go(s))
			return;
		error = loop_turn(&s->loop, false);
		if (error != 0) {
			log_line("cannot wait for events: %s; trying again", strerror(-error));
			nanosleep(&pause, NULL);
		}
		/* There may be no server to say QUIT, and nothing to start one for. */
		if (s->brood.report.is_stopping && !brood_is_busy(&s->brood) &&
		    !keeper_has_server(&s->keeper))
			s->is_done = true;
	}
}

/* Does not return if another program, or this one anew, can be executed. */
static int
give_way(const struct supervisor *s, const struct supervisor_setup *setup)
{
	const struct handover h = {.program = setup->program,
	    .is_managed = setup->is_managed,
	    .fds = &s->keeper.fds,
	    .nofile_limit = s->nofile_before};
	int error;

	log_line("giving way to %s", h.program);
	error = handover_exec(&h, &s->writers);
	log_line("cannot execute %s: %s; ending, and jobs run on until the next start adopts them",
	    h.program, strerror(-error));
	return error;
}

int
supervisor_run(const struct supervisor_setup *setup)
{
	struct supervisor s = {
	    .signal_io.fd = -1,
	    .signal_fd = -1,
	    .ready_fd = setup->ready_fd,
	    .scan = {.fd = -1},
	    .loop = {.epoll_fd = -1, .timer_fd = -1},
	    .brood = BROOD_NONE,
	    .notices = {.io.fd = -1, .fd = setup->notify_fd},
	    .keeper.fds = {setup->listen_fd, setup->lock_fd, setup->notify_fd,
		setup->store_lock_fd},
	};
	int error;

	log_init("supervisor", setup->has_log_timestamps);
	error = fd_fill_standard();
	if (error == 0)
		error = signals_take(&s.signal_fd);
	if (notify_init() != 0)
		log_line("cannot notify the service manager: NOTIFY_SOCKET is not usable");
	if (error == 0)
		error = prepare(&s, setup);
	if (error != 0) {
		log_line("cannot begin: %s", strerror(-error));
	} else {
		/* The point of no return: from here on nothing allocates and nothing dies. */
		keeper_start(&s.keeper);
		alive_start(&s.alive, &s.loop);
		turn_until_done(&s);
		if (s.has_yielded)
			error = give_way(&s, setup);
		keeper_fini(&s.keeper);
	}
	proc_scan_stop(&s.scan);
	notices_fini(&s.notices);
	writers_fini(&s.writers);
	brood_fini(&s.brood);
	lifeboat_sink(&s.lifeboat);
	loop_fini(&s.loop);
	fd_close(&s.signal_fd);
	fd_close(&s.ready_fd);
	keeper_close_fds(&s.keeper);
	return error == 0 ? s.exit_code : EX_OSERR;
}
