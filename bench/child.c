/*
 * child: what the benchmarks let spawnd run in great numbers. Linked with nothing but libc.
 *
 *	child quiet       gives no sign of life
 *	child beat        one byte a second on its heartbeat pipe, at a moment of its own
 *	child flood       fills its heartbeat pipe as fast as it can
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000L
#define FLOOD_LEN 4096

static void
beat(int fd)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	/* Children that were started together do not beat together. */
	at.tv_nsec = getpid() * 7919L * 1000 % SECOND_NS;
	for (;; at.tv_sec++) {
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
			continue;
		if (write(fd, "\n", 1) != 1)
			err(1, "write");
	}
}

static void
flood(int fd)
{
	char noise[FLOOD_LEN];

	memset(noise, 'x', sizeof(noise));
	noise[sizeof(noise) - 1] = '\n';
	for (;;) {
		if (write(fd, noise, sizeof(noise)) < 0)
			err(1, "write");
	}
}

int
main(int argc, char **argv)
{
	const char *text = getenv("SPAWND_HEARTBEAT_FD");
	int fd = text == NULL ? -1 : atoi(text);

	if (argc != 2)
		errx(64, "usage: child quiet | beat | flood");
	if (strcmp(argv[1], "beat") == 0)
		beat(fd);
	if (strcmp(argv[1], "flood") == 0)
		flood(fd);
	for (;;)
		pause();
}
