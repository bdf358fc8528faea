/*
 * main: runs the real server, with its store and its queue, in simulated worlds, one a seed, and checks after each
 * of its turns what it promises of trees of jobs (promises.h, order.c, plans.h). Virtual time and a
 * supervisor and clients that are simulated are linked in place of base/loop, server/link, server/conn and
 * server/runtime; all else is what runs.
 *
 *	family [--seed N [--worlds W]] [--jobs J] [--seconds S]
 *
 * Each server is a process of its own, which is killed at any point, as by kill -9; the world lives on in memory that
 * they share, and the store in a directory of this run. A broken promise is printed with its seed, and
 * the exit code is 1.
 */
#include "server/server.h"
#include "tests/family/clients.h"
#include "tests/family/crash.h"
#include "tests/family/plans.h"
#include "tests/family/promises.h"
#include "tests/family/scripts.h"
#include "tests/family/supervisor.h"
#include "tests/sim/world.h"

#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define JOBS 150
#define SECONDS 10
/* Of the processor's time, for one server at most. */
#define SERVER_SECONDS 60
#define LIVE_NS (120 * NSEC_PER_SEC)
#define REST_NS (24 * 3600 * NSEC_PER_SEC)

static char home[256];

int __real_clock_gettime(clockid_t clock, struct timespec *ret_ts);

static uint64_t
real_ns(void)
{
	struct timespec ts;

	__real_clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level > 0)
		remove(path);
	return 0;
}

