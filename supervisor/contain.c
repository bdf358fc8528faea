/*
 * contain: see contain.h. Run by the supervisor, and contain_set_mark() by its child. Makes directories
 * in the cgroup file system and reads what the kernel says; both are memory, no disk stalls them.
 *
 *	<mount><own path>/spawnd-PID-INSTANCE/    the base, of this supervisor
 *	    job-NUMBER/                           one for each job
 *
 * After contain_init() it must not allocate, and never write into a cgroup that it did not make.
 */
#include "supervisor/contain.h"

#include "base/fd.h"
#include "base/mark.h"
#include "supervisor/cgpath.h"
#include "supervisor/cgtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define JOB_NAME_SIZE 32
#define BASE_PREFIX "spawnd-"

/* A job may make cgroups below its own: so many are tried to be removed at once. */
#define REMOVALS_MAX 256

/* Bytes of names in one step of a sweep: some sixty jobs. */
#define SWEEP_SIZE 2048

#define MARK_BITS 62

/* On a job's cgroup: numbers of jobs are those of a store, and other daemons have others. xattr(7) */
#define MARK_NAME "user.spawnd.mark"

static void
job_name(uint64_t job, char name[JOB_NAME_SIZE])
{
	snprintf(name, JOB_NAME_SIZE, "job-%" PRIu64, job);
}

static int
write_file(int dir_fd, const char *path, const char *text)
{
	FD_CLEANUP int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return -errno;
	return fd_write_all(fd, text, strlen(text));
}

static int
read_file(int dir_fd, const char *path, char *text, size_t size)
{
	FD_CLEANUP int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -errno;
	n = fd_read_all(fd, text, size - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return 0;
}

/*
 * Those that the parent gives, and the base passes on: then the jobs' cgroups have their files. Nothing is asked of the
 * parent, in which this process lives: one threaded controller more there would make all cgroups below it invalid.
 */
static uint64_t
take_controllers(int base_fd)
{
	uint64_t taken = 0;

	if (write_file(base_fd, "cgroup.subtree_control", "+memory") == 0)
		taken |= CONTAIN_MEMORY;
	if (write_file(base_fd, "cgroup.subtree_control", "+pids") == 0)
		taken |= CONTAIN_PIDS;
	return taken;
}

/* Whether a child may be cloned into a cgroup below the base, and killed there. */
static bool
is_usable(int own_fd, int base_fd)
{
	return faccessat(own_fd, "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
	    faccessat(base_fd, "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
	    faccessat(base_fd, "cgroup.kill", W_OK, AT_EACCESS) == 0;
}

static int
make_base(struct contain *c, uint64_t instance)
{
	char own[CGPATH_SIZE];
	FD_CLEANUP int own_fd = -1;
	int budget = REMOVALS_MAX, error = cgpath_find(0, own), fd;

	if (error != 0)
		return error;
	if (snprintf(c->base_path, sizeof(c->base_path), "%s/" BASE_PREFIX "%d-%016" PRIx64, own,
		(int)getpid(), instance) >= (int)sizeof(c->base_path))
		return -ENAMETOOLONG;
	own_fd = open(own, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (own_fd == -1)
		return -errno;
	cgtree_remove_stale(own_fd, BASE_PREFIX, &budget);
	fd = cgtree_make_held(own_fd, strrchr(c->base_path, '/') + 1);
	if (fd < 0)
		return fd;
	if (!is_usable(own_fd, fd)) {
		fd_close(&fd);
		rmdir(c->base_path);
		return -ENOTSUP;
	}
	c->base_fd = fd;
	c->controllers = take_controllers(c->base_fd);
	return 0;
}

/* Who runs below another spawnd must stay below that one's mark, the hard limit. */
static uint64_t
mark_limit(void)
{
	uint64_t below = UINT64_C(1) << MARK_BITS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_LOCKS, &limit) == -1)
		return 0;
	if (limit.rlim_max < below)
		below = limit.rlim_max;
	return below < 2 * WIRE_MARK_LEAST ? 0 : below;
}

void
contain_init(struct contain *c, uint64_t instance)
{
	char path[64];

	*c = (struct contain){.base_fd = -1, .children_fd = -1, .mark_limit = mark_limit()};
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	c->children_fd = open(path, O_RDONLY | O_CLOEXEC);
	make_base(c, instance);
}

void
contain_fini(struct contain *c)
{
	int budget = REMOVALS_MAX;

	if (c->base_fd != -1) {
		cgtree_remove(AT_FDCWD, c->base_path, &budget);
		/* And those of jobs that were adopted. */
		fd_close(&c->base_fd);
		c->base_fd = open(dirname(c->base_path), O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (c->base_fd != -1)
			cgtree_remove_stale(c->base_fd, BASE_PREFIX, &budget);
	}
	fd_close(&c->base_fd);
	fd_close(&c->children_fd);
}

int
contain_choose(const struct contain *c, enum wire_containment wish)
{
	switch (wish) {
	case WIRE_CONTAIN_AUTO:
		return c->base_fd != -1 ? WIRE_CONTAIN_CGROUP : WIRE_CONTAIN_SUBREAPER;
	case WIRE_CONTAIN_CGROUP:
		return c->base_fd != -1 ? WIRE_CONTAIN_CGROUP : -ENOTSUP;
	case WIRE_CONTAIN_SUBREAPER:
	case WIRE_CONTAIN_GROUP:
		return (int)wish;
	case WIRE_CONTAIN_COUNT:
		break;
	}
	return -EINVAL;
}

static int
set_limit(int fd, const char *file, uint64_t limit)
{
	char text[32];

	if (limit == WATCHDOG_OFF)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, limit);
	return write_file(fd, file, text);
}

/* By way of /proc, for what is only a path takes no attribute. Without it who adopts the job needs its leader to find it. */
static void
write_mark(int fd, uint64_t mark)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mark != 0)
		setxattr(path, MARK_NAME, &mark, sizeof(mark), 0);
}

