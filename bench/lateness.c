/*
 * lateness: how late a kill is where many jobs expire within one second. Needs a daemon that serves
 * at $SPAWND_HOME/run/socket with room for all of them (bench/run starts one); not a test.
 *
 *	lateness STALL JOBS ROUND
 *
 * Quiet jobs (bench/stall.c) are started one after the other, each with what is left until its own
 * moment in one second to come as its limit. Of each kind of limit are printed, in ms, as
 * `lateness WHOSE-KIND-WHAT-FIGURE ROUND VALUE ms LOAD`, by tabs, with the median, the 99th percentile and the worst:
 *
 * signal   from the limit until SIGTERM arrived at the child. The limit is counted from started_at of the
 *          record, so this is right to half a millisecond; `bare` is exact
 * verdict  (idle only) from the limit until the supervisor found it passed, by the record, whole ms
 * gone     from the limit until nothing was left of the job, by the record, whole ms
 * began    from the child's first instruction until the supervisor knew that it was executed
 *
 * For comparison, `bare` is a loop that has nothing to do but to sleep until the moment of each of as many
 * children of its own and to signal that one. `timeout` is timeout(1), a process of its own for each job: from the
 * child's first instruction on, which is a little after its clock began.
 */
#include "bench/client.h"
#include "bench/stall.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* All jobs must have begun by then: so many times as long as the bare loop takes to start as many. */
#define LEAD_FACTOR 2
#define LEAD_LEAST_S 3
/* Replies that are waited for together: few, so that a job starts soon after its limit was made out. */
#define PIECE 10

struct lateness {
	const char *program;
	char path[128];
	struct stall_times *times;
	double *limits, *started, *verdicts, *gone; /* of each job; s, s, ms, ms */
	double lead;                                /* s */
	int count, records;
	const char *round;
	char containment[16];
};

static int
compare(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) -
	    (*(const double *)a < *(const double *)b);
}

static void
print_one(const struct lateness *l, const char *by, const char *what, const char *figure, double ms)
{
	double load = 0;

	getloadavg(&load, 1);
	printf("lateness\t%s-%s-%s\t%s\t%.3f\tms\t%.2f\n", by, what, figure, l->round, ms, load);
}

static void
print(const struct lateness *l, const char *by, const char *what, double *ms)
{
	qsort(ms, (size_t)l->count, sizeof(*ms), compare);
	print_one(l, by, what, "median", ms[l->count / 2]);
	print_one(l, by, what, "p99", ms[(int)(l->count * 0.99)]);
	print_one(l, by, what, "worst", ms[l->count - 1]);
}

/* When job i expires: not in the order of starting. */
static double
moment(const struct lateness *l, double first, int i)
{
	return first + (double)((i * 7919L) % l->count) / l->count;
}

