/*
 * play: what a harness needs to play the server: to send to the supervisor, and to open what a job gets. Files are
 * in the harness's directory: JOB.out, JOB.beats.
 */
#ifndef TESTS_HARNESS_PLAY_H
#define TESTS_HARNESS_PLAY_H

#include "base/fd.h"
#include "tests/harness/observe.h"
#include "wire/launch.h"
#include "wire/wire.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* Waits until the wire takes it. 0 or -errno of wire_send(). */
static inline int
play_send(enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds)
{
	int error;

	while ((error = wire_send(WIRE_SERVER_FD, type, m, fds, nfds)) == -EAGAIN)
		poll(&(struct pollfd){.fd = WIRE_SERVER_FD, .events = POLLOUT}, 1, -1);
	return error;
}

static inline int
play_open(const char *dir, uint64_t job, const char *suffix, int flags)
{
	char name[64], path[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%" PRIu64 ".%s", job, suffix);
	path_in(dir, name, path);
	if (strcmp(suffix, "beats") == 0 && mkfifo(path, 0600) == -1 && errno != EEXIST)
		err(1, "%s", path);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd == -1)
		err(1, "%s", path);
	return fd;
}

/* A launch block of this command, with the harness's environment. */
static inline int
play_launch(char **argv)
{
	extern char **environ;
	struct launch launch = {.directory = "/",
	    .stdin_path = "/dev/null",
	    .argv = argv,
	    .env = environ,
	    .umask = 027};
	void *block;
	size_t len;
	int fd;

	if (launch_pack(&launch, &block, &len) != 0)
		errx(1, "cannot pack");
	fd = launch_to_memfd(block, len);
	if (fd < 0)
		errx(1, "memfd: %s", strerror(-fd));
	free(block);
	return fd;
}

/* A mark for a job, as HELLO bounds it. */
static inline uint64_t
play_mark(const struct wire_hello *hello)
{
	uint64_t mark;

	if (hello->mark_limit <= WIRE_MARK_LEAST)
		return 0;
	if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
		err(1, "getrandom");
	return WIRE_MARK_LEAST + mark % (hello->mark_limit - WIRE_MARK_LEAST);
}

/* SPAWN m, with launch_fd, which is closed, and all else that a job gets. As play_send(). */
static inline int
play_spawn(const char *dir, struct wire_message *m, int launch_fd)
{
	uint64_t job = m->spawn.job;
	int fds[WIRE_FD_COUNT] = {
	    [WIRE_FD_LAUNCH] = launch_fd,
	    [WIRE_FD_STDIN] = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    [WIRE_FD_OUTPUT] = play_open(dir, job, "out", O_WRONLY | O_CREAT | O_APPEND),
	    [WIRE_FD_BEATS] = play_open(dir, job, "beats", O_RDWR | O_NONBLOCK),
	    [WIRE_FD_CHILD_BEATS] = play_open(dir, job, "beats", O_RDWR),
	    [WIRE_FD_DIRECTORY] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int i, error = play_send(WIRE_SPAWN, m, fds, WIRE_FD_COUNT);

	for (i = 0; i < WIRE_FD_COUNT; i++)
		fd_close(&fds[i]);
	return error;
}

#endif
