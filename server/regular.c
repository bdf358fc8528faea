/*
 * regular: see regular.h.
 */
#include "server/regular.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* By this name a descriptor of O_PATH is opened in earnest: whatever path leads to meanwhile. proc(5) */
#define LINK_SIZE 64

/* Holds what stands there without opening it, open(2). A descriptor or -errno. */
static int
hold(const char *path, struct stat *st, char link[LINK_SIZE])
{
	FD_CLEANUP int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EOPNOTSUPP;
	snprintf(link, LINK_SIZE, "/proc/self/fd/%d", fd);
	return fd_take(&fd);
}

int
regular_open(const char *path, int64_t *ret_size)
{
	char link[LINK_SIZE];
	struct stat st;
	int fd, held = hold(path, &st, link);

	if (held < 0)
		return held;
	fd = open(link, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	fd_close(&held);
	if (fd < 0)
		return -errno;
	*ret_size = (int64_t)st.st_size;
	return fd;
}

int64_t
regular_close_to_others(const char *path)
{
	char link[LINK_SIZE];
	struct stat st;
	int held = hold(path, &st, link);

	if (held < 0)
		return 0;
	if ((st.st_mode & 07777) != 0600)
		chmod(link, 0600);
	fd_close(&held);
	return (int64_t)st.st_size;
}
