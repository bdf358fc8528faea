/*
 * beatpaths: see beatpaths.h. Reads what the supervisor has open, and opens none of it; of a job, which may
 * have anything there, it opens nothing before it is known to be the FIFO. A path is never gone while
 * it is changed: `echo >"$SPAWND_HEARTBEAT"` would make a file there.
 */
#include "server/beatpaths.h"

#include "base/fd.h"
#include "base/mark.h"

#include <bsd/stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVED " (deleted)"

/* The job of a heartbeat FIFO by the path that it has or had, which is cut; NULL: it is none. */
static const char *
job_of(char *path)
{
	char *job, *dir, *removed = strstr(path, REMOVED);
	const char *fault;

	if (removed != NULL)
		*removed = '\0';
	job = strrchr(path, '/');
	if (job == NULL)
		return NULL;
	*job++ = '\0';
	dir = strrchr(path, '/');
	strtonum(job, 1, INT64_MAX, &fault);
	return fault == NULL && dir != NULL && strcmp(dir, "/beats") == 0 ? job : NULL;
}

int
beatpaths_of(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "%" PRId64, job);
	return path_join(p->beats_dir, name, path);
}

/* path becomes a link to target, whatever was there. 0 or -errno. */
static int
relink(const struct paths *p, const char *target, const char *path)
{
	char made[PATH_MAX];
	int r = path_join(p->beats_dir, ".link", made);

	if (r < 0)
		return r;
	unlink(made);
	return symlink(target, made) < 0 || rename(made, path) < 0 ? -errno : 0;
}

/*
 * Whether a link may be put there: nothing is, or a link to elsewhere, or the file that a job's `echo >` has made
 * while there was nothing.
 */
static bool
is_vacant(const char *path, const char *target)
{
	char now[PATH_MAX];
	ssize_t len = readlink(path, now, sizeof(now) - 1);
	struct stat st;

	if (len < 0 && errno == EINVAL)
		return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
	if (len < 0)
		return errno == ENOENT;
	now[len] = '\0';
	return strcmp(now, target) != 0;
}

static void
mend_one(const struct paths *p, const char *link)
{
	char target[PATH_MAX], path[PATH_MAX];
	ssize_t len = readlink(link, target, sizeof(target) - 1);
	struct stat st;
	const char *job;

	if (len <= 0 || stat(link, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	target[len] = '\0';
	job = job_of(target);
	if (job != NULL && path_join(p->beats_dir, job, path) == 0 && is_vacant(path, link))
		relink(p, link, path);
}

void
beatpaths_mend(const struct paths *p, pid_t supervisor)
{
	char dir_path[64], link[sizeof(dir_path) + NAME_MAX + 1];
	struct dirent *entry;
	DIR *dir;

	snprintf(dir_path, sizeof(dir_path), "/proc/%d/fd", (int)supervisor);
	dir = opendir(dir_path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", dir_path, entry->d_name);
		mend_one(p, link);
	}
	if (dir != NULL)
		closedir(dir);
}

void
beatpaths_mend_job(const struct paths *p, int64_t job, pid_t supervisor)
{
	char path[PATH_MAX], target[PATH_MAX], ours[64];
	ssize_t len = beatpaths_of(p, job, path);

	if (len == 0)
		len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return;
	target[len] = '\0';
	snprintf(ours, sizeof(ours), "/proc/%d/", (int)supervisor);
	if (strncmp(target, ours, strlen(ours)) != 0)
		beatpaths_mend(p, supervisor);
}

/* Whether a descriptor opened with O_PATH is the job's heartbeat pipe, by the path that it has or had. */
static bool
is_pipe_of(int fd, int64_t job)
{
	char link[32], path[PATH_MAX], number[32];
	const char *found;
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	snprintf(number, sizeof(number), "%" PRId64, job);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return false;
	path[len] = '\0';
	found = job_of(path);
	return found != NULL && strcmp(found, number) == 0;
}

/* -ENOENT: the job does not have it any more; another -errno: that cannot be seen. */
static int
open_of_job(const struct paths *p, const struct standing *st, const char *path)
{
	char link[64], own[32];
	uint64_t mark, outer;
	FD_CLEANUP int found = -1;
	int fd;

	if (st->pid <= 0)
		return -ENOENT;
	snprintf(link, sizeof(link), "/proc/%d/fd/3", (int)st->pid);
	found = open(link, O_PATH | O_CLOEXEC);
	if (found < 0)
		return -errno;
	/* After the opening: its number may have been given to another process before. */
	if (!is_pipe_of(found, (int64_t)st->job) || mark_read(st->pid, &mark, &outer) < 0 ||
	    (st->mark != 0 && mark != st->mark && outer != st->mark))
		return -ENOENT;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", found);
	fd = open(own, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Until the supervisor has it open. */
	relink(p, link, path);
	return fd;
}

static int
open_at(const char *path)
{
	FD_CLEANUP int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISFIFO(st.st_mode) ? fd_take(&fd) : -EEXIST;
}

static int
open_new(const struct paths *p, const char *path)
{
	char made[PATH_MAX];
	int r = path_join(p->beats_dir, ".link", made);

	if (r < 0)
		return r;
	unlink(made);
	if (mkfifo(made, 0600) < 0 || rename(made, path) < 0)
		return -errno;
	return open_at(path);
}

int
beatpaths_reopen(const struct paths *p, const struct standing *st, bool *ret_is_deaf,
    struct fault *f)
{
	char path[PATH_MAX];
	int fd, seen, r = beatpaths_of(p, (int64_t)st->job, path);

	*ret_is_deaf = false;
	fd = r == 0 ? open_at(path) : r;
	/* A link is to where it was open in a supervisor that may be gone. */
	if (r == 0 && (fd == -ENOENT || fd == -ELOOP || fd == -EEXIST)) {
		fd = seen = open_of_job(p, st, path);
		if (fd < 0)
			fd = open_new(p, path);
		*ret_is_deaf = fd >= 0 && seen < 0 && seen != -ENOENT;
	}
	return fd < 0 ? fault_set(f, -fd, "heartbeat pipe %s: %s", path, strerror(-fd)) : fd;
}
