/*
 * spawn: see spawn.h. Run by the supervisor, and by its child up to the exec.
 *
 * The parent: a close-on-exec pipe, clone, close the writing end. The child, in this order: bound to
 * the life of the supervisor up to its exec, so that none that nobody knows begins to run; session and mark; launch block; directory; umask; descriptors
 * 0 to 3; signals; limits; exec. At the first failure it writes the stage and errno into the pipe
 * and _exits.
 *
 * Plain fork semantics: the parent of a vfork would wait for the exec, which may hang on a stalled
 * disk. The child allocates (the supervisor has one thread), never returns, never logs.
 */
#include "supervisor/spawn.h"

#include "base/clock.h"
#include "base/fd.h"
#include "supervisor/contain.h"
#include "wire/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHILD_FDS 4 /* 0, 1, 2, and the heartbeat pipe */
#define EXIT_NOT_EXECUTED 127

struct outcome {
	uint32_t stage; /* enum wire_stage */
	int32_t error;  /* a positive errno */
};

int
spawn_place_fds(int *fds, int count, int *ret_kept)
{
	int i, kept;

	/* First out of the way of all targets, so that no dup2(2) closes what is still needed. */
	for (i = 0; i < count; i++) {
		if (fds[i] == -1)
			continue;
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, count);
		if (fds[i] == -1)
			return -errno;
	}
	if (*ret_kept != -1) {
		kept = fcntl(*ret_kept, F_DUPFD_CLOEXEC, count);
		if (kept == -1)
			return -errno;
		*ret_kept = kept;
	}
	for (i = 0; i < count; i++)
		if (fds[i] != -1 && dup2(fds[i], i) == -1)
			return -errno;
	return 0;
}

void
spawn_reset_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *
path_of(char *const *env)
{
	for (; *env != NULL; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return SPAWN_DEFAULT_PATH;
}

/* Whether the search may go on after this error of execve(2): the file is not there, or not reachable. */
static bool
is_elsewhere(int error)
{
	switch (error) {
	case EACCES:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENODEV:
	case ESTALE:
	case ETIMEDOUT:
		return true;
	}
	return false;
}

/*
 * execvpe(3) by the job's own PATH, and without its fallback to a shell. Returns only if it fails: the
 * errno, EACCES rather than ENOENT if anything was found that may not be executed.
 */
static int
exec_search(char *const *argv, char *const *env)
{
	char file[PATH_MAX];
	const char *path = path_of(env), *end;
	bool was_denied = false;
	int len;

	if (argv[0][0] == '\0')
		return ENOENT;
	if (strchr(argv[0], '/') != NULL) {
		execve(argv[0], argv, env);
		return errno;
	}
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		len = snprintf(file, sizeof(file), "%.*s%s%s", (int)(end - path), path,
		    end == path ? "./" : "/", argv[0]);
		if (len > 0 && (size_t)len < sizeof(file)) {
			execve(file, argv, env);
			if (!is_elsewhere(errno))
				return errno;
			was_denied |= errno == EACCES;
		}
		if (*end == '\0')
			return was_denied ? EACCES : ENOENT;
	}
}

int
spawn_restore_nofile(uint64_t soft)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -errno;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == -1 ? -errno : 0;
}

/*
 * Locks the heartbeat pipe, for as long as this process lives: only it, and none that it forks, holds that, also after
 * its exec, see supervisor/adopt.c. But a process loses its lock on a file with the first descriptor of it that it
 * closes, fcntl(2), and an exec closes: the supervisor's own of the same pipe go before.
 */
static void
lock_beats(int report_fd)
{
	close_range(CHILD_FDS, (unsigned)report_fd - 1, 0);
	close_range((unsigned)report_fd + 1, UINT_MAX, 0);
	fcntl(CHILD_FDS - 1, F_SETLK, &(struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET});
}

/* Descriptors, signals, limits. *report_fd moves, and is then the only one but for the program's. 0 or -errno. */
static int
set_up(const struct spawn_request *request, const struct launch *launch, int *report_fd)
{
	int fds[CHILD_FDS] = {request->fds[WIRE_FD_STDIN], request->fds[WIRE_FD_OUTPUT],
	    request->fds[WIRE_FD_OUTPUT], request->fds[WIRE_FD_CHILD_BEATS]};
	int error;

	umask(launch->umask);
	error = spawn_place_fds(fds, CHILD_FDS, report_fd);
	if (error != 0)
		return error;
	lock_beats(*report_fd);
	spawn_reset_signals();
	/* Last: descriptors that are still open may lie above it. */
	return spawn_restore_nofile(request->nofile_limit);
}

static int
read_launch(int fd, struct launch *ret_launch)
{
	const void *block;
	size_t len;
	int error;

	error = launch_map_memfd(fd, SPAWN_LAUNCH_MAX, &block, &len);
	if (error == 0)
		error = launch_unpack(block, len, ret_launch);
	if (error == 0 && ret_launch->argv[0] == NULL)
		error = -EBADMSG;
	return error;
}

