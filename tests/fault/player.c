/*
 * player: see fault.h. Run as the server of the supervisor under test. Plays a scenario in which a job
 * goes through each state there is, dies once itself, and then goes on as a server does: what it knows is
 * in the page, and what it sent and the supervisor does not know is sent again.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "tests/fault/adopted.h"
#include "tests/fault/fault.h"
#include "tests/harness/observe.h"
#include "tests/harness/play.h"
#include "wire/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the supervisor may take to close what it does not need any more. */
#define PATIENCE_MS 20000

#define GRACE_MS 2000

#define COMMAND_SIZE 512

enum poke {
	POKE_NONE,
	POKE_CANCEL,
	POKE_PAUSE, /* and look, go on and cancel */
	POKE_CRASH  /* of the server */
};

struct part {
	const char *command; /* of a shell; NULL: a program that is not there */
	uint32_t total_ms;   /* 0: none */
	uint32_t idle_ms;
	uint32_t grace_ms; /* 0: GRACE_MS */
	enum wire_containment containment;
	enum poke poke;
	int exit_code;   /* -1: it is ended */
	bool is_adopted; /* it was started by somebody else */
	enum wire_cause cause;
};

/* Leaves somebody behind who has left the group. */
#define ESCAPE \
	"setsid sh -c 'echo >$DIR/$0; exec sleep 1000' $$ & " \
	"until [ -s $DIR/$$ ]; do sleep 0.01; done; "

/* The default grace is long: a job dies of its first signal, it does so on a busy machine, too. */
static const struct part parts[] = {
    {.command = "echo one >&3; echo out; exit 3", .exit_code = 3},
    {.command = NULL, .exit_code = 127},
    {.command = "exec sleep 1000", .idle_ms = 150, .exit_code = -1, .cause = WIRE_CAUSE_IDLE},
    {.command = "trap '' TERM; while kill -0 $PPID; do sleep 1; done",
	.total_ms = 150,
	.grace_ms = 100,
	.exit_code = -1,
	.cause = WIRE_CAUSE_TOTAL},
    {.command = "sleep 1000 & exit 4", .containment = WIRE_CONTAIN_GROUP, .exit_code = 4},
    {.command = ESCAPE "exit 5", .exit_code = 5},
    {.command = ESCAPE "exit 6", .containment = WIRE_CONTAIN_SUBREAPER, .exit_code = 6},
    {.command = "exec sleep 1000",
	.containment = WIRE_CONTAIN_GROUP,
	.poke = POKE_CANCEL,
	.exit_code = -1,
	.cause = WIRE_CAUSE_CANCEL},
    {.command = "while kill -0 $PPID; do sleep 0.05; done",
	.containment = WIRE_CONTAIN_SUBREAPER,
	.poke = POKE_PAUSE,
	.exit_code = -1,
	.cause = WIRE_CAUSE_CANCEL},
    {.command = "for i in 1 2 3; do echo beat $i >&3; echo $i; sleep 0.04; done; exit 8",
	.idle_ms = 60000,
	.exit_code = 8},
    {.command = ESCAPE "sleep 0.2; exit 10", .is_adopted = true, .exit_code = 10},
    {.command = "exec sleep 1000",
	.total_ms = 150,
	.is_adopted = true,
	.exit_code = -1,
	.cause = WIRE_CAUSE_TOTAL},
    {.command = "until [ -e $DIR/go ]; do kill -0 $PPID || exit 1; sleep 0.02; done; exit 9",
	.poke = POKE_CRASH,
	.exit_code = 9},
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))
_Static_assert(PARTS <= FAULT_JOBS, "FAULT_JOBS is too small");

struct player {
	struct fault_page *page;
	const char *dir;
	struct wire_hello hello;
	bool is_known[PARTS]; /* to the supervisor, as it told this server */
	bool has_end[PARTS];  /* told to this server */
	bool is_looked;       /* an answer to LOOK has come */
	bool is_synced;
	bool is_stopping;
};

static void __attribute__((format(printf, 2, 3)))
complain(struct player *p, const char *format, ...)
{
	va_list ap;

	if (p->page->violation[0] != '\0')
		return;
	va_start(ap, format);
	vsnprintf(p->page->violation, sizeof(p->page->violation), format, ap);
	va_end(ap);
}

