/*
 * starter: see starter.h.
 */
#include "server/starter.h"

#include "base/fd.h"
#include "server/beatpaths.h"
#include "wire/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All variables of this prefix are ours to give; the configuration's place is passed on. */
#define PREFIX "SPAWND_"
#define KEPT "SPAWND_HOME="

/* And these, which belong to whoever watches the process: they must not name another watchdog. */
static const char *const replaced[] = {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="};

enum {
	OWN_COUNT = 16
};

static int
numbered_path(const char *dir, int64_t job, const char *suffix, char path[PATH_MAX])
{
	char name[64];

	snprintf(name, sizeof(name), "%" PRId64 "%s", job, suffix);
	return path_join(dir, name, path);
}

int
starter_output_path(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	return numbered_path(p->output_dir, job, ".log", path);
}

int
starter_result_path(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	return numbered_path(p->output_dir, job, ".result", path);
}

int
starter_results_path(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	return numbered_path(p->output_dir, job, ".results", path);
}

int
starter_results_part(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	return numbered_path(p->output_dir, job, ".results.part", path);
}

int
starter_beats_path(const struct paths *p, int64_t job, char path[PATH_MAX])
{
	return beatpaths_of(p, job, path);
}

int
starter_is_temporary(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOSPC:
	case EDQUOT:
	case EAGAIN:
		return 1;
	default:
		return 0;
	}
}

static int
open_output(const struct paths *p, int64_t job, struct fault *f)
{
	char path[PATH_MAX];
	FD_CLEANUP int fd = -1;
	struct stat st;
	int r = starter_output_path(p, job, path);

	/* Somebody's FIFO of that name must not be waited for. On a file O_NONBLOCK means nothing. */
	if (r == 0)
		fd = open(path,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0600);
	if (r == 0 && (fd < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0))
		r = -errno;
	if (r < 0)
		return fault_set(f, -r, "output file %s: %s", path, strerror(-r));
	if (!S_ISREG(st.st_mode))
		return fault_set(f, EEXIST, "output file %s: no regular file; remove it", path);
	return fd_take(&fd);
}

/* One end for the supervisor, which must not wait, and one for the child, which may. */
static int
open_beats(const struct paths *p, int64_t job, int fds[WIRE_FD_COUNT], struct fault *f)
{
	char path[PATH_MAX];
	int r = starter_beats_path(p, job, path);

	if (r == 0 && mkfifo(path, 0600) < 0)
		r = -errno;
	/* A FIFO of this number is left over from a start that did not come to be. */
	if (r == -EEXIST)
		r = unlink(path) < 0 || mkfifo(path, 0600) < 0 ? -errno : 0;
	if (r == 0) {
		fds[WIRE_FD_BEATS] = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		fds[WIRE_FD_CHILD_BEATS] = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fds[WIRE_FD_BEATS] < 0 || fds[WIRE_FD_CHILD_BEATS] < 0)
			r = -errno;
	}
	return r < 0 ? fault_set(f, -r, "heartbeat pipe %s: %s", path, strerror(-r)) : 0;
}

int
starter_reopen(const struct paths *p, const struct standing *st, int fds[WIRE_ADOPT_FD_COUNT],
    bool *ret_is_deaf, struct fault *f)
{
	int r = fds[WIRE_ADOPT_OUTPUT] = open_output(p, (int64_t)st->job, f);

	if (r < 0)
		return r;
	r = fds[WIRE_ADOPT_BEATS] = beatpaths_reopen(p, st, ret_is_deaf, f);
	if (r < 0)
		fd_close(&fds[WIRE_ADOPT_OUTPUT]);
	return r < 0 ? r : 0;
}

static int
open_stdin(const char *path, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	/* O_NONBLOCK was for the opening alone. */
	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0) {
		int error = errno;

		fd_close(&fd);
		return fault_set(f, error, "standard input %s: %s", path, strerror(error));
	}
	return fd;
}

static int
open_directory(const char *path, struct fault *f)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fault_set(f, errno, "directory %s: %s", path, strerror(errno));
	return fd;
}

/* One more of the job's own variables, unless it has no value. Returns how many there are; -1: no memory. */
static int
add_own(char *own[OWN_COUNT], int count, const char *name, const char *value)
{
	if (count < 0 || value == NULL)
		return count;
	if (asprintf(&own[count], "%s=%s", name, value) < 0) {
		own[count] = NULL;
		return -1;
	}
	return count + 1;
}

static int
add_number(char *own[OWN_COUNT], int count, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return add_own(own, count, name, text);
}

