/*
 * drive: lets each system call of the supervisor fail in turn. usage: drive [-s SECONDS] [-v] [-j N] [-c CALL] HARNESS
 *
 * A run without failures tells at which sites the supervisor makes calls, and how often. Then, in runs
 * of the same scenario: the first call at a site fails, the second, and so on until a run passes in which
 * it is not reached; with each errno that may come of it. Then each kind of call fails many times in a
 * row. After each run nothing may be left, and nothing may have been lost (examine()).
 *
 *	-s N	a sample, at random, of N seconds
 *	-v	each run
 *	-j N	runs at once
 *	-c CALL	only this one: clone3, read, ...
 */
#include "tests/fault/drive.h"
#include "base/clock.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is known of one site, and how far it is done. */
struct place {
	bool is_old;
	enum fault_side side;
	enum fault_call call;
	uint64_t address;
	uint32_t count; /* in the run without failures */
	uint32_t next;
	bool is_done;
};

#define PLACES_MAX 1024
#define CHUNK 8 /* calls of a site at once, before it is asked whether more were reached */
#define EACH \
	24 /* so many calls of a site fail each; then one in so many, as in passes over /proc */
#define SAMPLE_MAX 2 /* calls of a site in a sample */
#define RUNS_MAX 65536

struct driver {
	struct config config;
	struct place places[PLACES_MAX];
	unsigned place_count;
	struct run *runs; /* shared with those that carry them out */
	unsigned run_count;
	uint64_t until_ns; /* no run begins after this */
	unsigned done_count;
	unsigned bad_count;
	unsigned failures[FAULT_SIDE_COUNT][FAULT_CALL_COUNT];
};

static void
print_run(const struct run *run)
{
	const struct fault_plan *plan = &run->plan;
	const char *error = plan->error > 0 ? strerrorname_np(plan->error) : "short";

	printf("%s%s%s, call %u%s: %s", run->is_old ? "old, " : "",
	    plan->side == FAULT_CHILD ? "child, " : "", fault_kind(plan->call)->name, plan->first,
	    plan->times > 1 ? " and on" : "", plan->first == 0 ? "no failure" : error);
}

static void
print_bad(const struct driver *d, const struct run *run)
{
	char command[512];

	printf("FAILED: ");
	print_run(run);
	printf(": %s\n\tlog and what else is left of it: %s\n", run->bad, run->dir);
	if (run->plan.address == 0)
		return;
	snprintf(command, sizeof(command), "addr2line -fpse '%s' 0x%llx | sed 's/^/\t/'",
	    d->config.harness, (unsigned long long)run->plan.address - 1);
	fflush(stdout);
	if (system(command) != 0)
		printf("\tat 0x%llx\n", (unsigned long long)run->plan.address);
}

static void
settle(struct driver *d, struct run *run)
{
	d->done_count++;
	d->failures[run->plan.side][run->plan.call] += run->failed;
	if (run->bad[0] != '\0') {
		d->bad_count++;
		print_bad(d, run);
	} else if (d->config.is_verbose) {
		print_run(run);
		printf(": %u failed, %u calls, %u ms\n", run->failed, run->calls, run->took_ms);
	}
}

/* Begins one in a process of its own. */
static void
begin(struct driver *d, unsigned number)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0)
		run_main(&d->config, &d->runs[number], number);
	d->runs[number].pid = pid;
}

/* Carries out runs from..run_count, some at once. */
static void
carry_out(struct driver *d, unsigned from)
{
	unsigned next = from, busy = 0, i;
	pid_t pid;

	while (next < d->run_count || busy > 0) {
		if (clock_mono_ns() > d->until_ns)
			d->run_count = next;
		if (next < d->run_count && busy < d->config.at_once) {
			begin(d, next++);
			busy++;
			continue;
		}
		pid = wait(NULL);
		busy--;
		for (i = from; i < next; i++)
			if (d->runs[i].pid == pid)
				settle(d, &d->runs[i]);
	}
}

static void
add_run(struct driver *d, bool is_old, const struct fault_plan *plan)
{
	if (d->run_count == RUNS_MAX)
		errx(1, "too many runs");
	d->runs[d->run_count] = (struct run){.is_old = is_old, .plan = *plan};
	strlcpy(d->runs[d->run_count++].bad, "it was not carried out", sizeof(d->runs[0].bad));
}

