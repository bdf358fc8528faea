/*
 * lock: see lock.h. Run by the daemon before it serves, and by the server. Must never remove the file: two daemons
 * could then hold two locks of one name.
 */
#include "cli/lock.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PID_SIZE 16

/* So long somebody who holds the lock of one who has died may take to end, or to sign for it. */
#define ORPHAN_NS (5 * NSEC_PER_SEC)
#define PAUSE_MS 10

static void
read_holder(int fd, char pid[PID_SIZE])
{
	ssize_t n = pread(fd, pid, PID_SIZE - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
}

/*
 * Whether the supervisor that took it has died. Then it is its server's, which is about to end, or to sign as the
 * supervisor.
 */
static bool
is_orphaned(int fd)
{
	char pid[PID_SIZE];

	read_holder(fd, pid);
	return pid[0] != '\0' && kill((pid_t)strtol(pid, NULL, 10), 0) < 0 && errno == ESRCH;
}

static int
fault_held(int fd, const char *path, struct fault *f)
{
	char pid[PID_SIZE];

	read_holder(fd, pid);
	return fault_set(f, EWOULDBLOCK,
	    "another daemon%s%s%s holds %s; 'spawnd stop' ends it, and "
	    "with SPAWND_HOME this one gets a place of its own",
	    pid[0] != '\0' ? " (process " : "", pid, pid[0] != '\0' ? ")" : "", path);
}

int
lock_is_at(int fd, const char *path)
{
	struct stat held, named;

	if (fstat(fd, &held) < 0)
		return -errno;
	if (lstat(path, &named) < 0)
		return errno == ENOENT ? 0 : -errno;
	return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static int
lock_open(const char *path, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	int r;

	/* Not for writing: the file system may have to become read-only while it is held. */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return fault_set(f, errno, "%s: %s; remove it if it is no file of yours", path,
		    strerror(errno));
	r = path_check_file(path, fd, f);
	if (r < 0)
		return r;
	*ret_fd = fd_take(&fd);
	return 0;
}

int
lock_take(const char *path, int *ret_fd, struct fault *f)
{
	const uint64_t deadline_ns = clock_add_ns(clock_mono_ns(), ORPHAN_NS);
	FD_CLEANUP int fd = -1;
	int r;

	for (;;) {
		fd_close(&fd);
		r = lock_open(path, &fd, f);
		if (r < 0)
			return r;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return fault_set(f, errno,
				    "%s: cannot be locked: %s; put it on another file system with "
				    "SPAWND_HOME, XDG_STATE_HOME or XDG_RUNTIME_DIR",
				    path, strerror(errno));
			if (!is_orphaned(fd) || clock_mono_ns() >= deadline_ns)
				return fault_held(fd, path, f);
			poll(NULL, 0, PAUSE_MS);
			continue;
		}
		r = lock_is_at(fd, path);
		if (r < 0)
			return fault_set(f, -r, "%s: %s", path, strerror(-r));
		if (r == 1)
			break;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Two names may be one directory; what is gone is where its name is. */
static bool
is_same_place(const char *a, const char *b)
{
	struct stat one, other;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	    one.st_ino == other.st_ino;
}

bool
lock_is_elsewhere(const char *path, const char *place, struct fault *f)
{
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[PID_SIZE + PATH_MAX], *rest = text, *pid, *signed_place;
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	pid = strsep(&rest, "\n");
	signed_place = strsep(&rest, "\n");
	if (signed_place == NULL || signed_place[0] != '/' || is_same_place(signed_place, place))
		return false;
	fault_set(f, EWOULDBLOCK,
	    "another daemon (process %s) holds %s, and serves in %s, not in %s; to reach it, set "
	    "XDG_RUNTIME_DIR as it was set there, or SPAWND_SOCKET=%s/socket",
	    pid, path, signed_place, place, signed_place);
	return true;
}

void
lock_sign(int fd, pid_t pid, const char *place)
{
	char text[PID_SIZE + PATH_MAX + 2], self[32];
	FD_CLEANUP int out = -1;
	int len = snprintf(text, sizeof(text), "%d\n%s\n", (int)pid, place);

	/* A full disk costs the next daemon's message what it would say, nothing else. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	out = open(self, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (out >= 0)
		fd_write_all(out, text, (size_t)len);
}
