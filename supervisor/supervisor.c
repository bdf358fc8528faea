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

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "supervisor/adopt.h"
#include "supervisor/alive.h"
#include "supervisor/brood.h"
#include "supervisor/handover.h"
#include "supervisor/keeper.h"
#include "supervisor/notices.h"
#include "supervisor/orders.h"
#include "supervisor/signals.h"
#include "supervisor/writers.h"
#include "wire/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* So many messages a turn: a SPAWN costs a clone, and deadlines must not wait for many of them. */
#define MESSAGES_PER_TURN 8
/* So many strays a turn: a tree may make them faster than they can be reaped. */
#define STRAYS_PER_TURN 512
#define AGAIN_NS (10 * NSEC_PER_MSEC)

struct supervisor {
	struct loop loop;
	struct brood brood;
	struct lifeboat lifeboat;
	struct adopt adopt;
	struct keeper keeper;
	struct writers writers;
	struct notices notices;
	struct loop_io signal_io;
	struct timer again;     /* what could not be done for want of something */
	uint64_t nofile_before; /* the soft limit that children get */
	struct alive alive;
	int signal_fd;
	int ready_fd;
	bool is_blocked;  /* the wire takes no more until EPOLLOUT */
	bool is_starved;  /* no memory to read the wire: it wakes nobody up until `again` */
	bool is_deaf;     /* no SPAWN could be answered: the wire is not read */
	bool has_served;  /* a server has been ready */
	bool is_quitting; /* the server has been told to go, by closing the wire */
	bool has_program; /* to give way to */
	bool is_yielding; /* to another program, once all is stored */
	bool is_boarding; /* what the last program started may exit before it is adopted */
	bool is_done;
	int exit_code;
};

static void
wait_for_wire(struct supervisor *s)
{
	if (!s->is_starved)
		keeper_wait_for(&s->keeper,
		    (s->is_deaf ? 0 : EPOLLIN) | (s->is_blocked ? EPOLLOUT : 0));
}

/* What could not be done now is tried a moment later. */
static void
arm_again(struct supervisor *s)
{
	timer_arm(&s->loop.timers, &s->again, clock_add_ns(clock_mono_ns(), AGAIN_NS));
}

static void
server_started(void *arg)
{
	struct supervisor *s = arg;

	s->is_blocked = s->is_starved = s->is_deaf = false;
	writers_new_server(&s->writers);
	report_new_server(&s->brood.report, &s->brood.slots);
}

static void
server_is_ready(struct supervisor *s)
{
	writers_settle(&s->writers);
	lifeboat_sink(&s->lifeboat);
	if (s->is_boarding)
		arm_again(s);
	s->is_boarding = false;
	keeper_served(&s->keeper);
	if (s->has_served)
		return;
	s->has_served = true;
	notify_send("READY=1\nSTATUS=Serving");
	if (s->ready_fd != -1)
		fd_write_all(s->ready_fd, "\n", 1);
	fd_close(&s->ready_fd);
}

static void
quit(struct supervisor *s)
{
	if (brood_is_busy(&s->brood)) {
		log_line("ignored QUIT: %" PRIu32 " jobs are not over and stored",
		    s->brood.slots.used - s->brood.stuck);
		return;
	}
	s->is_quitting = true;
	keeper_close_wire(&s->keeper);
}

static void
hold(struct supervisor *s, uint64_t index, int *fds)
{
	if (writers_hold(&s->writers, index, fd_take(&fds[0])) != 0)
		log_line("ignored HOLD: no index %" PRIu64, index);
}

static void
renew(struct supervisor *s, uint32_t what, int *fds)
{
	if (what != WIRE_RENEWED_NOTIFY) {
		keeper_renew(&s->keeper, what, fd_take(&fds[0]));
		return;
	}
	notices_renew(&s->notices, fd_take(&fds[0]));
	s->keeper.fds.notify = s->notices.fd;
}

