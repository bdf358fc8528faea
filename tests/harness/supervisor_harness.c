/*
 * supervisor_harness: drives the supervisor without a server, a store or a client. The program is
 * both: started by hand it runs supervisor_run(), which executes it again as its server. That one
 * carries out a script, a command a line, and prints what came of it:
 *
 *	supervisor_harness [-o] SCRIPT DIR	-o: as on a kernel without the newer system calls
 *
 *	spawn JOB [KEY=N...] : SHELL COMMAND	keys: total, idle, grace, interval (ms, -1: off), signal,
 *						activity, first (idle_from first-beat), leftovers, extend
 *	exec JOB [KEY=N...] : WORD...		without a shell
 *	broken JOB				a launch block that is none
 *	many COUNT AT_ONCE : WORD...		quick jobs, numbered from 1000
 *	started JOB, ended JOB			wait for it; `ended` prints, and forgets the job
 *	stuck JOB				wait until it is told that something survives SIGKILL; prints what
 *	kind JOB				of an ended one: print its containment
 *	contain auto|cgroup|subreaper|group	for those that are spawned from here on
 *	forget JOB, cancel JOB, look JOB, report
 *	stop JOB, go JOB			PAUSE, UNPAUSE
 *	file PATH				wait until it is there (with contents)
 *	gone PATH				wait until the process whose number is in it does not live
 *	signal NUMBER				to the supervisor
 *	pause MS
 *	fds, zombies				of the supervisor
 *	crash					die; the next server goes on with the next line
 *	quit
 *
 * DIR takes outputs (JOB.out), heartbeat pipes (JOB.beats), and what a server leaves for the next.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "supervisor/supervisor.h"
#include "tests/harness/observe.h"
#include "tests/harness/play.h"
#include "wire/launch.h"
#include "wire/wire.h"

#include <bsd/unistd.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS 1000 /* numbers below this are the script's own */
#define WORDS 64

struct entry {
	bool has_started;
	bool has_ended;
	bool is_stuck;
	struct wire_ended ended;
};

struct server {
	const char *dir;
	struct entry entries[JOBS];
	uint64_t instance;
	struct wire_hello hello;
	unsigned started; /* since HELLO */
	unsigned ended;
	bool is_synced;
	uint64_t many_left;
	unsigned many_running;
	unsigned many_good;
	unsigned many_refused;
	enum wire_containment containment; /* wished for from here on */
};

static void
print_ended(const struct wire_ended *e)
{
	static const char *const stages[WIRE_STAGE_COUNT] = {"none", "slot", "fork", "launch",
	    "setup", "contain", "limits", "exec", "directory"};
	static const char *const causes[WIRE_CAUSE_COUNT] = {"none", "total", "idle", "trigger",
	    "output", "cancel"};
	int status = e->wait_status;

	printf("ended %" PRIu64 " ran=%d stage=%s error=%d cause=%s killed=%u ", e->job,
	    e->started_wall_ms != 0, stages[e->stage], e->error, causes[e->cause], e->was_killed);
	if (WIFSIGNALED(status))
		printf("signal=%d", WTERMSIG(status));
	else
		printf("exit=%d", WEXITSTATUS(status));
	printf(" elapsed_ms=%" PRIu64 " idle_ms=%" PRIu64 " rss=%d last=%.*s\n",
	    e->elapsed_ns / NSEC_PER_MSEC, e->idle_ns / NSEC_PER_MSEC, e->max_rss_kb > 0,
	    (int)e->last.len, e->last.text);
}

static void
send_plain(enum wire_type type, uint64_t job)
{
	struct wire_message m = {.cancel = {.job = job, .cause = WIRE_CAUSE_CANCEL}};
	int error;

	error = play_send(type, &m, NULL, 0);
	if (error != 0)
		errx(1, "cannot send: %s", strerror(-error));
}

static void
take_ended(struct server *s, const struct wire_ended *e)
{
	s->ended++;
	if (e->job < JOBS) {
		s->entries[e->job].ended = *e;
		s->entries[e->job].has_ended = e->survivor_count == 0;
		s->entries[e->job].is_stuck = e->survivor_count > 0;
		return;
	}
	s->many_running--;
	s->many_good += e->stage == WIRE_STAGE_NONE && e->wait_status == 0;
	s->many_refused += e->stage == WIRE_STAGE_SLOT;
	send_plain(WIRE_FORGET, e->job);
}