static void
empty_home(void)
{
	nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
leave_home(void)
{
	empty_home();
	rmdir(home);
}

static void
turn_is_endless(int signo)
{
	(void)signo;
	world_broken(0, "a turn ends", "a server has run for more than %d s", SERVER_SECONDS);
}

static void
supervisor_may_die(void *arg, uint64_t tag)
{
	uint64_t next_ns = world_now() + world_below(LIVE_NS);

	if (next_ns < tag)
		world_at(next_ns, supervisor_may_die, arg, tag);
	supervisor_die();
}

static void
rest_is_late(void *arg, uint64_t tag)
{
	(void)arg;
	(void)tag;
	promises_rest();
	world_broken(0, "every call ends", "users still wait");
}

static void
calm_down(void *arg, uint64_t tag)
{
	(void)arg;
	(void)tag;
	crash_stop();
	supervisor_calm_down();
	scripts_calm_down();
	world_at(world_now() + REST_NS, rest_is_late, NULL, 0);
}

static uint32_t
one_of(uint32_t most, uint64_t none_in)
{
	return world_once_in(none_in) ? UINT32_MAX : (uint32_t)world_between(1, most);
}

static void
write_setting(FILE *f, const char *key, uint32_t value)
{
	if (value != UINT32_MAX)
		fprintf(f, "%s = %" PRIu32 "\n", key, value);
}

static void
configure(void)
{
	struct promises_room room = {.max_running = (uint32_t)world_between(1, 6),
	    .max_running_per_parent = one_of(3, 2),
	    .queue_limit = world_once_in(3) ? (uint32_t)world_between(1, world_once_in(2) ? 4 : 40)
					    : UINT32_MAX,
	    .max_depth = (uint32_t)world_between(1, 5),
	    .are_orphans_ended = world_once_in(4),
	    .pools = {0, (uint32_t)world_between(1, 2), (uint32_t)world_between(1, 2)}};
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/spawnd.ini", home);
	f = fopen(path, "w");
	if (f == NULL)
		err(EX_CANTCREAT, "%s", path);
	fprintf(f, "[spawnd]\ndurability = normal\n");
	write_setting(f, "max_running", room.max_running);
	write_setting(f, "max_running_per_parent", room.max_running_per_parent);
	write_setting(f, "queue_limit", room.queue_limit);
	write_setting(f, "max_depth", room.max_depth);
	if (room.are_orphans_ended)
		fprintf(f, "orphans = cancel\n");
	for (unsigned i = 1; i <= PROMISES_POOLS; i++)
		fprintf(f, "[pool p%u]\nmax_running = %" PRIu32 "\n", i, room.pools[i]);
	fclose(f);
	promises_init(&room);
}

static void
check_done(void *arg, uint64_t tag)
{
	if (scripts_are_done()) {
		plans_check_end();
		_exit(EX_OK);
	}
	world_at(world_now() + NSEC_PER_SEC, check_done, arg, tag);
}

static void
begin_world(uint64_t seed, unsigned jobs)
{
	uint64_t end_ns;

	world_init(seed, "jobs", jobs);
	empty_home();
	configure();
	crash_init(!world_once_in(4));
	clients_init();
	plans_init(promises_room()->are_orphans_ended);
	scripts_init((unsigned)world_between(1, 5), (unsigned)world_between(1, jobs));
	end_ns = world_now() + world_below(LIVE_NS);
	world_at(end_ns, calm_down, NULL, 0);
	world_at(world_now() + world_below(LIVE_NS), supervisor_may_die, NULL, end_ns);
	check_done(NULL, 0);
}

/* The life of a server, in a process of its own. Returns how it ended, as wait(2) tells. */
static int
live(bool is_first)
{
	const struct itimerval limit = {.it_value.tv_sec = SERVER_SECONDS};
	struct server_setup setup = {.is_first = is_first};
	int status = 0;
	pid_t pid;

	/* Others on this machine may have all processes or memory that there are, for a while. */
	while ((pid = fork()) < 0 && (errno == EAGAIN || errno == ENOMEM))
		poll(NULL, 0, 100);
	if (pid < 0)
		err(EX_OSERR, "fork");
	if (pid == 0) {
		signal(SIGVTALRM, turn_is_endless);
		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		promises_server_begins();
		server_run(&setup, true);
		_exit(EX_SOFTWARE);
	}
	while (waitpid(pid, &status, 0) != pid)
		continue;
	return status;
}

/* One world. Returns how many things happened in it. */
static uint64_t
run(uint64_t seed, unsigned jobs)
{
	bool is_first = true;
	uint64_t until_ns;
	int status;

	begin_world(seed, jobs);
	while ((status = live(is_first)) == SIGKILL) {
		is_first = false;
		/* Meanwhile processes end, and clients try in vain. */
		until_ns = world_now() + world_below(200 * NSEC_PER_MSEC);
		while (world_next() <= until_ns)
			world_step();
	}
	if (status == 1 << 8)
		exit(1);
	if (status != 0)
		world_broken(0, "no server ends unasked", "wait status %d", status);
	return world_events();
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		errx(EX_USAGE, "no number: %s", text);
	return n;
}

static void
make_home(void)
{
	const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(home, sizeof(home), "%s/spawnd-family.XXXXXX", above);
	if (mkdtemp(home) == NULL)
		err(EX_CANTCREAT, "%s", home);
	atexit(leave_home);
	setenv("SPAWND_HOME", home, 1);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
	    {"jobs", required_argument, NULL, 'n'}, {"worlds", required_argument, NULL, 'w'},
	    {"seconds", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	uint64_t began_ns = real_ns(), seed = began_ns, seconds = SECONDS, events = 0;
	uint64_t worlds = 0, wanted = 1, jobs = JOBS, took_ns;
	bool has_seed = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		has_seed |= option == 's';
		if (option == 's')
			seed = number(optarg);
		else if (option == 'n')
			jobs = number(optarg);
		else if (option == 'w')
			wanted = number(optarg);
		else if (option == 't')
			seconds = number(optarg);
		else
			errx(EX_USAGE,
			    "usage: family [--seed N [--worlds W]] [--jobs J] [--seconds S]");
	}
	if (jobs == 0 || jobs > PLANS_MAX)
		errx(EX_USAGE, "--jobs: 1 to %d", PLANS_MAX);
	make_home();
	do {
		events += run(seed++, (unsigned)jobs);
		worlds++;
		took_ns = real_ns() - began_ns;
	} while (has_seed ? worlds < wanted : took_ns < seconds * NSEC_PER_SEC);
	printf("%" PRIu64 " worlds, %" PRIu64 " thousand events in %.1f s\n", worlds, events / 1000,
	    (double)took_ns / 1e9);
	return 0;
}
