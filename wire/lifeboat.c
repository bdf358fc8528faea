/*
 * lifeboat: see lifeboat.h. Filled by a server that is about to be the supervisor; read by the
 * supervisor before its point of no return, which allocates here for the last time.
 */
#include "wire/lifeboat.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any process has descriptors. */
#define COUNT_MAX (UINT64_C(1) << 22)

int
lifeboat_add(struct lifeboat *b, enum lifeboat_kind kind, uint64_t number, int fd)
{
	struct lifeboat_seat *seats = b->seats;

	if ((b->count & (b->count - 1)) == 0) /* full at powers of two */
		seats = reallocarray(b->seats, b->count == 0 ? 1 : b->count * 2, sizeof(*seats));
	if (seats == NULL)
		return -ENOMEM;
	b->seats = seats;
	b->seats[b->count++] =
	    (struct lifeboat_seat){.kind = (uint32_t)kind, .fd = fd, .number = number};
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct lifeboat_seat *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

int
lifeboat_launch(const struct lifeboat *b)
{
	FD_CLEANUP int fd = memfd_create("spawnd lifeboat", 0);
	int error;

	if (fd == -1)
		return -errno;
	if (b->count > 0)
		qsort(b->seats, b->count, sizeof(*b->seats), compare);
	error = fd_write_all(fd, b->seats, b->count * sizeof(*b->seats));
	for (size_t i = 0; error == 0 && i < b->count; i++)
		error = fd_set_cloexec(b->seats[i].fd, 0);
	return error == 0 ? fd_take(&fd) : error;
}

static int
read_list(struct lifeboat *b, int fd)
{
	struct stat st;
	size_t size;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -errno;
	size = (size_t)st.st_size;
	if (size % sizeof(*b->seats) != 0 || size / sizeof(*b->seats) > COUNT_MAX)
		return -EBADMSG;
	b->seats = malloc(size > 0 ? size : 1);
	if (b->seats == NULL)
		return -ENOMEM;
	n = lseek(fd, 0, SEEK_SET) == -1 ? -errno : fd_read_all(fd, b->seats, size);
	if (n >= 0 && (size_t)n != size)
		n = -EBADMSG;
	if (n < 0) {
		free(b->seats);
		b->seats = NULL;
		return (int)n;
	}
	b->count = size / sizeof(*b->seats);
	return 0;
}

int
lifeboat_land(struct lifeboat *b, int fd)
{
	int error;

	*b = (struct lifeboat){0};
	error = read_list(b, fd);
	fd_close(&fd);
	for (size_t i = 0; i < b->count; i++)
		if (b->seats[i].fd <= STDERR_FILENO || fd_set_cloexec(b->seats[i].fd, 1) != 0)
			b->seats[i].fd = -1;
	return error;
}

int
lifeboat_take(struct lifeboat *b, enum lifeboat_kind kind, uint64_t number)
{
	const struct lifeboat_seat key = {.kind = (uint32_t)kind, .number = number};
	struct lifeboat_seat *seat =
	    b->count == 0 ? NULL : bsearch(&key, b->seats, b->count, sizeof(key), compare);

	return seat == NULL ? -1 : fd_take(&seat->fd);
}

void
lifeboat_sink(struct lifeboat *b)
{
	for (size_t i = 0; i < b->count; i++)
		fd_close(&b->seats[i].fd);
	free(b->seats);
	*b = (struct lifeboat){0};
}