static void
take_hello(struct server *s, const struct wire_hello *hello)
{
	s->hello = *hello;
	s->instance = load(s->dir, "instance");
	printf("hello %s\n",
	    s->instance == 0                     ? "first"
		: s->instance == hello->instance ? "same"
						 : "other");
	save(s->dir, "instance", hello->instance);
}

static void
take(struct server *s, const struct wire_message *m)
{
	switch ((enum wire_type)m->type) {
	case WIRE_HELLO:
		take_hello(s, &m->hello);
		break;
	case WIRE_STARTED:
		s->started++;
		if (m->started.job < JOBS)
			s->entries[m->started.job].has_started = true;
		break;
	case WIRE_ENDED:
		take_ended(s, &m->ended);
		break;
	case WIRE_SYNCED:
		printf("synced started=%u ended=%u\n", s->started, s->ended);
		s->is_synced = true;
		break;
	case WIRE_LOOKED:
		printf("looked %" PRIu64 " idle_ms=%" PRIu64 " last=%.*s\n", m->looked.job,
		    m->looked.idle_ns / NSEC_PER_MSEC, (int)m->looked.last.len,
		    m->looked.last.text);
		break;
	case WIRE_PROGRESS:
		printf("progress %" PRIu64 " skipped=%u last=%.*s\n", m->progress.job,
		    m->progress.skipped, (int)m->progress.last.len, m->progress.last.text);
		break;
	case WIRE_IDLE:
		printf("%s %" PRIu64 "\n", m->idle.is_idle ? "idle" : "active", m->idle.job);
		break;
	case WIRE_RELOAD:
		printf("reload\n");
		break;
	case WIRE_STOPPING:
		printf("stopping\n");
		break;
	case WIRE_READY:
	case WIRE_SPAWN:
	case WIRE_ADOPT:
	case WIRE_CANCEL:
	case WIRE_LULL:
	case WIRE_PAUSE:
	case WIRE_UNPAUSE:
	case WIRE_FORGET:
	case WIRE_LOOK:
	case WIRE_REPORT:
	case WIRE_HOLD:
	case WIRE_RELEASE:
	case WIRE_QUIT:
	case WIRE_UPGRADE:
	case WIRE_RENEW:
	case WIRE_TYPE_COUNT:
		errx(1, "unexpected message %d", m->type);
	}
}

/* Takes what has come; waits for something if it has to. */
static void
receive(struct server *s, int timeout_ms)
{
	struct wire_message m;
	int fds[WIRE_FDS_MAX], rc;
	const char *why;

	if (poll(&(struct pollfd){.fd = WIRE_SERVER_FD, .events = POLLIN}, 1, timeout_ms) != 1)
		return;
	while ((rc = wire_receive(WIRE_SERVER_FD, WIRE_SERVER, &m, fds, &why)) == 1)
		take(s, &m);
	if (rc == 0)
		exit(0);
	if (rc != -EAGAIN)
		errx(1, "cannot receive: %s", rc == -EBADMSG ? why : strerror(-rc));
}

static void
spawn(const struct server *s, uint64_t job, const struct limits *limits, char **argv)
{
	struct wire_message m = {.spawn = {.job = job,
				     .mark = play_mark(&s->hello),
				     .limits = *limits,
				     .containment = s->containment}};
	char path[PATH_MAX], name[64];
	int error;

	snprintf(name, sizeof(name), "%" PRIu64 ".beats", job);
	path_in(s->dir, name, path);
	setenv("BEATS", path, 1);
	setenv("DIR", s->dir, 1);
	error = play_spawn(s->dir, &m,
	    argv != NULL ? play_launch(argv) : launch_to_memfd("rubbish", 7));
	if (error != 0)
		errx(1, "cannot send: %s", strerror(-error));
	if (job >= JOBS)
		unlink(path);
}

static uint64_t
ms_or_off(long ms)
{
	return ms < 0 ? WATCHDOG_OFF : (uint64_t)ms * NSEC_PER_MSEC;
}

static void
set_limit(struct limits *limits, const char *key, long value)
{
	if (strcmp(key, "total") == 0)
		limits->max_total_ns = ms_or_off(value);
	else if (strcmp(key, "idle") == 0)
		limits->max_idle_ns = ms_or_off(value);
	else if (strcmp(key, "grace") == 0)
		limits->kill_grace_ns = ms_or_off(value);
	else if (strcmp(key, "interval") == 0)
		limits->check_interval_ns = ms_or_off(value);
	else if (strcmp(key, "signal") == 0)
		limits->kill_signal = (int32_t)value;
	else if (strcmp(key, "activity") == 0)
		limits->activity = (uint32_t)value;
	else if (strcmp(key, "leftovers") == 0)
		limits->leftovers = (uint32_t)value;
	else if (strcmp(key, "extend") == 0)
		limits->max_extend_ns = ms_or_off(value);
	else if (strcmp(key, "first") == 0)
		limits->idle_from = (uint32_t)value;
	else
		errx(1, "unknown key %s", key);
}

