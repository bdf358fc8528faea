/*
 * allocations: counts calls of malloc(3) and its like, for bench/check. Preloaded into the daemon; each
 * program that has it writes how many there were so far into $BENCH_ALLOCATIONS/PID, as a binary number that
 * grows under who looks at it. It must not allocate itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, by the names that it exports for those who replace the others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static uint64_t before;
static uint64_t *counter = &before;
static pid_t owner;

static void
count_one(void)
{
	/* A child on its way to its exec has the same page before it, and may allocate what it likes. */
	if (getpid() == owner)
		__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Also in a child by fork(2), which is how the daemon detaches itself; not by clone(2), which is how it starts jobs. */
static void
begin_file(void)
{
	const char *directory = getenv("BENCH_ALLOCATIONS");
	char path[256];
	void *page;
	int fd;

	if (directory == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%d", directory, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*counter)) < 0)
		return;
	page = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED) {
		counter = page;
		owner = getpid();
	}
}

static __attribute__((constructor)) void
begin(void)
{
	pthread_atfork(NULL, NULL, begin_file);
	begin_file();
}

void *
malloc(size_t size)
{
	count_one();
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	count_one();
	return __libc_calloc(count, size);
}

void *
realloc(void *p, size_t size)
{
	count_one();
	return __libc_realloc(p, size);
}

int
posix_memalign(void **ret_p, size_t alignment, size_t size)
{
	count_one();
	*ret_p = __libc_memalign(alignment, size);
	return *ret_p == NULL ? ENOMEM : 0;
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	count_one();
	return __libc_memalign(alignment, size);
}
