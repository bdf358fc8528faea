/*
 * writers: see writers.h. Run by the supervisor. Never writes into what it holds; allocates in
 * writers_init() only.
 */
#include "supervisor/writers.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int
writers_init(struct writers *w, uint32_t count)
{
	void *memory = mmap(NULL, count * sizeof(*w->writers), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*w = (struct writers){.count = count};
	if (memory == MAP_FAILED)
		return -ENOMEM;
	w->writers = memory;
	return 0;
}

static void
close_one(struct writer *one)
{
	if (one->fd_and_one != 0)
		close((int)one->fd_and_one - 1);
	one->fd_and_one = 0;
}

void
writers_fini(struct writers *w)
{
	uint32_t i;

	if (w->writers == NULL)
		return;
	for (i = 0; i < w->touched; i++)
		close_one(&w->writers[i]);
	munmap(w->writers, w->count * sizeof(*w->writers));
	w->writers = NULL;
}

int
writers_hold(struct writers *w, uint64_t index, int fd)
{
	if (index >= w->count) {
		close(fd);
		return -EINVAL;
	}
	if (index >= w->touched)
		w->touched = (uint32_t)index + 1;
	close_one(&w->writers[index]);
	w->writers[index] =
	    (struct writer){.fd_and_one = (uint32_t)fd + 1, .server_number = w->server_number};
	return 0;
}

int
writers_release(struct writers *w, uint64_t index)
{
	if (index >= w->count)
		return -EINVAL;
	if (index < w->touched)
		close_one(&w->writers[index]);
	return 0;
}

void
writers_new_server(struct writers *w)
{
	w->server_number++;
}

void
writers_settle(struct writers *w)
{
	uint32_t i;

	for (i = 0; i < w->touched; i++)
		if (w->writers[i].server_number != w->server_number)
			close_one(&w->writers[i]);
}