static void
handle_message(struct supervisor *s, const struct wire_message *m, int *fds)
{
	switch ((enum wire_type)m->type) {
	case WIRE_READY:
		server_is_ready(s);
		break;
	case WIRE_SPAWN:
		brood_spawn(&s->brood, &m->spawn, fds);
		break;
	case WIRE_ADOPT:
		adopt_job(&s->adopt, &m->adopt, fds);
		break;
	case WIRE_CANCEL:
		orders_cancel(&s->brood, &m->cancel);
		break;
	case WIRE_PAUSE:
		orders_pause(&s->brood, m->job.job, true);
		break;
	case WIRE_UNPAUSE:
		orders_pause(&s->brood, m->job.job, false);
		break;
	case WIRE_FORGET:
		orders_forget(&s->brood, m->job.job);
		break;
	case WIRE_LOOK:
		orders_look(&s->brood, m->job.job);
		break;
	case WIRE_REPORT:
		report_all(&s->brood.report, &s->brood.slots);
		break;
	case WIRE_HOLD:
		hold(s, m->hold.index, fds);
		break;
	case WIRE_RELEASE:
		if (writers_release(&s->writers, m->hold.index) != 0)
			log_line("ignored RELEASE: no index %" PRIu64, m->hold.index);
		break;
	case WIRE_QUIT:
		quit(s);
		break;
	case WIRE_UPGRADE:
		s->is_yielding = s->has_program;
		break;
	case WIRE_RENEW:
		renew(s, m->renew.what, fds);
		break;
	case WIRE_HELLO:
	case WIRE_STARTED:
	case WIRE_ENDED:
	case WIRE_SYNCED:
	case WIRE_LOOKED:
	case WIRE_RELOAD:
	case WIRE_STOPPING:
	case WIRE_PROGRESS:
	case WIRE_IDLE:
	case WIRE_TYPE_COUNT:
		break;
	}
}

/* One message, or why there is none: as wire_receive(), but what was dropped is logged and counts as one. */
static int
take_message(struct supervisor *s)
{
	int fds[WIRE_FDS_MAX];
	struct wire_message m;
	const char *why;
	int rc = wire_receive(keeper_wire(&s->keeper), WIRE_SUPERVISOR, &m, fds, &why);

	if (rc == 1) {
		handle_message(s, &m, fds);
	} else if (rc == -EBADMSG) {
		log_line("dropped a message of the server: %s", why);
		rc = 1;
	} else if (rc == -EMFILE) {
		log_line("out of descriptors: dropped a message of the server");
		if (m.type == WIRE_SPAWN)
			brood_refuse(&s->brood, m.spawn.job, EMFILE);
		rc = 1;
	} else if (rc == -ECONNRESET) {
		/* The server has died without reading everything. What it wrote is still there, unix(7). */
		rc = 1;
	}
	return rc;
}