/* The job's own variables, allocated; those that are not given are NULL, at the end. */
static int
make_own(const struct paths *p, const struct store_job *j, bool is_resumed, char *own[OWN_COUNT])
{
	char beats[PATH_MAX], result[PATH_MAX], results[PATH_MAX];
	int n = 0, r = starter_beats_path(p, j->job, beats);

	if (r == 0)
		r = starter_result_path(p, j->job, result);
	if (r == 0)
		r = starter_results_path(p, j->job, results);
	if (r < 0)
		return r;
	n = add_own(own, n, "SPAWND_PARENT", j->parent);
	n = add_own(own, n, "SPAWND_CHILD", j->child);
	n = add_number(own, n, "SPAWND_JOB", (uint64_t)j->job);
	n = add_number(own, n, "SPAWND_RUN", (uint64_t)j->run);
	n = add_number(own, n, "SPAWND_DEPTH", (uint64_t)j->depth);
	n = add_own(own, n, "SPAWND_HEARTBEAT_FD", "3");
	n = add_own(own, n, "SPAWND_HEARTBEAT", beats);
	n = add_own(own, n, "SPAWND_SOCKET", p->listening);
	n = add_own(own, n, "SPAWND_RESULT", result);
	n = add_own(own, n, "SPAWND_PROFILE", j->profile);
	n = add_own(own, n, "SPAWND_MODEL", j->model);
	n = add_own(own, n, "SPAWND_DISABLED_TOOLS", j->disabled_tools);
	n = add_own(own, n, "SPAWND_RESUMED", is_resumed ? "1" : NULL);
	n = add_own(own, n, "SPAWND_RESULTS", is_resumed ? results : NULL);
	n = add_own(own, n, "NOTIFY_SOCKET", p->notify);
	if (j->limits.max_idle_ns != WATCHDOG_OFF)
		n = add_number(own, n, "WATCHDOG_USEC", j->limits.max_idle_ns / 1000);
	return n < 0 ? -ENOMEM : 0;
}

static bool
is_passed_on(const char *variable)
{
	for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
		if (strncmp(variable, replaced[i], strlen(replaced[i])) == 0)
			return false;
	}
	return strncmp(variable, PREFIX, strlen(PREFIX)) != 0 ||
	    strncmp(variable, KEPT, strlen(KEPT)) == 0;
}

/* The launch block as the child is to have it, in a memfd. */
static int
make_launch(const struct paths *p, const struct store_job *j, bool is_resumed,
    const struct launch *l)
{
	char *own[OWN_COUNT] = {NULL};
	struct launch full = *l;
	size_t count = 0, n = 0, len;
	void *block = NULL;
	int r;

	while (l->env[count] != NULL)
		count++;
	full.env = calloc(count + OWN_COUNT + 1, sizeof(*full.env));
	r = full.env == NULL ? -ENOMEM : make_own(p, j, is_resumed, own);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (is_passed_on(l->env[i]))
			full.env[n++] = l->env[i];
	}
	for (int i = 0; r == 0 && i < OWN_COUNT && own[i] != NULL; i++)
		full.env[n++] = own[i];
	if (r == 0)
		r = launch_pack(&full, &block, &len);
	if (r == 0)
		r = launch_to_memfd(block, len);
	for (int i = 0; i < OWN_COUNT; i++)
		free(own[i]);
	free(full.env);
	free(block);
	return r;
}

static int
open_all(const struct paths *p, const struct store_job *j, bool is_resumed, const struct launch *l,
    int fds[WIRE_FD_COUNT], const char **ret_stage, struct fault *f)
{
	int r;

	*ret_stage = "directory";
	r = fds[WIRE_FD_DIRECTORY] = open_directory(l->directory, f);
	if (r >= 0) {
		*ret_stage = "stdin";
		r = fds[WIRE_FD_STDIN] = open_stdin(l->stdin_path, f);
	}
	if (r >= 0) {
		*ret_stage = "output";
		r = fds[WIRE_FD_OUTPUT] = open_output(p, j->job, f);
	}
	if (r >= 0) {
		*ret_stage = "heartbeat";
		r = open_beats(p, j->job, fds, f);
	}
	if (r >= 0) {
		*ret_stage = "launch";
		r = fds[WIRE_FD_LAUNCH] = make_launch(p, j, is_resumed, l);
		if (r < 0)
			fault_set(f, -r, "launch block: %s", strerror(-r));
	}
	return r < 0 ? r : 0;
}

int
starter_open(const struct paths *p, const struct store_job *j, bool is_resumed, const void *block,
    size_t len, int fds[WIRE_FD_COUNT], const char **ret_stage, struct fault *f)
{
	struct launch l;
	int r = launch_unpack(block, len, &l);

	for (int i = 0; i < WIRE_FD_COUNT; i++)
		fds[i] = -1;
	if (r < 0) {
		*ret_stage = "launch";
		return fault_set(f, -r, "launch block: %s", strerror(-r));
	}
	r = open_all(p, j, is_resumed, &l, fds, ret_stage, f);
	for (int i = 0; r < 0 && i < WIRE_FD_COUNT; i++) {
		if (fds[i] >= 0)
			fd_close(&fds[i]);
		fds[i] = -1;
	}
	free(l.argv);
	return r;
}
