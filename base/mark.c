/*
 * mark: see mark.h. Run by both processes.
 */
#include "base/mark.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t
parse_limit(const char *text, char **ret_end)
{
	while (*text == ' ')
		text++;
	if (strncmp(text, "unlimited", 9) == 0) {
		*ret_end = (char *)(uintptr_t)text + 9;
		return 0;
	}
	return strtoull(text, ret_end, 10);
}

/* For those of another user, whom prlimit(2) does not show: everybody may read this. */
static int
read_limits_file(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer)
{
	static const char key[] = "Max file locks";
	char path[32], text[2048], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? -ESRCH : -errno;
	n = fd_read_all(fd, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	at = strstr(text, key);
	if (at == NULL)
		return -EBADMSG;
	*ret_mark = parse_limit(at + strlen(key), &at);
	*ret_outer = parse_limit(at, &at);
	return 0;
}

int
mark_read(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer)
{
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_LOCKS, NULL, &limit) == -1)
		return errno == EPERM ? read_limits_file(pid, ret_mark, ret_outer) : -errno;
	*ret_mark = limit.rlim_cur == RLIM_INFINITY ? 0 : limit.rlim_cur;
	*ret_outer = limit.rlim_max == RLIM_INFINITY ? 0 : limit.rlim_max;
	return 0;
}