/*
 * A session may be a scheduling group, sched(7), in which alone a nice value counts; then the group
 * gets it as well. A best effort: without rights the kernel takes ten of these a second, from
 * everybody together.
 */
static void
set_group_nice(int32_t nice)
{
	FD_CLEANUP int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	char text[16];

	if (fd != -1)
		fd_write_all(fd, text, (size_t)snprintf(text, sizeof(text), "%d", (int)nice));
}

/* An amount that is WATCHDOG_OFF is no limit. */
static int
set_rlimit(int resource, uint64_t amount)
{
	struct rlimit limit = {.rlim_cur = amount, .rlim_max = amount};

	if (amount == WATCHDOG_OFF)
		return 0;
	return setrlimit(resource, &limit) == -1 ? -errno : 0;
}

/* SIGXCPU after whole seconds, SIGKILL one later: setrlimit(2), RLIMIT_CPU. */
static int
set_cpu_limit(uint64_t ns)
{
	struct rlimit limit, wanted;

	if (ns == WATCHDOG_OFF)
		return 0;
	wanted.rlim_cur = ns / NSEC_PER_SEC + (ns % NSEC_PER_SEC != 0);
	wanted.rlim_max = wanted.rlim_cur + 1;
	if (getrlimit(RLIMIT_CPU, &limit) == -1)
		return -errno;
	/* Who is allowed just as much gets that. */
	if (limit.rlim_max == wanted.rlim_cur)
		wanted.rlim_max = wanted.rlim_cur;
	return setrlimit(RLIMIT_CPU, &wanted) == -1 ? -errno : 0;
}

/*
 * What the program starts with, and all that it starts. Memory comes after what needs some. 0 or
 * -errno.
 */
static int
set_limits(const struct limits *l)
{
	int error = 0;

	if (l->nice != LIMITS_NICE_INHERIT) {
		if (setpriority(PRIO_PROCESS, 0, l->nice) == -1)
			return -errno;
		set_group_nice(l->nice);
	}
	error = set_rlimit(RLIMIT_NOFILE, l->max_open_files);
	if (error == 0)
		error = set_rlimit(RLIMIT_NPROC, l->max_processes);
	if (error == 0)
		error = set_rlimit(RLIMIT_DATA, l->max_memory);
	if (error == 0)
		error = set_cpu_limit(l->max_cpu_ns);
	return error;
}

static _Noreturn void
child_main(const struct spawn_request *request, pid_t supervisor, int report_fd)
{
	struct outcome outcome = {.stage = WIRE_STAGE_SETUP};
	struct launch launch;
	int error = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || setsid() == -1)
		error = -errno;
	if (getppid() != supervisor)
		_exit(EXIT_NOT_EXECUTED);
	if (error == 0 && request->mark != 0)
		error = contain_set_mark(request->mark);
	if (error == 0) {
		outcome.stage = WIRE_STAGE_LAUNCH;
		error = read_launch(request->fds[WIRE_FD_LAUNCH], &launch);
	}
	if (error == 0) {
		outcome.stage = WIRE_STAGE_DIRECTORY;
		error = fchdir(request->fds[WIRE_FD_DIRECTORY]) == -1 ? -errno : 0;
	}
	if (error == 0) {
		outcome.stage = WIRE_STAGE_SETUP;
		error = set_up(request, &launch, &report_fd);
	}
	if (error == 0) {
		outcome.stage = WIRE_STAGE_LIMITS;
		error = set_limits(&request->limits);
	}
	if (error == 0) {
		outcome.stage = WIRE_STAGE_EXEC;
		/* Who has the mark is found, whatever happens now. */
		prctl(PR_SET_PDEATHSIG, 0);
		error = -exec_search(launch.argv, launch.env);
	}
	outcome.error = -error;
	fd_write_all(report_fd, &outcome, sizeof(outcome));
	_exit(EXIT_NOT_EXECUTED);
}

int
spawn_report_pipe(int ret_ends[2])
{
	/* The child writes so little that it does not have to wait either. */
	return pipe2(ret_ends, O_CLOEXEC | O_NONBLOCK) == -1 ? -errno : 0;
}

int
spawn_child(struct proc_abilities *a, const struct spawn_request *request, int report_fd,
    struct proc *ret_p)
{
	pid_t supervisor = getpid();
	int rc = proc_clone(a, request->cgroup_fd, ret_p);

	if (rc == 0)
		child_main(request, supervisor, report_fd);
	return rc < 0 ? rc : 0;
}

int
spawn_outcome(int report_fd, enum wire_stage *ret_stage, int *ret_error)
{
	struct outcome outcome;
	ssize_t n;

	do
		n = read(report_fd, &outcome, sizeof(outcome));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	*ret_stage = n == 0 ? WIRE_STAGE_NONE : WIRE_STAGE_SETUP;
	*ret_error = 0;
	/* A write of a few bytes into an empty pipe is whole, pipe(7). */
	if (n == sizeof(outcome) && outcome.stage < WIRE_STAGE_COUNT) {
		*ret_stage = (enum wire_stage)outcome.stage;
		*ret_error = outcome.error;
	}
	return 0;
}