static bool
is_short_of_memory(int error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

/* A moment later there may be some. Until then the wire must not wake us up, not even by its end. */
static void
wait_for_memory(struct supervisor *s)
{
	/* Its end wakes us up once: asked for again, it would do so for ever. */
	if (s->is_starved)
		return;
	keeper_wait_for(&s->keeper, EPOLLONESHOT);
	s->is_starved = true;
	arm_again(s);
}

static void
wire_ready(void *arg, uint32_t events)
{
	struct supervisor *s = arg;
	int i, rc = 1;

	if ((events & EPOLLOUT) != 0) {
		s->is_blocked = false;
		wait_for_wire(s);
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	for (i = 0; i < MESSAGES_PER_TURN && rc == 1 && keeper_wire(&s->keeper) != -1; i++) {
		/* A server that has gone is heard to the end; another reads its answers first. */
		if ((events & EPOLLHUP) == 0 && !slots_has_room(&s->brood.slots)) {
			s->is_deaf = true;
			wait_for_wire(s);
			return;
		}
		rc = take_message(s);
	}
	if (rc == 1 || rc == -EAGAIN)
		return;
	if (is_short_of_memory(rc)) {
		wait_for_memory(s);
		return;
	}
	if (rc != 0)
		log_line("cannot read from the server: %s", strerror(-rc));
	keeper_close_wire(&s->keeper);
}

/* The server was let go so that another program can take this one's place. */
static bool
is_giving_way(const struct supervisor *s)
{
	return s->is_yielding && keeper_wire(&s->keeper) == -1;
}

/* Whether it was reaped. */
static bool
server_exited(struct supervisor *s)
{
	int code, rc = 0;
	bool is_last;

	/* No SPAWN of its may be half known: first what it still had to say. */
	while (keeper_wire(&s->keeper) != -1 && (rc = take_message(s)) == 1)
		continue;
	if (is_short_of_memory(rc)) {
		arm_again(s);
		return false;
	}
	is_last = s->is_quitting || is_giving_way(s) ||
	    (s->brood.report.is_stopping && !brood_is_busy(&s->brood));
	code = keeper_reap(&s->keeper);
	/* What keeps the very first server from serving is told to whoever started us. */
	if (!is_last && !s->has_served && code > 0 && !brood_is_busy(&s->brood)) {
		s->exit_code = code;
		is_last = true;
	}
	s->is_done = is_last;
	if (!is_last)
		keeper_restart(&s->keeper);
	return true;
}

/* A child has exited. Whether it will be found no more by proc_next_exited(). */
static bool
handle_exit(struct supervisor *s, pid_t pid)
{
	switch (brood_exited(&s->brood, pid)) {
	case BROOD_EXIT_REAPED:
		return true;
	case BROOD_EXIT_AGAIN:
		arm_again(s);
		return false;
	case BROOD_EXIT_KEPT:
		return false;
	case BROOD_EXIT_NOT_OURS:
	case BROOD_EXIT_COUNT:
		break;
	}
	if (keeper_is_server(&s->keeper, pid))
		return server_exited(s);
	/* It may be the leader of a job that is about to be adopted. */
	if (!s->is_boarding)
		proc_reap_stray(pid);
	return !s->is_boarding;
}

/* Until none is left, or one that is kept hides the others: then returns true. */
static bool
reap_in_turn(struct supervisor *s)
{
	pid_t pid;
	int i;

	for (i = 0; i < STRAYS_PER_TURN && proc_next_exited(&pid) == 0; i++) {
		if (pid == 0)
			return false;
		if (!handle_exit(s, pid))
			return true;
	}
	arm_again(s);
	return false;
}

static void
visit(void *arg, pid_t pid)
{
	int rc = proc_has_exited(pid);

	if (rc == 1)
		handle_exit(arg, pid);
	else if (rc < 0)
		arm_again(arg);
}

static void
reap(struct supervisor *s)
{
	if (reap_in_turn(s)) {
		/* Most that are kept have an empty group, and are gone after this look. */
		linger_look(&s->brood.linger);
		/* Who was not seen now may be the last of its tree, and would be seen by no other signal. */
		if (reap_in_turn(s) && proc_scan(visit, s) != 0)
			arm_again(s);
	}
	linger_look(&s->brood.linger);
}

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
	/*
	 * Here and not later: who has exited in time must not be found late by its deadline. While we give way
	 * only the server is reaped: how the others ended is for the next program.
	 */
	if (has_exits && !is_giving_way(s))
		reap(s);
	else if (has_exits && proc_has_exited(s->keeper.server.pid) == 1)
		server_exited(s);
}

static void
try_again(void *arg)
{
	struct supervisor *s = arg;

	s->is_blocked = s->is_starved = false;
	wait_for_wire(s);
	reap(s);
}

/* Tells the server what there is to tell. */
static void
tell(struct supervisor *s)
{
	int error;

	if (s->is_blocked || keeper_wire(&s->keeper) == -1)
		return;
	report_news(&s->brood.report, &s->brood.slots);
	error = report_send(&s->brood.report, keeper_wire(&s->keeper));
	if (error == 0 && !s->is_deaf)
		return;
	s->is_deaf = s->is_deaf && !slots_has_room(&s->brood.slots);
	/* Where memory is short the wire is writable all the same: it must not wake us up for that. */
	s->is_blocked = error != 0 && !is_short_of_memory(error);
	wait_for_wire(s);
	if (is_short_of_memory(error)) {
		s->is_blocked = true;
		arm_again(s);
	}
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
	s->keeper.started = server_started;
	s->keeper.ready = wire_ready;
	s->keeper.arg = s;
	return error;
}

static void
turn_until_done(struct supervisor *s)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	int error;

	while (!s->is_done) {
		tell(s);
		if (s->is_yielding && keeper_wire(&s->keeper) != -1 && handover_is_due(&s->brood))
			keeper_close_wire(&s->keeper);
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
		if (is_giving_way(&s) && !s.is_quitting) {
			error = give_way(&s, setup);
		}
		keeper_fini(&s.keeper);
	}
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
