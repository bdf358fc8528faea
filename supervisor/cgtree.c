/*
 * cgtree: see cgtree.h. Run by the supervisor. Directories in the cgroup file system, which is memory. Never
 * allocates, never removes what it was not told to, and holds few descriptors, however deep a tree is.
 */
#include "supervisor/cgtree.h"

#include "base/fd.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What others remove as stale just then is made again. */
#define MAKINGS_MAX 8

/*
 * Goes down to a cgroup below which there are some that can be removed, and removes these: it holds two descriptors,
 * however deep that is. Whether there were any.
 */
static bool
remove_below(int dir_fd, const char *name, int *budget)
{
	_Alignas(struct fd_entry) char buffer[1024];
	FD_CLEANUP int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char deeper[NAME_MAX + 1];
	const struct fd_entry *e;
	bool has_removed = false;
	ssize_t len, at;
	int parent_fd;

	while (fd != -1 && !has_removed) {
		deeper[0] = '\0';
		while (*budget > 0 && (len = fd_read_entries(fd, buffer, sizeof(buffer))) > 0) {
			for (at = 0; at<len && * budget> 0; at += e->reclen) {
				e = (const struct fd_entry *)(buffer + at);
				if (e->type != DT_DIR || e->name[0] == '.')
					continue;
				(*budget)--;
				if (unlinkat(fd, e->name, AT_REMOVEDIR) == 0)
					has_removed = true;
				else if (deeper[0] == '\0')
					strlcpy(deeper, e->name, sizeof(deeper));
			}
		}
		if (deeper[0] == '\0' || *budget <= 0)
			break;
		parent_fd = fd_take(&fd);
		fd = openat(parent_fd, deeper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_close(&parent_fd);
	}
	return has_removed;
}

int
cgtree_remove(int dir_fd, const char *name, int *budget)
{
	bool has_removed = false;

	while (unlinkat(dir_fd, name, AT_REMOVEDIR) == -1) {
		if (errno != EBUSY && errno != ENOTEMPTY)
			return errno == ENOENT ? 0 : -errno;
		/* Who gets nowhere with all of his budget would not with another. */
		if (!remove_below(dir_fd, name, budget))
			return *budget <= 0 && has_removed ? -EAGAIN : -EBUSY;
		has_removed = true;
	}
	return 0;
}

/* Opens and holds it, if nobody does. */
static int
open_held(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;

	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd == -1 ? -errno : fd;
	error = -errno;
	fd_close(&fd);
	return error;
}

void
cgtree_remove_stale(int own_fd, const char *prefix, int *budget)
{
	_Alignas(struct fd_entry) char buffer[4096];
	const struct fd_entry *e;
	FD_CLEANUP int fd = openat(own_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int base_fd;
	ssize_t len, at;

	while (fd != -1 && (len = fd_read_entries(fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < len; at += e->reclen) {
			e = (const struct fd_entry *)(buffer + at);
			if (e->type != DT_DIR || strncmp(e->name, prefix, strlen(prefix)) != 0)
				continue;
			base_fd = open_held(own_fd, e->name);
			if (base_fd >= 0)
				cgtree_remove(own_fd, e->name, budget);
			fd_close(&base_fd);
		}
	}
}

int
cgtree_make_held(int dir_fd, const char *name)
{
	int tries, fd = -EAGAIN;

	for (tries = 0; tries < MAKINGS_MAX; tries++) {
		if (mkdirat(dir_fd, name, 0755) == -1 && errno != EEXIST)
			return -errno;
		fd = open_held(dir_fd, name);
		if (fd >= 0 && faccessat(dir_fd, name, F_OK, 0) == 0)
			return fd;
		fd_close(&fd);
	}
	return fd < 0 ? fd : -EAGAIN;
}
