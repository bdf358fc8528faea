/*
 * sim: runs the real supervisor in simulated worlds, one a seed, and checks after each turn of its loop
 * what it promises (promises.h). What stands in for the kernel is linked in place of libc (kernel.h) and of
 * supervisor/proc, supervisor/contain and wire/wire (proc.c, contain.c, server.c); all else is what runs.
 *
 *	sim [--seed N [--worlds W]] [--steps M] [--seconds S]
 *
 * W worlds with the seeds N, N + 1 and so on, each of M turns of the loop before it calms down; without
 * --seed seeds from the clock until the seconds have passed. A broken promise is printed with its seed,
 * and the exit code is 1.
 */
#include "supervisor/supervisor.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/processes.h"
#include "tests/sim/promises.h"
#include "tests/sim/server.h"
#include "tests/sim/tables.h"
#include "tests/sim/world.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>

#define STEPS 20000
#define SECONDS 10
/* Of the processor's time, for one world at most: many times what one needs under a sanitizer. */
#define WORLD_SECONDS 20
/* A world that has calmed down is at rest after so long. */
#define REST_NS (400 * NSEC_PER_SEC)

static uint64_t steps_left;

int __real_clock_gettime(clockid_t clock, struct timespec *ret_ts);

static uint64_t
real_ns(clockid_t clock)
{
	struct timespec ts;

	__real_clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void
rest_is_late(void *arg, uint64_t tag)
{
	(void)arg;
	(void)tag;
	world_broken(0, "every job ends", "a world at rest is not empty");
}

/* A turn that never ends takes no virtual time. */
static void
turn_is_endless(int signo)
{
	(void)signo;
	world_broken(0, "a turn of the loop ends", "a world takes more than %d s", WORLD_SECONDS);
}

static void
limit_world(void)
{
	const struct itimerval limit = {.it_value.tv_sec = WORLD_SECONDS};
	const struct sigaction action = {.sa_handler = turn_is_endless};

	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* Looks now and then whether it is time to calm down. */
static void
pass_steps(void *arg, uint64_t tag)
{
	if (kernel_turns() < steps_left) {
		world_at(world_now() + 20 * NSEC_PER_MSEC, pass_steps, arg, tag);
		return;
	}
	kernel_calm_down();
	children_grow_old();
	server_drain();
	world_at(world_now() + REST_NS, rest_is_late, arg, tag);
}

/* One world. Returns how many things happened in it. */
static uint64_t
run(uint64_t seed, uint64_t steps)
{
	struct supervisor_setup setup = {.lifeboat_fd = -1,
	    .listen_fd = -1,
	    .lock_fd = -1,
	    .store_lock_fd = -1,
	    .notify_fd = -1,
	    .ready_fd = -1,
	    .without = ""};
	int code;

	limit_world();
	world_init(seed, "steps", steps);
	kernel_init();
	processes_init();
	children_init();
	server_init();
	tables_init();
	steps_left = steps;
	setup.without = world_once_in(3) ? "group-pidfd" : NULL;
	processes_stranger_comes(NULL, 0);
	pass_steps(NULL, 0);
	code = supervisor_run(&setup);
	if (code != server_exit_code())
		world_broken(0, "the supervisor ends in order", "exit code %d, not %d", code,
		    server_exit_code());
	promises_at_end();
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

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
	    {"steps", required_argument, NULL, 'n'}, {"worlds", required_argument, NULL, 'w'},
	    {"seconds", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	uint64_t seed = 0, steps = STEPS, seconds = SECONDS, began_ns = real_ns(CLOCK_MONOTONIC),
		 events = 0;
	uint64_t worlds = 0, wanted = 1, took_ns, busy_ns;
	bool has_seed = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			has_seed = true;
		if (option == 's')
			seed = number(optarg);
		else if (option == 'n')
			steps = number(optarg);
		else if (option == 'w')
			wanted = number(optarg);
		else if (option == 't')
			seconds = number(optarg);
		else
			errx(EX_USAGE,
			    "usage: sim [--seed N [--worlds W]] [--steps M] [--seconds S]");
	}
	if (!has_seed)
		seed = began_ns;
	do {
		events += run(seed++, steps);
		worlds++;
		took_ns = real_ns(CLOCK_MONOTONIC) - began_ns;
	} while (has_seed ? worlds < wanted : took_ns < seconds * NSEC_PER_SEC);
	busy_ns = real_ns(CLOCK_PROCESS_CPUTIME_ID);
	printf(
	    "%" PRIu64
	    " worlds, %.1f million events in %.1f s, of which %.1f s ran: %.2f million a second\n",
	    worlds, (double)events / 1e6, (double)took_ns / 1e9, (double)busy_ns / 1e9,
	    (double)events * 1e3 / (double)busy_ns);
	return 0;
}
