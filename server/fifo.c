/*
 * fifo: see fifo.h.
 */
#include "server/fifo.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check(const char *path, const struct stat *st, struct fault *f)
{
	if (S_ISLNK(st->st_mode))
		return fault_set(f, ELOOP, "%s: is a link; name the FIFO itself", path);
	if (!S_ISFIFO(st->st_mode))
		return fault_set(f, EEXIST,
		    "%s: is not a FIFO; remove it, or choose another path with fifo --at", path);
	if (st->st_uid != geteuid())
		return fault_set(f, EPERM,
		    "%s: belongs to user %u; choose another path with fifo --at", path,
		    (unsigned)st->st_uid);
	if ((st->st_mode & 077) != 0)
		return fault_set(f, EPERM, "%s: open to other users; run: chmod 600 %s", path,
		    path);
	return 0;
}

int
fifo_make(const char *path, struct fault *f)
{
	struct stat st;

	if (mkfifo(path, 0600) == 0)
		return 0;
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)
		return fault_set(f, errno,
		    "%s: this file system has no FIFOs; choose another path with fifo --at, or another "
		    "place for all of them with XDG_RUNTIME_DIR or SPAWND_HOME",
		    path);
	if (errno != EEXIST)
		return fault_set(f, errno, "%s: cannot make the FIFO: %s%s", path, strerror(errno),
		    errno == ENOENT ? "; make the directory first" : "");
	if (lstat(path, &st) < 0)
		return fault_set(f, errno, "%s: %s", path, strerror(errno));
	return check(path, &st, f);
}

int
fifo_open(const char *path, struct fault *f)
{
	FD_CLEANUP int both = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	char link[32];
	struct stat st;
	int r, fd;

	if (both < 0)
		return fault_set(f, errno, "%s: cannot open the FIFO: %s", path, strerror(errno));
	if (fstat(both, &st) < 0)
		return fault_set(f, errno, "%s: %s", path, strerror(errno));
	r = check(path, &st, f);
	if (r < 0)
		return r;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", both);
	fd = open(link, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, errno, "%s: cannot open the FIFO: %s", path, strerror(errno));
	return fd;
}

bool
fifo_has_reader(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

size_t
fifo_unread(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

size_t
fifo_drain(int fd)
{
	char link[32], buffer[4096];
	FD_CLEANUP int reader = -1;
	size_t drained = 0;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	reader = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while (reader >= 0 && (n = read(reader, buffer, sizeof(buffer))) > 0)
		drained += (size_t)n;
	return drained;
}

void
fifo_identify(int fd, struct fifo_id *ret_id)
{
	struct stat st = {0};

	fstat(fd, &st); /* fails for a bad descriptor only */
	*ret_id = (struct fifo_id){st.st_dev, st.st_ino};
}

bool
fifo_identify_at(const char *path, struct fifo_id *ret_id)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return false;
	*ret_id = (struct fifo_id){st.st_dev, st.st_ino};
	return true;
}

bool
fifo_is_same(int fd, const char *path)
{
	struct fifo_id a, b;

	fifo_identify(fd, &a);
	return fifo_identify_at(path, &b) && a.device == b.device && a.inode == b.inode;
}
