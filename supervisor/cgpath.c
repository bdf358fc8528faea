/*
 * cgpath: see cgpath.h. Run by the supervisor. Reads /proc, which is memory; writes nothing. Where the
 * hierarchy is mounted is asked once, for this process itself, before the point of no return.
 */
#include "supervisor/cgpath.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As in the sscanf() below. */
#define PART_SIZE 256

static char mount[PART_SIZE]; /* where it is mounted; "": not known */
static char root[PART_SIZE];  /* which part of it */

static int
find_mount(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	int error = -ENOENT;

	if (file == NULL)
		return -errno;
	while (error != 0 && fgets(line, sizeof(line), file) != NULL) {
		/* A backslash would be an escaped blank. */
		if (strstr(line, " - cgroup2 ") != NULL && strchr(line, '\\') == NULL &&
		    sscanf(line, "%*s %*s %*s %255s %255s", root, mount) == 2)
			error = 0;
	}
	fclose(file);
	if (error != 0)
		mount[0] = '\0';
	return error;
}

/* The line "0::PATH". */
static int
find_part(pid_t pid, char part[PART_SIZE])
{
	char file[40], text[4096], *line, *next = text;
	FD_CLEANUP int fd = -1;
	ssize_t n;

	if (pid == 0)
		snprintf(file, sizeof(file), "/proc/self/cgroup");
	else
		snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -errno : fd_read_all(fd, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	while ((line = strsep(&next, "\n")) != NULL) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		if (strlen(line + 3) >= PART_SIZE)
			return -ENAMETOOLONG;
		strcpy(part, line + 3);
		return 0;
	}
	return -ENOENT;
}

int
cgpath_find(pid_t pid, char path[CGPATH_SIZE])
{
	char part[PART_SIZE];
	const char *below = part;
	size_t len;
	int error = pid == 0 ? find_mount() : 0;

	if (error == 0 && mount[0] == '\0')
		error = -ENOENT;
	if (error == 0)
		error = find_part(pid, part);
	if (error != 0)
		return error;
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(part, root, len) != 0)
		return -ENOENT;
	below += len;
	if (strcmp(below, "/") == 0)
		below = "";
	return snprintf(path, CGPATH_SIZE, "%s%s", mount, below) < CGPATH_SIZE ? 0 : -ENAMETOOLONG;
}