/* Whoever does not hear us has closed the wire: another server will be started. */
static void
transmit(enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds)
{
	if (play_send(type, m, fds, nfds) != 0)
		exit(0);
}

static void
transmit_job(enum wire_type type, uint64_t job)
{
	struct wire_message m = {.job.job = job};

	transmit(type, &m, NULL, 0);
}

static void
transmit_cancel(uint64_t job)
{
	struct wire_message m = {.cancel = {.job = job, .cause = WIRE_CAUSE_CANCEL}};

	transmit(WIRE_CANCEL, &m, NULL, 0);
}

static bool
is_same_end(const struct wire_ended *a, const struct wire_ended *b)
{
	return a->stage == b->stage && a->cause == b->cause && a->error == b->error &&
	    a->wait_status == b->wait_status && a->ended_wall_ms == b->ended_wall_ms;
}

static void
take_ended(struct player *p, const struct wire_ended *e)
{
	struct fault_job *job;

	if (e->job >= PARTS) {
		complain(p, "an end of job %" PRIu64 ", which there never was", e->job);
		return;
	}
	job = &p->page->jobs[e->job];
	p->is_known[e->job] = true;
	if (e->survivor_count > 0)
		return;
	if (p->has_end[e->job])
		complain(p, "job %" PRIu64 " ended twice", e->job);
	if (job->state == FAULT_JOB_NEW)
		complain(p, "job %" PRIu64 " ended, and was never sent", e->job);
	if (job->state == FAULT_JOB_STORED && !is_same_end(&job->ended, e))
		complain(p, "job %" PRIu64 " ended twice, not in the same way", e->job);
	p->has_end[e->job] = true;
	job->ended = *e;
	job->state = FAULT_JOB_STORED;
	/* Only now, for a zombie tells how it ended. */
	if (job->pid > 0)
		waitpid(job->pid, NULL, WNOHANG);
	transmit_job(WIRE_FORGET, e->job);
}

static void
take_hello(struct player *p, const struct wire_hello *hello)
{
	p->page->has_begun = true;
	p->hello = *hello;
	if (p->page->instance != 0 && p->page->instance != hello->instance)
		complain(p, "the instance has changed");
	p->page->instance = hello->instance;
}

static void
take_started(struct player *p, const struct standing *started)
{
	if (started->job >= PARTS || p->page->jobs[started->job].state == FAULT_JOB_NEW) {
		complain(p, "a start of job %" PRIu64 ", which was not sent", started->job);
		return;
	}
	p->is_known[started->job] = true;
	p->page->jobs[started->job].has_started = true;
}

static void
take(struct player *p, const struct wire_message *m)
{
	switch ((enum wire_type)m->type) {
	case WIRE_HELLO:
		take_hello(p, &m->hello);
		break;
	case WIRE_STARTED:
		take_started(p, &m->started);
		break;
	case WIRE_ENDED:
		take_ended(p, &m->ended);
		break;
	case WIRE_SYNCED:
		p->is_synced = true;
		break;
	case WIRE_LOOKED:
		p->is_looked = true;
		break;
	case WIRE_RELOAD:
	case WIRE_PROGRESS:
	case WIRE_IDLE:
		break;
	case WIRE_STOPPING:
		p->is_stopping = true;
		break;
	case WIRE_READY:
	case WIRE_SPAWN:
	case WIRE_ADOPT:
	case WIRE_CANCEL:
	case WIRE_PAUSE:
	case WIRE_UNPAUSE:
	case WIRE_LULL:
	case WIRE_FORGET:
	case WIRE_LOOK:
	case WIRE_REPORT:
	case WIRE_HOLD:
	case WIRE_RELEASE:
	case WIRE_QUIT:
	case WIRE_UPGRADE:
	case WIRE_RENEW:
	case WIRE_TYPE_COUNT:
		complain(p, "a message of type %d", m->type);
	}
}

static void
receive(struct player *p, int timeout_ms)
{
	struct wire_message m;
	int fds[WIRE_FDS_MAX], rc;
	const char *why;

	if (poll(&(struct pollfd){.fd = WIRE_SERVER_FD, .events = POLLIN}, 1, timeout_ms) != 1)
		return;
	while ((rc = wire_receive(WIRE_SERVER_FD, WIRE_SERVER, &m, fds, &why)) == 1)
		take(p, &m);
	if (rc == -EBADMSG)
		complain(p, "a bad message: %s", why);
	if (rc != -EAGAIN)
		exit(0);
}