static void
note_places(struct driver *d, const struct run *run)
{
	int side;
	unsigned i;

	for (side = 0; side < FAULT_SIDE_COUNT; side++) {
		for (i = 0; i < FAULT_SITES; i++) {
			const struct seen *seen = &run->seen[side][i];

			if (seen->address == 0)
				continue;
			if (d->place_count == PLACES_MAX)
				errx(1, "more than %d sites: raise PLACES_MAX", PLACES_MAX);
			d->places[d->place_count++] = (struct place){.is_old = run->is_old,
			    .side = (enum fault_side)side,
			    .call = (enum fault_call)seen->call,
			    .address = seen->address,
			    .count = seen->count,
			    .next = 1};
		}
	}
}

/* Runs without a failure: they must pass, and tell what is usual. */
static void
look(struct driver *d, bool is_old)
{
	struct fault_plan none = {.first = 0};
	unsigned i, from = d->run_count;

	for (i = 0; i < 3; i++)
		add_run(d, is_old, &none);
	d->config.usual[is_old] = (struct usual){.fds = UINT32_MAX, .calls = UINT32_MAX / 2};
	carry_out(d, from);
	if (d->bad_count > 0)
		exit(1);
	d->config.usual[is_old] = (struct usual){.fds = UINT32_MAX};
	for (i = from; i < d->run_count; i++) {
		struct usual *u = &d->config.usual[is_old];

		u->fds = d->runs[i].fds < u->fds ? d->runs[i].fds : u->fds;
		u->calls = d->runs[i].calls > u->calls ? d->runs[i].calls : u->calls;
		u->cpu_ns = d->runs[i].cpu_ns > u->cpu_ns ? d->runs[i].cpu_ns : u->cpu_ns;
	}
	note_places(d, &d->runs[from]);
	printf("%sno failure: %u calls, %u descriptors, %u ms\n", is_old ? "old, " : "",
	    d->config.usual[is_old].calls, d->config.usual[is_old].fds, d->runs[from].took_ms);
}

static void
add_place(struct driver *d, struct place *place, uint32_t until)
{
	const struct fault_kind *kind = fault_kind(place->call);
	struct fault_plan plan = {.side = place->side,
	    .call = place->call,
	    .address = place->address,
	    .times = 1,
	    .for_ns = UINT64_MAX};
	int i;

	for (; place->next <= until; place->next += 1 + place->next / EACH) {
		for (i = 0; i < FAULT_ERRORS_MAX && kind->errors[i] != 0; i++) {
			plan.first = place->next;
			plan.error = kind->errors[i];
			add_run(d, place->is_old, &plan);
		}
	}
}

static bool
is_wanted(const struct driver *d, enum fault_call call)
{
	return d->config.only == NULL || strcmp(d->config.only, fault_kind(call)->name) == 0;
}

/* Rounds, until no site was reached as often as it was asked to be. */
static void
singly(struct driver *d)
{
	unsigned i, j, from;
	uint32_t most;

	do {
		from = d->run_count;
		for (i = 0; i < d->place_count; i++) {
			struct place *place = &d->places[i];

			if (place->is_done || !is_wanted(d, place->call))
				continue;
			most = place->next == 1 ? place->count : place->next + CHUNK;
			add_place(d, place, most);
		}
		carry_out(d, from);
		for (j = from; j < d->run_count; j++)
			for (i = 0; d->runs[j].failed == 0 && i < d->place_count; i++)
				if (d->places[i].address == d->runs[j].plan.address &&
				    d->places[i].side == d->runs[j].plan.side &&
				    d->places[i].is_old == d->runs[j].is_old)
					d->places[i].is_done = true;
	} while (d->run_count > from);
}

/* Whether a failure tells of a moment, so that another call right after it has another answer. */
static bool
is_momentary(const struct fault_plan *plan)
{
	switch (plan->error) {
	case EINTR:
	case EPIPE:
	case ECONNRESET:
	case FAULT_SHORT:
		return true;
	case EAGAIN:
		return plan->call == FAULT_READ || plan->call == FAULT_WRITE ||
		    plan->call == FAULT_RECVMSG || plan->call == FAULT_SENDMSG ||
		    plan->call == FAULT_SENDTO;
	}
	return false;
}

/* Whether a failure is one of some files, and not of all pipes and timers at once. */
static bool
is_of_one_file(const struct fault_plan *plan)
{
	return plan->call == FAULT_READ && (plan->error == EIO || plan->error == ENOMEM);
}

