/*
 * beatpaths: see beatpaths.h. Reads what the supervisor has open, and opens none of it.
 */
#include "server/beatpaths.h"

#include <bsd/stdlib.h>
#include <dirent.h>
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
	/* Where something is at the path already this does nothing. */
	if (job != NULL && path_join(p->beats_dir, job, path) == 0 && symlink(link, path) < 0)
		return;
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
