/*
 * lines: see lines.h.
 */
#include "cli/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM (64 * 1024)

void
lines_init(struct lines *l, int fd)
{
	*l = (struct lines){.fd = fd};
}

void
lines_fini(struct lines *l)
{
	free(l->data);
	*l = (struct lines){.fd = -1};
}

int
lines_take(struct lines *l, const char **ret_line, size_t *ret_len)
{
	size_t have = l->end - l->start;
	const char *begin = have > 0 ? l->data + l->start : NULL;
	const char *newline = have > 0 ? memchr(begin, '\n', have) : NULL;

	if (newline == NULL && !l->is_at_end)
		return -EAGAIN;
	if (have == 0)
		return -ENODATA;
	*ret_line = begin;
	*ret_len = newline != NULL ? (size_t)(newline - begin) : have;
	l->start += *ret_len + (newline != NULL);
	l->number++;
	return 0;
}

static int
make_room(struct lines *l)
{
	char *larger;

	if (l->start > 0) {
		memmove(l->data, l->data + l->start, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
	}
	if (l->end >= LINES_MAX)
		return -EMSGSIZE;
	if (l->size - l->end >= ROOM / 2)
		return 0;
	larger = realloc(l->data, 2 * l->size + ROOM);
	if (larger == NULL)
		return -ENOMEM;
	l->data = larger;
	l->size = 2 * l->size + ROOM;
	return 0;
}

int
lines_fill(struct lines *l)
{
	ssize_t n;
	int r = make_room(l);

	if (r < 0)
		return r;
	do {
		n = read(l->fd, l->data + l->end, l->size - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		l->is_at_end = true;
	l->end += (size_t)n;
	return 0;
}
