/*
 * observe: what a harness sees of files, and of processes through /proc, proc_pid_stat(5).
 */
#ifndef TESTS_HARNESS_OBSERVE_H
#define TESTS_HARNESS_OBSERVE_H

#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

static inline void
path_in(const char *dir, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
}

/* A number that outlives the server. */
static inline uint64_t
load(const char *dir, const char *name)
{
	char path[PATH_MAX];
	uint64_t value = 0;
	FILE *f;

	path_in(dir, name, path);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%" SCNu64, &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

static inline void
save(const char *dir, const char *name, uint64_t value)
{
	char path[PATH_MAX];
	FILE *f;

	path_in(dir, name, path);
	f = fopen(path, "we");
	if (f == NULL)
		err(1, "%s", path);
	fprintf(f, "%" PRIu64 "\n", value);
	fclose(f);
}

static inline unsigned
count_fds(pid_t supervisor)
{
	char path[64];
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)supervisor);
	dir = opendir(path);
	if (dir == NULL)
		err(1, "%s", path);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

/* The third and fourth field of /proc/PID/stat. */
static inline bool
read_state(const char *pid, char *ret_state, int *ret_ppid)
{
	char path[PATH_MAX], text[512], *end;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end != NULL && sscanf(end + 1, " %c %d", ret_state, ret_ppid) == 2;
}

static inline unsigned
count_zombies(pid_t parent)
{
	unsigned count = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	char state;
	int ppid;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (read_state(entry->d_name, &state, &ppid) && ppid == parent && state == 'Z')
			count++;
	if (dir != NULL)
		closedir(dir);
	return count;
}

static inline bool
has_contents(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

/* Whether the process whose number is in the file lives. */
static inline bool
is_living(const char *path)
{
	char pid[32] = "", state;
	int ppid;
	FILE *f = fopen(path, "re");

	if (f == NULL || fscanf(f, "%31s", pid) != 1)
		errx(1, "%s: no number", path);
	fclose(f);
	return read_state(pid, &state, &ppid) && state != 'Z';
}

#endif
