/*
 * outsiders: see outsiders.h.
 */
#include "server/outsiders.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fields 4, 6 and 22; the name before them may hold anything. The file comes whole with one read. */
int
process_read(pid_t pid, struct process *ret_process)
{
	char path[32], text[1024], *at, *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -ESRCH;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 4; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return -ESRCH;
	ret_process->pid = pid;
	ret_process->parent = (pid_t)strtol(at, &end, 10);
	for (int field = 4; at != NULL && field < 6; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return -ESRCH;
	ret_process->session = (pid_t)strtol(at, &end, 10);
	for (int field = 6; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return -ESRCH;
	ret_process->start_time = strtoull(at, &end, 10);
	return 0;
}

bool
outsiders_have(const struct outsiders *o, pid_t supervisor, const struct process *a)
{
	if (o->supervisor != supervisor)
		return false;
	for (size_t i = 0; i < o->count; i++) {
		if (o->known[i].pid == a->pid && o->known[i].start_time == a->start_time)
			return true;
	}
	return false;
}

void
outsiders_set(struct outsiders *o, pid_t supervisor, const struct process *all, size_t count)
{
	o->supervisor = supervisor;
	o->count = count < OUTSIDERS_MAX ? count : OUTSIDERS_MAX;
	memcpy(o->known, all, o->count * sizeof(*all));
}