int
contain_open(const struct contain *c, uint64_t job, uint64_t mark, const struct limits *limits,
    int *ret_fd)
{
	char name[JOB_NAME_SIZE];
	int fd, error = 0;

	job_name(job, name);
	/* One of this number is left from a start that came to nothing. */
	if (mkdirat(c->base_fd, name, 0755) == -1 && errno != EEXIST)
		return -errno;
	fd = openat(c->base_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		error = -errno;
	if (error == 0 && (c->controllers & CONTAIN_MEMORY) != 0)
		error = set_limit(fd, "memory.max", limits->max_memory);
	if (error == 0 && (c->controllers & CONTAIN_PIDS) != 0)
		error = set_limit(fd, "pids.max", limits->max_processes);
	if (error == 0) {
		write_mark(fd, mark);
		*ret_fd = fd;
		return 0;
	}
	fd_close(&fd);
	contain_remove(c->base_fd, job);
	return error;
}

static void
job_file(uint64_t job, const char *file, char path[2 * JOB_NAME_SIZE])
{
	snprintf(path, 2 * JOB_NAME_SIZE, "job-%" PRIu64 "/%s", job, file);
}

/* Whether the component of a path that ends at `end` begins with prefix; *ret_begin is where it begins. */
static bool
is_component(const char *path, const char *end, const char *prefix, const char **ret_begin)
{
	const char *begin = end;

	while (begin > path && begin[-1] != '/')
		begin--;
	*ret_begin = begin;
	return strncmp(begin, prefix, strlen(prefix)) == 0;
}

int
contain_find(pid_t pid, uint64_t job, int *ret_base_fd)
{
	char path[CGPATH_SIZE], name[JOB_NAME_SIZE + 1];
	const char *begin;
	char *at;
	size_t len;
	int error = cgpath_find(pid, path);

	if (error != 0)
		return error;
	snprintf(name, sizeof(name), "/job-%" PRIu64, job);
	len = strlen(name);
	/* The job may have made cgroups below, of any name. */
	for (at = strstr(path, name); at != NULL; at = strstr(at + 1, name))
		if ((at[len] == '\0' || at[len] == '/') &&
		    is_component(path, at, BASE_PREFIX, &begin))
			break;
	if (at == NULL)
		return -ENOENT;
	*at = '\0';
	*ret_base_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_base_fd == -1 ? -errno : 0;
}

/* Whether the cgroup of this job in the base of that name is the one with this mark. */
static bool
has_mark(int own_fd, const char *base, uint64_t job, uint64_t mark)
{
	char path[CGPATH_SIZE];
	uint64_t found;

	return snprintf(path, sizeof(path), "/proc/self/fd/%d/%s/job-%" PRIu64, own_fd, base, job) <
	    (int)sizeof(path) &&
	    getxattr(path, MARK_NAME, &found, sizeof(found)) == (ssize_t)sizeof(found) &&
	    found == mark;
}

int
contain_find_marked(const struct contain *c, uint64_t job, uint64_t mark, int *ret_base_fd)
{
	_Alignas(struct fd_entry) char buffer[SWEEP_SIZE];
	const struct fd_entry *e;
	FD_CLEANUP int own_fd = -1;
	ssize_t len, at;

	if (c->base_fd == -1 || mark == 0)
		return -ENOENT;
	own_fd = openat(c->base_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own_fd == -1)
		return -errno;
	while ((len = fd_read_entries(own_fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < len; at += e->reclen) {
			e = (const struct fd_entry *)(buffer + at);
			if (e->type != DT_DIR ||
			    strncmp(e->name, BASE_PREFIX, strlen(BASE_PREFIX)) != 0 ||
			    !has_mark(own_fd, e->name, job, mark))
				continue;
			*ret_base_fd = openat(own_fd, e->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			return *ret_base_fd == -1 ? -errno : 0;
		}
	}
	return len < 0 ? (int)len : -ENOENT;
}

int
contain_kill(int base_fd, uint64_t job)
{
	char path[2 * JOB_NAME_SIZE];

	job_file(job, "cgroup.kill", path);
	return write_file(base_fd, path, "1");
}

int
contain_is_populated(int base_fd, uint64_t job)
{
	char path[2 * JOB_NAME_SIZE], text[256];
	int error;

	job_file(job, "cgroup.events", path);
	error = read_file(base_fd, path, text, sizeof(text));
	if (error != 0)
		return error;
	if (strstr(text, "populated 1") != NULL)
		return 1;
	return strstr(text, "populated 0") != NULL ? 0 : -EBADMSG;
}

int
contain_remove(int base_fd, uint64_t job)
{
	char name[JOB_NAME_SIZE];
	int budget = REMOVALS_MAX;

	job_name(job, name);
	return cgtree_remove(base_fd, name, &budget);
}

int
contain_remove_step(struct contain_sweep *sweep, const struct contain *c,
    bool (*is_wanted)(void *arg, uint64_t job), void *arg)
{
	_Alignas(struct fd_entry) char buffer[SWEEP_SIZE];
	const struct fd_entry *e;
	int budget, used = 0, error;
	uint64_t job;
	ssize_t len, at;
	char *end;

	if (sweep->fd == -1) {
		sweep->fd = openat(c->base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		sweep->is_unfinished = false;
		sweep->is_left = false;
	}
	if (sweep->fd == -1)
		return -errno;
	len = fd_read_entries(sweep->fd, buffer, sizeof(buffer));
	if (len <= 0) {
		fd_close(&sweep->fd);
		return (int)len;
	}
	for (at = 0; at < len; at += e->reclen) {
		e = (const struct fd_entry *)(buffer + at);
		if (e->type != DT_DIR || strncmp(e->name, "job-", 4) != 0)
			continue;
		job = strtoull(e->name + 4, &end, 10);
		if (*end != '\0' || is_wanted(arg, job))
			continue;
		budget = REMOVALS_MAX;
		error = cgtree_remove(c->base_fd, e->name, &budget);
		sweep->is_left |= error != 0;
		sweep->is_unfinished |= error != 0 && error != -EBUSY;
		used += REMOVALS_MAX - budget;
		if (used < REMOVALS_MAX)
			continue;
		/* The rest of them in the next step. */
		sweep->is_unfinished |= lseek(sweep->fd, e->offset, SEEK_SET) == -1;
		break;
	}
	return 1;
}

void
contain_remove_stop(struct contain_sweep *sweep)
{
	fd_close(&sweep->fd);
}

int
contain_set_mark(uint64_t mark)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_LOCKS, &limit) == -1)
		return -errno;
	limit.rlim_cur = mark;
	/* The outermost spawnd's stays in the hard limit: should those between die, it knows its own. */
	if (limit.rlim_max == RLIM_INFINITY)
		limit.rlim_max = mark;
	return setrlimit(RLIMIT_LOCKS, &limit) == -1 ? -errno : 0;
}

int
contain_read_mark(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer)
{
	return mark_read(pid, ret_mark, ret_outer);
}

int
contain_children(const struct contain *c, bool (*visit)(void *arg, pid_t pid), void *arg)
{
	char text[4096];
	long pid = 0;
	ssize_t n, i;

	if (c->children_fd == -1)
		return -ENOTSUP;
	if (lseek(c->children_fd, 0, SEEK_SET) == -1)
		return -errno;
	/* Numbers, each with a blank behind it. */
	while ((n = read(c->children_fd, text, sizeof(text))) > 0) {
		for (i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else if (pid > 0) {
				if (!visit(arg, (pid_t)pid))
					return -EAGAIN;
				pid = 0;
			}
		}
	}
	return n == -1 ? -errno : 0;
}