/* A kind of call that fails for a while: from its first-th on. */
static void
add_row(struct driver *d, bool is_old, const struct fault_plan *begun)
{
	const struct fault_kind *kind = fault_kind(begun->call);
	struct fault_plan plan = *begun;
	int i;

	for (i = 0; i < FAULT_ERRORS_MAX && kind->errors[i] != 0; i++) {
		plan.error = kind->errors[i];
		if (is_of_one_file(&plan))
			continue;
		plan.times = 20;
		plan.for_ns = 2 * NSEC_PER_SEC;
		add_run(d, is_old, &plan);
		plan.times = UINT32_MAX;
		plan.for_ns = 200 * NSEC_PER_MSEC;
		if (!is_momentary(&plan))
			add_run(d, is_old, &plan);
	}
}

static void
add_rows(struct driver *d, bool is_old, enum fault_side side, enum fault_call call)
{
	uint32_t parts = d->config.seconds > 0 ? 2 : 6, count = 0, part;
	struct fault_plan plan = {.side = side, .call = call};
	unsigned i;

	for (i = 0; i < d->place_count; i++)
		if (d->places[i].is_old == is_old && d->places[i].side == side &&
		    d->places[i].call == call)
			count += d->places[i].count;
	for (part = 0; part < parts && part < count; part++) {
		plan.first = count * part / parts + 1;
		add_row(d, is_old, &plan);
	}
}

static void
add_all_rows(struct driver *d)
{
	int call, side;

	for (call = 0; call < FAULT_CALL_COUNT; call++) {
		for (side = 0; side < FAULT_SIDE_COUNT; side++) {
			if (!is_wanted(d, (enum fault_call)call))
				continue;
			add_rows(d, false, (enum fault_side)side, (enum fault_call)call);
			add_rows(d, true, (enum fault_side)side, (enum fault_call)call);
		}
	}
}

static void
in_a_row(struct driver *d)
{
	unsigned from = d->run_count;

	add_all_rows(d);
	carry_out(d, from);
}

/* Some of all that, as many as there is time for. */
static void
sample(struct driver *d)
{
	unsigned i, j, from = d->run_count;
	struct run swap;

	for (i = 0; i < d->place_count; i++)
		if (is_wanted(d, d->places[i].call))
			add_place(d, &d->places[i],
			    d->places[i].count < SAMPLE_MAX ? d->places[i].count : SAMPLE_MAX);
	add_all_rows(d);
	for (i = d->run_count - 1; i > from && i < d->run_count; i--) {
		j = from + arc4random_uniform(i - from + 1);
		swap = d->runs[i];
		d->runs[i] = d->runs[j];
		d->runs[j] = swap;
	}
	d->until_ns = clock_mono_ns() + d->config.seconds * NSEC_PER_SEC;
	carry_out(d, from);
}

static void
print_failures(const struct driver *d)
{
	unsigned total = 0;
	int call;

	printf("failures, in the supervisor and in its children:\n");
	for (call = 0; call < FAULT_CALL_COUNT; call++) {
		printf("\t%-20s %7u %7u\n", fault_kind((enum fault_call)call)->name,
		    d->failures[FAULT_SUPERVISOR][call], d->failures[FAULT_CHILD][call]);
		total += d->failures[FAULT_SUPERVISOR][call] + d->failures[FAULT_CHILD][call];
	}
	printf("%u runs, %u failures of system calls, %u runs in which the supervisor failed\n",
	    d->done_count, total, d->bad_count);
}

int
main(int argc, char **argv)
{
	static struct driver d = {.config.at_once = 8, .until_ns = UINT64_MAX};
	int option;

	while ((option = getopt(argc, argv, "s:vj:c:")) != -1) {
		switch (option) {
		case 's':
			d.config.seconds = (unsigned)atoi(optarg);
			break;
		case 'v':
			d.config.is_verbose = true;
			break;
		case 'j':
			d.config.at_once = (unsigned)atoi(optarg);
			break;
		case 'c':
			d.config.only = optarg;
			break;
		default:
			return 64;
		}
	}
	if (optind + 1 != argc)
		errx(64, "usage: drive [-s SECONDS] [-v] [-j N] [-c CALL] HARNESS");
	d.config.harness = argv[optind];
	strlcpy(d.config.dir, "/tmp/spawnd-fault.XXXXXX", sizeof(d.config.dir));
	if (mkdtemp(d.config.dir) == NULL)
		err(1, "%s", d.config.dir);
	d.runs = mmap(NULL, RUNS_MAX * sizeof(*d.runs), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (d.runs == MAP_FAILED)
		err(1, "mmap");
	look(&d, false);
	look(&d, true);
	if (d.config.seconds > 0) {
		sample(&d);
	} else {
		singly(&d);
		in_a_row(&d);
	}
	print_failures(&d);
	rmdir(d.config.dir);
	return d.bad_count == 0 ? 0 : 1;
}
