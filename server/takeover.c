/*
 * takeover: see takeover.h. Everything of the last turn is committed by then. What is not for the
 * supervisor is closed by the execve(2).
 */
#include "server/takeover.h"

#include "base/fd.h"
#include "wire/wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define PAUSE_MS 1

bool
takeover_is_due(const struct server *s)
{
	int waited_ms;

	/* A supervisor that was told to give way closes the wire in order. */
	for (waited_ms = s->is_upgrading ? PATIENCE_MS : 0;
	     waited_ms < PATIENCE_MS && getppid() == s->supervisor_pid; waited_ms += PAUSE_MS)
		poll(NULL, 0, PAUSE_MS);
	return getppid() != s->supervisor_pid;
}

/* As the supervisor's own server found them; ignored signals would stay so. */
static void
restore(const struct server *s)
{
	static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_DFL);
	/* What is open above it stays open; children are to get the limit that the daemon had. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && s->nofile_before < limit.rlim_cur) {
		limit.rlim_cur = (rlim_t)s->nofile_before;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
takeover_exec(struct server *s)
{
	extern char **environ;
	char number[16];
	char *const argv[] = {"spawnd", "daemon", "--resume", number, NULL};
	struct lifeboat boat = {0};
	sigset_t all;
	int fd, error = leaders_board(&s->leaders, &boat);

	if (error == 0 && s->deliver != NULL)
		error = deliver_board(s->deliver, s->slot_count, &boat);
	fd = error == 0 ? lifeboat_launch(&boat) : error;
	if (fd < 0)
		return fd;
	snprintf(number, sizeof(number), "%d", fd);
	fd_set_cloexec(WIRE_LISTEN_FD, 0);
	fd_set_cloexec(WIRE_LOCK_FD, 0);
	fd_set_cloexec(WIRE_NOTIFY_FD, 0);
	fd_set_cloexec(WIRE_STORE_LOCK_FD, 0);
	/* One that comes now is the supervisor's. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	restore(s);
	execve("/proc/self/exe", argv, environ);
	error = -errno;
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return error;
}