/* Splits text at blanks. */
static void
split(char *text, char *words[WORDS])
{
	int count = 0;
	char *word;

	while ((word = strsep(&text, " ")) != NULL && count < WORDS - 1)
		if (*word != '\0')
			words[count++] = word;
	words[count] = NULL;
}

/* "JOB [KEY=N...]", and what stands behind " : ". */
static void
do_spawn(struct server *s, char *text, char *command, bool has_shell)
{
	char *words[WORDS], *equals, *argv[WORDS] = {"/bin/sh", "-c", command, NULL};
	struct limits limits;
	int i;

	limits_default(&limits);
	split(text, words);
	if (words[0] == NULL || command == NULL)
		errx(1, "spawn JOB [KEY=N...] : COMMAND");
	for (i = 1; words[i] != NULL; i++) {
		equals = strchr(words[i], '=');
		if (equals == NULL)
			errx(1, "%s: no '='", words[i]);
		*equals = '\0';
		set_limit(&limits, words[i], strtol(equals + 1, NULL, 10));
	}
	if (!has_shell)
		split(command, argv);
	spawn(s, strtoull(words[0], NULL, 10), &limits, argv);
}

static void
do_many(struct server *s, char *text, char *command)
{
	unsigned at_once;
	uint64_t count, next = JOBS;
	char *argv[WORDS];
	struct limits limits;

	limits_default(&limits);
	if (sscanf(text, "%" SCNu64 " %u", &count, &at_once) != 2 || command == NULL)
		errx(1, "many COUNT AT_ONCE : WORD...");
	split(command, argv);
	s->many_good = s->many_refused = 0;
	for (s->many_left = count; s->many_left > 0 || s->many_running > 0;) {
		if (s->many_left > 0 && s->many_running < at_once) {
			spawn(s, next++, &limits, argv);
			s->many_left--;
			s->many_running++;
			receive(s, 0);
		} else {
			receive(s, -1);
		}
	}
	printf("many %" PRIu64 " good=%u refused=%u\n", count, s->many_good, s->many_refused);
}

static struct entry *
entry_of(struct server *s, const char *text)
{
	uint64_t job = strtoull(text, NULL, 10);

	if (job >= JOBS)
		errx(1, "%s: a number below %d is wanted", text, JOBS);
	return &s->entries[job];
}

static void
do_ended(struct server *s, const char *text)
{
	struct entry *e = entry_of(s, text);

	while (!e->has_ended)
		receive(s, -1);
	print_ended(&e->ended);
	send_plain(WIRE_FORGET, e->ended.job);
	*e = (struct entry){.ended = e->ended};
}

static void
print_stuck(const struct wire_ended *e)
{
	uint32_t i;

	printf("stuck %" PRIu64, e->job);
	for (i = 0; i < e->survivor_count && i < WIRE_SURVIVORS_MAX; i++)
		printf(" %d", e->survivors[i]);
	printf("\n");
}

static void
do_pause(struct server *s, long ms)
{
	uint64_t until_ns = clock_mono_ns() + (uint64_t)ms * NSEC_PER_MSEC, now_ns;

	while ((now_ns = clock_mono_ns()) < until_ns)
		receive(s, (int)((until_ns - now_ns) / NSEC_PER_MSEC) + 1);
}

/* Commands that wait for something, or look at it. */
static bool
do_waiting(struct server *s, const char *verb, char *rest)
{
	if (strcmp(verb, "started") == 0) {
		while (!entry_of(s, rest)->has_started)
			receive(s, -1);
	} else if (strcmp(verb, "ended") == 0) {
		do_ended(s, rest);
	} else if (strcmp(verb, "stuck") == 0) {
		while (!entry_of(s, rest)->is_stuck)
			receive(s, -1);
		print_stuck(&entry_of(s, rest)->ended);
	} else if (strcmp(verb, "file") == 0) {
		while (!has_contents(rest))
			receive(s, 10);
	} else if (strcmp(verb, "gone") == 0) {
		while (is_living(rest))
			receive(s, 10);
		printf("gone\n");
	} else if (strcmp(verb, "pause") == 0) {
		do_pause(s, strtol(rest, NULL, 10));
	} else if (strcmp(verb, "fds") == 0) {
		printf("fds %u\n", count_fds(getppid()));
	} else if (strcmp(verb, "zombies") == 0) {
		printf("zombies %u\n", count_zombies(getppid()));
	} else {
		return false;
	}
	return true;
}

