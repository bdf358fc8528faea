/*
 * crowd: starts jobs that stay, in the daemon that serves at $SPAWND_HOME/run/socket, until as many of them run as are
 * to run; prints how many run, and the process numbers of supervisor and server: `RUNNING SUPERVISOR SERVER`.
 *
 *	crowd JOBS RUNNING COMMAND [ARGUMENT...]
 *
 * With JOBS 0 only what there is is waited for, and printed.
 */
#include "bench/client.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE_S 300
#define PAUSE_NS 50000000L

int
main(int argc, char **argv)
{
	int jobs = argc > 2 ? atoi(argv[1]) : 0, wanted = argc > 2 ? atoi(argv[2]) : 0;
	static struct client s;
	double began = bench_now();
	struct timespec pause = {0, PAUSE_NS};
	json_t *info;

	if (argc < 3 || (jobs > 0 && argc < 4))
		errx(64, "usage: crowd JOBS RUNNING COMMAND...");
	client_open(&s);
	if (jobs > 0)
		client_enqueue(&s, "crowd", jobs, (const char *const *)argv + 3);
	while (info = client_info(&s), client_number(info, "running") < wanted) {
		if (bench_now() - began > PATIENCE_S)
			errx(1, "only %d of %d run", client_number(info, "running"), wanted);
		json_decref(info);
		nanosleep(&pause, NULL);
	}
	printf("%d %d %d\n", client_number(info, "running"), client_number(info, "pid"),
	    client_number(info, "server_pid"));
	json_decref(info);
	return 0;
}
