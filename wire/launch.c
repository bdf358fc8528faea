/*
 * launch: see launch.h. Client, server, and the child between fork and exec. Believes no length
 * that it finds in a block.
 *
 * A block is a struct head, then NUL-terminated strings without gaps: directory, stdin_path, argc
 * words, envc variables. It never leaves the machine, so numbers are in its byte order.
 */
#include "wire/launch.h"

#include "base/fd.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define MAGIC UINT32_C(0x314c5053) /* "SPL1" */

/* MAX_ARG_STRLEN of the kernel: 32 pages for each string with its NUL; execve(2). */
#define STRING_MAX (UINT64_C(32) * 4096)

/* Three quarters of the kernel's _STK_LIM, whatever RLIMIT_STACK says; execve(2). */
#define TOTAL_MAX (UINT64_C(6) * 1024 * 1024)

/* Nobody may change or cut a block while it is mapped. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct head {
	uint32_t magic;
	uint32_t umask;
	uint32_t argc;
	uint32_t envc;
};

static size_t
count_strings(char *const *strings)
{
	size_t n = 0;

	while (strings[n] != NULL)
		n++;
	return n;
}

static uint64_t
size_of_strings(char *const *strings)
{
	uint64_t size = 0;

	for (; *strings != NULL; strings++)
		size += strlen(*strings) + 1;
	return size;
}

static char *
put(char *to, const char *string)
{
	return stpcpy(to, string) + 1;
}

int
launch_pack(const struct launch *l, void **ret_block, size_t *ret_len)
{
	uint64_t size = sizeof(struct head);
	struct head head;
	char *block, *p;
	char **s;

	size += strlen(l->directory) + 1 + strlen(l->stdin_path) + 1;
	size += size_of_strings(l->argv) + size_of_strings(l->env);
	if (size > UINT32_MAX)
		return -EOVERFLOW;
	block = malloc((size_t)size);
	if (block == NULL)
		return -ENOMEM;
	head = (struct head){.magic = MAGIC,
	    .umask = l->umask,
	    .argc = (uint32_t)count_strings(l->argv),
	    .envc = (uint32_t)count_strings(l->env)};
	memcpy(block, &head, sizeof(head));
	p = put(block + sizeof(head), l->directory);
	p = put(p, l->stdin_path);
	for (s = l->argv; *s != NULL; s++)
		p = put(p, *s);
	for (s = l->env; *s != NULL; s++)
		p = put(p, *s);
	*ret_block = block;
	*ret_len = (size_t)size;
	return 0;
}

/* What of a block is still to be read. */
struct rest {
	const char *p;
	size_t len;
};

/* Takes the next string away, or returns NULL where none ends within the block. */
static const char *
take(struct rest *r)
{
	const char *string = r->p;
	const char *end = r->len == 0 ? NULL : memchr(string, '\0', r->len);

	if (end == NULL)
		return NULL;
	r->p = end + 1;
	r->len -= (size_t)(r->p - string);
	return string;
}

/* Fills count pointers and the NULL behind them. */
static int
take_array(struct rest *r, char **strings, size_t count)
{
	const char *string;
	size_t i;

	for (i = 0; i < count; i++) {
		string = take(r);
		if (string == NULL)
			return -EBADMSG;
		/* execve(2) wants them so; nobody writes to them. */
		strings[i] = (char *)(uintptr_t)string;
	}
	strings[count] = NULL;
	return 0;
}

/* Whether the head can be true of len bytes of strings; each of them has its NUL at least. */
static int
check_head(const struct head *head, size_t len)
{
	uint64_t strings = UINT64_C(2) + head->argc + head->envc;

	if (head->magic != MAGIC || head->umask > 0777)
		return -EBADMSG;
	return strings > len ? -EBADMSG : 0;
}

int
launch_unpack(const void *block, size_t len, struct launch *ret_l)
{
	struct rest r;
	struct head head;
	struct launch l;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, block, sizeof(head));
	r = (struct rest){.p = (const char *)block + sizeof(head), .len = len - sizeof(head)};
	if (check_head(&head, r.len) != 0)
		return -EBADMSG;
	l.umask = (mode_t)head.umask;
	l.directory = take(&r);
	l.stdin_path = take(&r);
	if (l.directory == NULL || l.stdin_path == NULL)
		return -EBADMSG;
	if (l.directory[0] != '/' || l.stdin_path[0] != '/')
		return -EBADMSG;
	l.argv = reallocarray(NULL, (size_t)head.argc + head.envc + 2, sizeof(char *));
	if (l.argv == NULL)
		return -ENOMEM;
	l.env = l.argv + head.argc + 1;
	if (take_array(&r, l.argv, head.argc) != 0 || take_array(&r, l.env, head.envc) != 0 ||
	    r.len != 0) {
		free(l.argv);
		return -EBADMSG;
	}
	*ret_l = l;
	return 0;
}

/* Adds up what strings and their pointers take; fails at the first string that is too long. */
static int
check_strings(char *const *strings, const char *what, uint64_t *total, struct fault *f)
{
	uint64_t size;
	size_t i;

	for (i = 0; strings[i] != NULL; i++) {
		size = strlen(strings[i]) + 1;
		if (size > STRING_MAX)
			return fault_set(f, E2BIG,
			    "%s %zu (%.40s...) is %" PRIu64
			    " bytes too long: the system allows %" PRIu64,
			    what, i, strings[i], size - STRING_MAX, STRING_MAX - 1);
		*total += size + sizeof(char *);
	}
	return 0;
}

int
launch_check_size(const struct launch *l, size_t spare, struct fault *f)
{
	long arg_max = sysconf(_SC_ARG_MAX);
	uint64_t limit = TOTAL_MAX, total = PATH_MAX + 2 * sizeof(char *);
	int error;

	if (arg_max > 0 && (uint64_t)arg_max < limit)
		limit = (uint64_t)arg_max;
	error = check_strings(l->argv, "argument", &total, f);
	if (error == 0)
		error = check_strings(l->env, "environment variable", &total, f);
	if (error != 0)
		return error;
	total += spare;
	if (total > limit)
		return fault_set(f, E2BIG,
		    "arguments and environment together are %" PRIu64
		    " bytes too long: the system allows %" PRIu64,
		    total - limit, limit);
	return 0;
}

int
launch_to_memfd(const void *block, size_t len)
{
	FD_CLEANUP int fd = -1;
	int error;

	fd = memfd_create("spawnd-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	/* Linux before 6.3 does not know MFD_NOEXEC_SEAL; later ones may insist on it. */
	if (fd == -1 && errno == EINVAL)
		fd = memfd_create("spawnd-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -errno;
	error = fd_write_all(fd, block, len);
	if (error != 0)
		return error;
	if (lseek(fd, 0, SEEK_SET) == -1 || fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == -1)
		return -errno;
	return fd_take(&fd);
}

int
launch_map_memfd(int fd, size_t max_len, const void **ret_block, size_t *ret_len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *block;

	/* What cannot be sealed at all is as good as not sealed. */
	if (seals == -1)
		return errno == EINVAL ? -EPERM : -errno;
	if ((seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (st.st_size <= 0)
		return -EBADMSG;
	if ((uint64_t)st.st_size > max_len)
		return -EFBIG;
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return -errno;
	*ret_block = block;
	*ret_len = (size_t)st.st_size;
	return 0;
}