/* Each run leaves a line. */
static void
make_command(const struct player *p, uint64_t job, char text[COMMAND_SIZE])
{
	snprintf(text, COMMAND_SIZE, "echo $$ >>'%s/%" PRIu64 ".ran'; %s", p->dir, job,
	    parts[job].command);
}

static int
make_launch(const struct player *p, uint64_t job)
{
	char text[COMMAND_SIZE], *argv[] = {"/bin/sh", "-c", text, NULL};
	char *missing[] = {"no-such-program", NULL};

	if (parts[job].command == NULL)
		return play_launch(missing);
	make_command(p, job, text);
	return play_launch(argv);
}

static uint64_t
ms_or_off(uint32_t ms)
{
	return ms == 0 ? WATCHDOG_OFF : ms * NSEC_PER_MSEC;
}

static void
set_limits(uint64_t job, struct limits *limits)
{
	limits_default(limits);
	limits->max_total_ns = ms_or_off(parts[job].total_ms);
	limits->max_idle_ns = ms_or_off(parts[job].idle_ms);
	limits->kill_grace_ns =
	    ms_or_off(parts[job].grace_ms == 0 ? GRACE_MS : parts[job].grace_ms);
	limits->check_interval_ns = 0;
}

/* Another server may have started it. */
static void
have_adopted(struct player *p, uint64_t number)
{
	struct fault_job *job = &p->page->jobs[number];
	char text[COMMAND_SIZE];
	struct wire_message m;
	int fds[WIRE_ADOPT_FD_COUNT] = {
	    [WIRE_ADOPT_OUTPUT] = play_open(p->dir, number, "out", O_WRONLY | O_CREAT | O_APPEND),
	    [WIRE_ADOPT_BEATS] = play_open(p->dir, number, "beats", O_RDWR | O_NONBLOCK),
	};

	job->state = FAULT_JOB_SENT;
	if (job->pid == 0) {
		make_command(p, number, text);
		adopted_start(job, text, play_mark(&p->hello));
	}
	adopted_standing(job, number, &m.adopt.standing);
	set_limits(number, &m.adopt.limits);
	p->is_known[number] = true;
	transmit(WIRE_ADOPT, &m, fds, WIRE_ADOPT_FD_COUNT);
	fd_close(&fds[WIRE_ADOPT_OUTPUT]);
	fd_close(&fds[WIRE_ADOPT_BEATS]);
}

static void
spawn(struct player *p, uint64_t job)
{
	struct wire_message m = {.spawn = {.job = job,
				     .mark = play_mark(&p->hello),
				     .containment = parts[job].containment}};

	if (parts[job].is_adopted) {
		have_adopted(p, job);
		return;
	}
	set_limits(job, &m.spawn.limits);
	p->page->jobs[job].state = FAULT_JOB_SENT;
	p->is_known[job] = true;
	if (play_spawn(p->dir, &m, make_launch(p, job)) != 0)
		exit(0);
}

static void
hold(struct player *p)
{
	struct wire_message m = {.hold.index = 0};
	int fd = play_open(p->dir, 0, "beats", O_RDWR | O_NONBLOCK);

	transmit(WIRE_HOLD, &m, &fd, 1);
	fd_close(&fd);
}

/* The job that waits for it may end. */
static void
let_go(const struct player *p)
{
	char path[PATH_MAX];
	int fd;

	path_in(p->dir, "go", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		err(1, "%s", path);
	fd_close(&fd);
}

/* What is done to a job once it runs; also in case that it could not be started. */
static void
poke(struct player *p, uint64_t number)
{
	struct fault_job *job = &p->page->jobs[number];

	if (job->was_poked || (!job->has_started && job->state != FAULT_JOB_STORED))
		return;
	switch (parts[number].poke) {
	case POKE_NONE:
		break;
	case POKE_CANCEL:
		transmit_cancel(number);
		break;
	case POKE_PAUSE:
		if (job->state != FAULT_JOB_STORED && !p->is_looked) {
			if (!job->was_paused) {
				transmit_job(WIRE_PAUSE, number);
				transmit_job(WIRE_LOOK, number);
			}
			job->was_paused = true;
			return;
		}
		transmit_job(WIRE_UNPAUSE, number);
		transmit_cancel(number);
		break;
	case POKE_CRASH:
		if (p->page->has_crashed) {
			let_go(p);
			break;
		}
		p->page->has_crashed = true;
		kill(getpid(), SIGKILL);
	}
	job->was_poked = true;
}

static bool
is_all_stored(const struct player *p)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (p->page->jobs[i].state != FAULT_JOB_STORED)
			return false;
	return true;
}

