/*
 * autostart: see autostart.h. Run by clients that found nobody listening. The order is: run
 * `spawnd daemon --detach --if-needed`, which returns when it serves, or at once if another holds
 * the lock; then connect, again and again while that other one is still starting; and begin anew
 * if it was killed, or nobody serves after a while, for the holder of the lock may have been a daemon
 * about to end. Inside a job of the daemon in question it only waits for others to do so.
 *
 * Must not let the daemon inherit what belongs to the caller: its pipes, its signal mask, its
 * service manager.
 */
#include "cli/autostart.h"

#include "base/clock.h"
#include "base/fd.h"
#include "cli/socket.h"
#include "config/ini.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PATIENCE_NS (10 * NSEC_PER_SEC)
#define ROUND_NS (500 * NSEC_PER_MSEC)
#define PAUSE_MS 5

static void
no_fault(void *arg, const struct ini_fault *fault)
{
	(void)arg;
	(void)fault;
}

/* A configuration with a fault is for the daemon to refuse: it says what is wrong. */
static bool
is_wanted(const struct paths *p)
{
	struct config config;
	struct ini_origin origin;

	return ini_read(p->config, &config, &origin, NULL, no_fault, NULL) < 0 ||
	    config.is_autostart;
}

/* Standard error stays, for what the daemon has to say before it serves. */
static void
become_daemon(void)
{
	static char *const argv[] = {"spawnd", "daemon", "--detach", "--if-needed", NULL};
	static const char *const theirs[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
	    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", NULL};
	sigset_t none;
	int null;

	for (const char *const *name = theirs; *name != NULL; name++)
		unsetenv(*name);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(EX_OSERR);
	closefrom(STDERR_FILENO + 1);
	execv("/proc/self/exe", argv);
	_exit(EX_OSERR);
}

/* Returns the exit code of the command that starts it, or -errno. */
static int
start_daemon(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become_daemon();
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

/* Connects as soon as somebody listens, until until_ns. */
static int
connect_soon(const char *path, uint64_t until_ns, int *ret_fd, struct fault *f)
{
	int r;

	for (;;) {
		r = socket_connect(path, ret_fd, f);
		if ((r != -ENOENT && r != -ECONNREFUSED) || clock_mono_ns() >= until_ns)
			return r;
		poll(NULL, 0, PAUSE_MS);
	}
}

/* Whether this is part of a job of the very daemon that does not answer. */
static bool
is_in_its_job(const struct paths *p)
{
	const char *socket = getenv("SPAWND_SOCKET");

	return getenv("SPAWND_JOB") != NULL && socket != NULL && strcmp(socket, p->socket) == 0;
}

/* A daemon that a job started would be one of the job's processes, and be ended with them. */
static int
await_other(const struct paths *p, uint64_t deadline_ns, int *ret_fd, struct fault *f)
{
	int r = connect_soon(p->socket, deadline_ns, ret_fd, f);

	if (r != -ENOENT && r != -ECONNREFUSED)
		return r;
	return fault_set(f, ECONNREFUSED,
	    "no daemon answers at %s, and a job starts none, for that would end with the job; "
	    "'spawnd daemon --detach' outside of jobs starts one",
	    p->socket);
}

int
autostart_connect(const struct paths *p, int *ret_fd, int *ret_exit_code, struct fault *f)
{
	uint64_t now_ns = clock_mono_ns();
	const uint64_t deadline_ns = now_ns + PATIENCE_NS;
	int r;

	*ret_exit_code = EX_UNAVAILABLE;
	if (is_in_its_job(p))
		return await_other(p, deadline_ns, ret_fd, f);
	if (!is_wanted(p))
		return fault_set(f, ECONNREFUSED,
		    "no daemon answers at %s, and %s says autostart = no; "
		    "'spawnd daemon --detach' starts one",
		    p->socket, p->config);
	do {
		r = start_daemon();
		if (r < 0)
			return fault_set(f, -r, "cannot start the daemon: %s", strerror(-r));
		now_ns = clock_mono_ns();
		if (r == EX_TEMPFAIL && now_ns < deadline_ns) {
			r = -ECONNREFUSED; /* killed by somebody: another one may live */
			continue;
		}
		if (r > 0) {
			*ret_exit_code = r;
			return fault_set(f, ECONNREFUSED,
			    "the daemon did not start; it says why above");
		}
		r = connect_soon(p->socket, now_ns + ROUND_NS, ret_fd, f);
	} while ((r == -ENOENT || r == -ECONNREFUSED) && now_ns < deadline_ns);
	return r;
}