static void
sleep_until(double moment)
{
	struct timespec t = {.tv_sec = (time_t)moment};

	t.tv_nsec = (long)((moment - (double)t.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
		continue;
}

static void
clear(struct lateness *l)
{
	memset(l->times, 0, (size_t)l->count * sizeof(*l->times));
	l->records = 0;
}

static __attribute__((noinline)) pid_t
start_stall(const struct lateness *l, const char *index)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(l->program, "stall", l->path, index, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		err(1, "vfork");
	return pid;
}

struct bare {
	double at;
	pid_t pid;
	int index;
};

static void
bare(struct lateness *l)
{
	struct bare *all = calloc((size_t)l->count, sizeof(*all));
	double *ms = calloc((size_t)l->count, sizeof(*ms)), first, began = bench_now();
	char index[16];

	clear(l);
	for (int i = 0; i < l->count; i++) {
		snprintf(index, sizeof(index), "%d", i);
		all[i] = (struct bare){.pid = start_stall(l, index), .index = i};
	}
	first = bench_now() + 1;
	l->lead = LEAD_LEAST_S + (first - began) * LEAD_FACTOR;
	for (int i = 0; i < l->count; i++)
		all[i].at = moment(l, first, i);
	/* By time, which is the first member. */
	qsort(all, (size_t)l->count, sizeof(*all), compare);
	for (int i = 0; i < l->count; i++) {
		sleep_until(all[i].at);
		kill(all[i].pid, SIGTERM);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
	while (wait(NULL) > 0)
		continue;
	for (int i = 0; i < l->count; i++)
		ms[i] = (l->times[all[i].index].signalled - all[i].at) * 1e3;
	print(l, "bare", "signal", ms);
	free(all);
	free(ms);
}

static __attribute__((noinline)) void
start_timeout(const struct lateness *l, const char *limit, const char *index)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execlp("timeout", "timeout", limit, l->program, l->path, index, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		err(1, "vfork");
}

static void
timeouts(struct lateness *l)
{
	double *ms = calloc((size_t)l->count, sizeof(*ms)), first = bench_now() + l->lead;
	char limit[32], index[16];

	clear(l);
	for (int i = 0; i < l->count; i++) {
		l->limits[i] = moment(l, first, i) - bench_now();
		if (l->limits[i] < 0)
			errx(1, "the machine is too slow for %d timeouts", l->count);
		snprintf(limit, sizeof(limit), "%.6f", l->limits[i]);
		snprintf(index, sizeof(index), "%d", i);
		start_timeout(l, limit, index);
	}
	while (wait(NULL) > 0)
		continue;
	for (int i = 0; i < l->count; i++)
		ms[i] = (l->times[i].signalled - l->times[i].began - l->limits[i]) * 1e3;
	if (l->times[0].began > 0)
		print(l, "timeout", "signal", ms);
	free(ms);
}

static void
enqueue(struct lateness *l, struct client *s, const char *kind, double first)
{
	char limit[32], child[16], index[16], name[16];

	snprintf(name, sizeof(name), "max_%s", kind);
	for (int i = 0; i < l->count; i++) {
		/* As it is written, to the millisecond. */
		l->limits[i] = (double)(long)((moment(l, first, i) - bench_now()) * 1e3) / 1e3;
		if (l->limits[i] < 1)
			errx(1, "the machine is too slow for %d jobs", l->count);
		snprintf(limit, sizeof(limit), "%.3fs", l->limits[i]);
		snprintf(index, sizeof(index), "%d", i);
		snprintf(child, sizeof(child), "c%d", i);
		client_send(s,
		    json_pack("{s:s, s:{s:s, s:s, s:s, s:[s, s, s]}}", "method",
			"org.spawnd.Enqueue", "parameters", "parent", kind, "child", child, name,
			limit, "argv", l->program, l->path, index));
		if (i % PIECE == PIECE - 1 || i == l->count - 1)
			for (int j = i % PIECE; j >= 0; j--)
				json_decref(client_receive(s));
	}
}

/* A time of a record on CLOCK_MONOTONIC. It was cut to milliseconds, so half of one is added. */
static double
moment_of(const char *text)
{
	struct timespec wall;
	struct tm tm = {0};
	int ms;

	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7)
		errx(1, "an odd time: %s", text);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	clock_gettime(CLOCK_REALTIME, &wall);
	return bench_now() + (double)(timegm(&tm) - wall.tv_sec) + (ms + 0.5) / 1e3 -
	    (double)wall.tv_nsec / 1e9;
}

static void
note(void *arg, const json_t *record)
{
	struct lateness *l = arg;
	const char *child, *status, *containment, *started;
	json_int_t elapsed, idle;
	int i;

	if (!json_is_object(record))
		return;
	if (json_unpack((json_t *)record, "{s:s, s:s, s:s, s:s, s:I, s:I}", "child", &child,
		"status", &status, "containment", &containment, "started_at", &started,
		"elapsed_ms", &elapsed, "idle_ms", &idle) != 0)
		errx(1, "an odd record: %s", json_dumps(record, 0));
	i = atoi(child + 1);
	if (strcmp(status, "timeout") != 0)
		errx(1, "%s: %s", child, json_dumps(record, 0));
	snprintf(l->containment, sizeof(l->containment), "%s", containment);
	l->started[i] = moment_of(started);
	l->gone[i] = (double)elapsed - l->limits[i] * 1e3;
	l->verdicts[i] = (double)idle - l->limits[i] * 1e3;
	l->records++;
}

static void
watched(struct lateness *l, struct client *s, const char *kind)
{
	double *ms = calloc((size_t)l->count, sizeof(*ms)), first = bench_now() + l->lead;
	double *began = calloc((size_t)l->count, sizeof(*ms)), from = 0, to = 0;
	char by[32];

	clear(l);
	enqueue(l, s, kind, first);
	client_records(s, kind, note, l);
	if (l->records != l->count)
		errx(1, "%d jobs, %d records", l->count, l->records);
	for (int i = 0; i < l->count; i++) {
		double at = l->started[i] + l->limits[i];

		ms[i] = (l->times[i].signalled - at) * 1e3;
		began[i] = (l->started[i] - l->times[i].began) * 1e3;
		from = i == 0 || at < from ? at : from;
		to = at > to ? at : to;
	}
	snprintf(by, sizeof(by), "%s-%s", l->containment, kind);
	print(l, by, "signal", ms);
	if (strcmp(kind, "idle") == 0)
		print(l, by, "verdict", l->verdicts);
	print(l, by, "gone", l->gone);
	print(l, by, "began", began);
	print_one(l, by, "limits", "within", (to - from) * 1e3);
	free(began);
	free(ms);
}

static void
map_times(struct lateness *l)
{
	size_t len = (size_t)l->count * sizeof(*l->times);
	int fd;

	snprintf(l->path, sizeof(l->path), "%.80s/stall-times", getenv("SPAWND_HOME"));
	fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
		err(1, "%s", l->path);
	l->times = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (l->times == MAP_FAILED)
		err(1, "%s", l->path);
	close(fd);
}

int
main(int argc, char **argv)
{
	static struct client s;
	struct lateness l = {.count = argc == 4 ? atoi(argv[2]) : 0};

	setlinebuf(stdout);
	if (l.count < 1)
		errx(64, "usage: lateness STALL JOBS ROUND");
	l.program = argv[1];
	l.round = argv[3];
	l.limits = calloc((size_t)l.count, sizeof(double));
	l.started = calloc((size_t)l.count, sizeof(double));
	l.verdicts = calloc((size_t)l.count, sizeof(double));
	l.gone = calloc((size_t)l.count, sizeof(double));
	client_open(&s);
	map_times(&l);
	bare(&l);
	timeouts(&l);
	watched(&l, &s, "total");
	watched(&l, &s, "idle");
	return 0;
}
