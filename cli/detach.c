/*
 * detach: see detach.h. Run by `spawnd daemon --detach`. Three processes for a moment: the
 * caller, a session leader, and the daemon, its child, which as no leader can never get a
 * terminal. The leader ends at once; the caller, as subreaper, can still wait for the daemon.
 */
#include "cli/detach.h"

#include "base/fd.h"
#include "base/path.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * A server that fails again and again never gets ready: then the log is shown, and the daemon
 * left to it.
 */
#define PATIENCE_MS (15 * 1000)

static int
open_log(const char *path, struct fault *f)
{
	FD_CLEANUP int fd =
	    open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int r;

	if (fd < 0)
		return fault_set(f, errno, "%s: %s", path, strerror(errno));
	r = path_check_file(path, fd, f);
	return r < 0 ? r : fd_take(&fd);
}

/* Prints what the daemon wrote into its log from `from` on. */
static void
print_log(int log_fd, off_t from)
{
	char text[4096];
	ssize_t n;

	while ((n = pread(log_fd, text, sizeof(text), from)) > 0) {
		if (fd_write_all(STDERR_FILENO, text, (size_t)n) < 0)
			return;
		from += n;
	}
}

/* The wait(2) status of a child that has ended, or is about to; -1 if it is none. */
static int
reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}

/*
 * The exit code of the daemon, which has ended; the session leader before it exits 0, and made it our
 * child by that. Its jobs, if it has left some, are ours as well now, and not waited for.
 */
static int
reap_daemon(pid_t leader, pid_t daemon)
{
	int status = reap(leader);

	if (daemon > 0)
		status = reap(daemon);
	if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK))
		return EX_UNAVAILABLE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL;
}

/* leader: the session leader. On the pipe come the daemon's number, and a byte when it serves. */
static int
await_daemon(pid_t leader, int ready_fd, int log_fd, off_t log_from, const char *log_path,
    int caller_ready_fd)
{
	struct pollfd p = {.fd = ready_fd, .events = POLLIN};
	pid_t daemon;
	char byte;
	int r;

	if (fd_read_all(ready_fd, &daemon, sizeof(daemon)) != sizeof(daemon))
		daemon = 0;
	do {
		r = poll(&p, 1, PATIENCE_MS);
	} while (r < 0 && errno == EINTR);
	if (r == 1 && read(ready_fd, &byte, 1) == 1) {
		if (caller_ready_fd >= 0 && fd_write_all(caller_ready_fd, "\n", 1) < 0)
			warn("--ready-fd");
		return EX_OK;
	}
	if (r == 1) {
		r = reap_daemon(leader, daemon);
		print_log(log_fd, log_from);
		warnx("the daemon %s before it served; its log is %s",
		    r == EX_TEMPFAIL ? "was killed" : "ended", log_path);
		return r;
	}
	print_log(log_fd, log_from);
	warnx("the daemon does not serve yet, and goes on trying; its log is %s", log_path);
	return EX_TEMPFAIL;
}

/* In the session leader: leaves the daemon behind, in which it returns. */
static void
leave_daemon(int log_fd, int ready_fd)
{
	pid_t pid;
	int null;

	setsid();
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? EX_OSERR : EX_OK);
	pid = getpid();
	if (fd_write_all(ready_fd, &pid, sizeof(pid)) < 0)
		_exit(EX_OSERR);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
	    dup2(log_fd, STDERR_FILENO) < 0 || chdir("/") < 0)
		_exit(EX_OSERR);
	fd_close(&null);
}

int
detach(const char *log_path, int caller_ready_fd, int *ret_ready_fd, struct fault *f)
{
	FD_CLEANUP int log_fd = -1;
	int ready[2];
	off_t log_from;
	pid_t pid;

	log_fd = open_log(log_path, f);
	if (log_fd < 0)
		return log_fd;
	log_from = lseek(log_fd, 0, SEEK_END);
	if (pipe2(ready, O_CLOEXEC) < 0)
		return fault_set(f, errno, "pipe: %s", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (pid < 0) {
		fault_set(f, errno, "fork: %s", strerror(errno));
		close(ready[0]);
		close(ready[1]);
		return -EAGAIN;
	}
	if (pid > 0) {
		close(ready[1]);
		_exit(await_daemon(pid, ready[0], log_fd, log_from, log_path, caller_ready_fd));
	}
	close(ready[0]);
	fd_close(&caller_ready_fd); /* the caller's copy speaks */
	leave_daemon(log_fd, ready[1]);
	*ret_ready_fd = ready[1];
	return 0;
}
