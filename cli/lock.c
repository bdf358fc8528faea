/*
 * lock: see lock.h. Run by the daemon before it serves. Must never remove the file: two daemons
 * could then hold two locks of one name.
 */
#include "cli/lock.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fault_held(int fd, const char *path, struct fault *f)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strspn(pid, "0123456789")] = '\0';
	return fault_set(f, EWOULDBLOCK,
	    "another daemon%s%s%s holds %s; 'spawnd stop' ends it, and "
	    "with SPAWND_HOME this one gets a place of its own",
	    pid[0] != '\0' ? " (process " : "", pid, pid[0] != '\0' ? ")" : "", path);
}

/* Whether path still is the file behind fd: somebody may clean up in /tmp. 1, 0 or -errno. */
static int
is_same_file(int fd, const char *path)
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
	struct stat st;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(f, errno, "%s: %s; remove it if it is no file of yours", path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return fault_set(f, EPERM, "%s: no regular file of yours; remove it", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int
lock_take(const char *path, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	int r;

	for (;;) {
		fd_close(&fd);
		r = lock_open(path, &fd, f);
		if (r < 0)
			return r;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				return fault_held(fd, path, f);
			return fault_set(f, errno, "%s: cannot be locked: %s", path,
			    strerror(errno));
		}
		r = is_same_file(fd, path);
		if (r < 0)
			return fault_set(f, -r, "%s: %s", path, strerror(-r));
		if (r == 1)
			break;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

void
lock_sign(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* A full disk costs the next daemon's message the number, nothing else. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}
