/*
 * captive: see captive.h. proc_pid_wchan(5) names the function of the kernel in which a process sleeps, and that of
 * wait(2) has had its name since Linux 2.6; proc_tid_children(5) names its children.
 */
#include "server/captive.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A job has more processes below each other than this only if something is wrong with it. */
#define GENERATIONS_MAX 64

/* Reads a file of the process; false where that is not to be had. */
static bool
read_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : fd_read_all(fd, text, size - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return true;
}

/* The one child of a process of one thread; 0: it has none, or several, or more threads. */
static pid_t
only_child(pid_t pid)
{
	char name[64], text[1024], *end;
	const char *threads;
	long child;

	if (!read_of(pid, "status", text, sizeof(text)))
		return 0;
	threads = strstr(text, "\nThreads:");
	if (threads == NULL || strtol(threads + strlen("\nThreads:"), NULL, 10) != 1)
		return 0;
	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	if (!read_of(pid, name, text, sizeof(text)))
		return 0;
	child = strtol(text, &end, 10);
	return strspn(end, " ") == strlen(end) ? (pid_t)child : 0;
}

static bool
waits_for_child(pid_t pid)
{
	char text[64];

	return read_of(pid, "wchan", text, sizeof(text)) && strcmp(text, "do_wait") == 0;
}

/* Others than spawnd may do more than wait for an answer. */
static bool
is_spawnd(pid_t pid)
{
	struct stat own, st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat("/proc/self/exe", &own) == 0 && stat(path, &st) == 0 &&
	    st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

bool
captive_is(pid_t leader, pid_t client)
{
	pid_t pid = leader;

	for (int i = 0; i < GENERATIONS_MAX && pid > 0 && pid != client; i++)
		pid = waits_for_child(pid) ? only_child(pid) : 0;
	return pid > 0 && pid == client && is_spawnd(client);
}