/* The supervisor has heard all that was sent before; it may have something to finish all the same. */
static void
check_remains(struct player *p)
{
	struct fault_page *page = p->page;
	int waited_ms;

	transmit_job(WIRE_RELEASE, 0);
	p->is_synced = false;
	memset(p->has_end, 0, sizeof(p->has_end));
	transmit(WIRE_REPORT, &(struct wire_message){0}, NULL, 0);
	while (!p->is_synced)
		receive(p, -1);
	for (waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		page->fds_found = count_fds(page->supervisor);
		if (page->fds_found <= page->fds_wanted && count_zombies(page->supervisor) == 0)
			return;
		receive(p, 10);
	}
	complain(p, "%" PRIu32 " descriptors are open, not %" PRIu32 ", and %u zombies left",
	    page->fds_found, page->fds_wanted, count_zombies(page->supervisor));
}

static _Noreturn void
finish(struct player *p)
{
	p->page->has_stopped = true;
	kill(p->page->supervisor, SIGTERM);
	while (!p->is_stopping)
		receive(p, -1);
	check_remains(p);
	transmit(WIRE_QUIT, &(struct wire_message){0}, NULL, 0);
	for (;;)
		receive(p, -1);
}

void
player_run(struct fault_page *page, const char *dir)
{
	static struct player p;
	size_t i;

	p.page = page;
	p.dir = dir;
	setenv("DIR", dir, 1);
	while (!p.is_synced)
		receive(&p, -1);
	hold(&p);
	transmit(WIRE_READY, &(struct wire_message){0}, NULL, 0);
	for (i = 0; i < PARTS; i++) {
		/* An earlier server's LOOK is answered to nobody. */
		if (page->jobs[i].state == FAULT_JOB_SENT && !page->jobs[i].was_poked)
			page->jobs[i].was_paused = false;
		if (page->jobs[i].state == FAULT_JOB_NEW ||
		    (page->jobs[i].state == FAULT_JOB_SENT && !p.is_known[i]))
			spawn(&p, i);
	}
	kill(page->supervisor, SIGHUP);
	while (!is_all_stored(&p)) {
		for (i = 0; i < PARTS; i++)
			poke(&p, i);
		receive(&p, 10);
	}
	/* Without the last job nobody has died yet. */
	poke(&p, PARTS - 1);
	finish(&p);
}

unsigned
player_job_count(void)
{
	return PARTS;
}

/* Whether the job's program was never executed, as an error would have it. */
static bool
is_refused(const struct wire_ended *e, int error)
{
	return error != 0 && e->stage != WIRE_STAGE_NONE && e->started_wall_ms == 0 &&
	    (e->error == error || e->error == ECANCELED);
}

const char *
player_judge(unsigned job, const struct wire_ended *e, int error)
{
	const struct part *part = &parts[job];
	int status = e->wait_status;

	if (job >= PARTS || is_refused(e, error))
		return NULL;
	if (part->command == NULL)
		return e->stage == WIRE_STAGE_EXEC && e->error == ENOENT
		    ? NULL
		    : "it was not found missing";
	if (e->stage != WIRE_STAGE_NONE)
		return "it was not started";
	/* Nobody need have told how it ended: its parent may have died, and the kernel not know. */
	if (part->is_adopted && status == WIRE_WAIT_UNKNOWN)
		return NULL;
	if (e->cause != part->cause)
		return "another cause";
	if (part->exit_code != -1)
		return WIFEXITED(status) && WEXITSTATUS(status) == part->exit_code
		    ? NULL
		    : "another exit code";
	if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM))
		return "another signal";
	if (WTERMSIG(status) == SIGKILL && !e->was_killed)
		return "it was killed, and is said not to have been";
	return NULL;
}