static const char *const containments[WIRE_CONTAIN_COUNT] = {"auto", "cgroup", "subreaper",
    "group"};

static enum wire_containment
containment_named(const char *name)
{
	int i;

	for (i = 0; i < WIRE_CONTAIN_COUNT; i++)
		if (strcmp(name, containments[i]) == 0)
			return (enum wire_containment)i;
	errx(1, "no containment %s", name);
}

static void
print_kind(const struct wire_ended *e)
{
	printf("kind %" PRIu64 " %s\n", e->job, containments[e->containment]);
}

static void
do_line(struct server *s, char *line)
{
	static const struct {
		const char *verb;
		enum wire_type type;
	} plain[] = {{"cancel", WIRE_CANCEL}, {"look", WIRE_LOOK}, {"forget", WIRE_FORGET},
	    {"stop", WIRE_PAUSE}, {"go", WIRE_UNPAUSE}, {"report", WIRE_REPORT},
	    {"quit", WIRE_QUIT}};
	char *command = strstr(line, " : "), *rest;
	const char *verb;
	size_t i;

	if (command != NULL) {
		*command = '\0';
		command += 3;
	}
	rest = line;
	verb = strsep(&rest, " ");
	if (rest == NULL)
		rest = line + strlen(line);
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(verb, plain[i].verb) == 0) {
			send_plain(plain[i].type, strtoull(rest, NULL, 10));
			return;
		}
	}
	if (do_waiting(s, verb, rest))
		return;
	if (strcmp(verb, "spawn") == 0 || strcmp(verb, "exec") == 0)
		do_spawn(s, rest, command, strcmp(verb, "spawn") == 0);
	else if (strcmp(verb, "broken") == 0)
		spawn(s, strtoull(rest, NULL, 10), &(struct limits){.kill_signal = SIGTERM}, NULL);
	else if (strcmp(verb, "contain") == 0)
		s->containment = containment_named(rest);
	else if (strcmp(verb, "kind") == 0)
		print_kind(&entry_of(s, rest)->ended);
	else if (strcmp(verb, "many") == 0)
		do_many(s, rest, command);
	else if (strcmp(verb, "signal") == 0)
		kill(getppid(), atoi(rest));
	else if (strcmp(verb, "crash") == 0)
		kill(getpid(), SIGKILL);
	else
		errx(1, "unknown command %s", verb);
}

static int
serve(const char *script, const char *dir)
{
	static struct server s;
	char line[4096];
	uint64_t number, done;
	FILE *f = fopen(script, "re");

	if (f == NULL)
		err(1, "%s", script);
	s.dir = dir;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (!s.is_synced)
		receive(&s, -1);
	send_plain(WIRE_READY, 0);
	done = load(s.dir, "done");
	for (number = 1; fgets(line, sizeof(line), f) != NULL; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (number <= done || line[0] == '#' || line[0] == '\0')
			continue;
		save(s.dir, "done", number);
		do_line(&s, line);
	}
	fclose(f);
	for (;;)
		receive(&s, -1);
}

int
main(int argc, char **argv)
{
	bool is_old = argc == 4 && strcmp(argv[1], "-o") == 0;
	char *server_argv[] = {argv[0], "server", argv[argc - 2], argv[argc - 1], NULL};
	struct supervisor_setup setup = {
	    .lifeboat_fd = -1,
	    .listen_fd = -1,
	    .lock_fd = -1,
	    .store_lock_fd = -1,
	    .notify_fd = -1,
	    .server_argv = server_argv,
	    .ready_fd = -1,
	    .without = is_old ? "group-pidfd clone3 exit-info" : NULL,
	};

	if (argc >= 4 && strcmp(argv[1], "server") == 0)
		return serve(argv[2], argv[3]);
	if (argc != 3 && !is_old)
		errx(64, "usage: supervisor_harness [-o] SCRIPT DIR");
	/* What our caller left open is nothing that a child should see. */
	closefrom(STDERR_FILENO + 1);
	return supervisor_run(&setup);
}
