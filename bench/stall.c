/*
 * stall: the child of bench/lateness.c. Writes down when it began and when SIGTERM came, in place
 * INDEX of FILE, and ends; else it sleeps. Links nothing but libc, so that it begins soon.
 *
 *	stall FILE INDEX
 */
#include "bench/stall.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* So that nobody stays for ever where the benchmark fails. */
#define PATIENCE_S 300

static struct stall_times *times;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
terminated(int signo)
{
	(void)signo;
	times->signalled = now();
	_exit(0);
}

int
main(int argc, char **argv)
{
	double began = now();
	size_t index, len;
	int fd;

	if (argc != 3)
		errx(64, "usage: stall FILE INDEX");
	index = strtoul(argv[2], NULL, 10);
	len = (index + 1) * sizeof(*times);
	fd = open(argv[1], O_RDWR);
	times = fd < 0 ? MAP_FAILED : mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (times == MAP_FAILED)
		err(71, "%s", argv[1]);
	times += index;
	signal(SIGTERM, terminated);
	times->began = began;
	sleep(PATIENCE_S);
	return 1;
}
