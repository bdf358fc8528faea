/*
 * fd: see fd.h. Any process. Never logs; closes nothing but what it is given.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_read_all(int fd, void *data, size_t len)
{
	char *p = data;
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = read(fd, p + have, len - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

ssize_t
fd_read_entries(int dir_fd, void *buffer, size_t size)
{
	long n = syscall(SYS_getdents64, dir_fd, buffer, size);

	return n == -1 ? -errno : n;
}

uint64_t
fd_raise_limit(uint64_t *ret_before)
{
	struct rlimit limit;
	rlim_t before;

	/* It fails for a bad address only. */
	getrlimit(RLIMIT_NOFILE, &limit);
	before = limit.rlim_cur;
	*ret_before = before;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		return before;
	return limit.rlim_cur;
}

int
fd_set_cloexec(int fd, int on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) == -1 ? -errno : 0;
}

int
fd_fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO && fd_set_cloexec(fd, 0) == 0);
	if (fd == -1)
		return -errno;
	close(fd);
	return 0;
}

bool
fd_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}
