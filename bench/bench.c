/*
 * bench: figures, as ratios against something else in the same run. Needs a daemon that serves at
 * $SPAWND_HOME/run/socket with nothing else to do (bench/run starts one); not a test, asserts nothing.
 *
 * batch: N jobs of /bin/true, stored and recorded, against a bare vfork+exec+wait loop at the same concurrency
 */
#include "bench/client.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 3

static void
enqueue(struct client *s, const char *parent, int n, const char *program, const char *argument)
{
	/* In pieces, so that neither side's buffer is full of the other's. */
	for (int i = 0; i < n; i++) {
		client_send(s,
		    json_pack("{s:s, s:{s:s, s:s, s:[s, s]}}", "method", "org.spawnd.Enqueue",
			"parameters", "parent", parent, "max_idle", "1s", "argv", program,
			argument));
		if (i % 100 == 99 || i == n - 1)
			for (int j = i % 100; j >= 0; j--)
				json_decref(client_receive(s));
	}
}

static void
count(void *arg, const json_t *record)
{
	*(int *)arg += json_is_object(record);
}

static double
batch(struct client *s, int n, int round)
{
	char parent[32];
	double began = bench_now();
	int records = 0;

	snprintf(parent, sizeof(parent), "batch-%d-%d", (int)getpid(), round);
	enqueue(s, parent, n, "/bin/true", "x");
	client_records(s, parent, count, &records);
	if (records != n)
		errx(1, "%d jobs, %d records", n, records);
	return n / (bench_now() - began);
}

static __attribute__((noinline)) void
start_true(void)
{
	if (vfork() == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
}

static double
bare_loop(int n, int width)
{
	double began = bench_now();
	int running = 0, started = 0, ended = 0;

	while (ended < n) {
		for (; running < width && started < n; running++, started++)
			start_true();
		if (wait(NULL) > 0) {
			running--;
			ended++;
		}
	}
	return n / (bench_now() - began);
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000, width = argc > 2 ? atoi(argv[2]) : 8;
	static struct client s;

	client_open(&s);
	for (int round = 0; round < ROUNDS; round++) {
		double ours = batch(&s, n, round), bare = bare_loop(n, width);

		printf("batch     %8.0f /s   bare loop %8.0f /s   ratio %.2f\n", ours, bare,
		    ours / bare);
	}
	return 0;
}
