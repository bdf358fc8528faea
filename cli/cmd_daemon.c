/*
 * spawnd daemon: everything that must be right before a daemon may serve, in this order: what it
 * inherited, directories, configuration, locks, sockets, background. Then the supervisor takes
 * over, in this process. Whatever fails here is told on standard error, and nothing has been
 * started yet.
 *
 * Must never wait for the lock: a second daemon says who holds it and ends.
 */
#include "cli/cmd.h"
#include "cli/detach.h"
#include "cli/lock.h"
#include "cli/options.h"
#include "cli/socket.h"

#include "base/fd.h"
#include "base/path.h"
#include "config/ini.h"
#include "supervisor/supervisor.h"
#include "wire/wire.h"

#include <bsd/stdlib.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* sd_listen_fds(3): the first descriptor that a service manager hands over. */
#define LISTEN_FDS_START 3

struct daemon {
	struct paths paths;
	int listen_fd;
	int lock_fd;
	int store_lock_fd;
	int notify_fd;
	int ready_fd;           /* -1: none */
	int lifeboat_fd;        /* of a server that this process was; -1: none */
	char program[PATH_MAX]; /* where this one stands, or stood; "": not known */
	bool has_made_socket;   /* and not a service manager */
	bool is_managed;        /* a service manager starts it again when it dies */
};

/*
 * The listening socket of a service manager, if there is one. 0 or an exit code, after telling.
 */
static int
take_listen_fd(struct daemon *d)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	bool is_ours = pid != NULL && count != NULL && strtonum(pid, 1, INT_MAX, NULL) == getpid();
	bool is_one = is_ours && strcmp(count, "1") == 0;
	struct fault f;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!is_ours)
		return 0;
	if (!is_one) {
		warnx("LISTEN_FDS: one socket is wanted; give the unit one ListenStream=");
		return EX_CONFIG;
	}
	if (socket_check_listening(LISTEN_FDS_START, &f) < 0) {
		warnx("%s", f.text);
		return EX_CONFIG;
	}
	d->listen_fd = LISTEN_FDS_START;
	return 0;
}

static int
take_ready_fd(struct daemon *d, const struct options *o)
{
	int64_t number = -1;
	int code = options_number(o, OPTION_READY_FD, STDERR_FILENO + 1, INT_MAX, &number);

	if (code != 0)
		return code;
	d->ready_fd = (int)number;
	if (number < 0 || fcntl((int)number, F_GETFD) >= 0)
		return 0;
	warn("--ready-fd %d", (int)number);
	return EX_USAGE;
}

/* Pipes of whoever called must not stay open as long as the daemon lives. */
static void
close_inherited(const struct daemon *d)
{
	const int keep[] = {d->listen_fd < d->ready_fd ? d->listen_fd : d->ready_fd,
	    d->listen_fd < d->ready_fd ? d->ready_fd : d->listen_fd};
	unsigned first = STDERR_FILENO + 1;

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > first)
			close_range(first, (unsigned)keep[i] - 1, 0);
		first = (unsigned)keep[i] + 1;
		fd_set_cloexec(keep[i], 1);
	}
	close_range(first, UINT_MAX, 0);
}

static void
tell_fault(void *arg, const struct ini_fault *fault)
{
	(void)arg;
	fprintf(stderr, "%s\n", fault->text);
}

static int
prepare_paths(struct daemon *d)
{
	struct config config;
	struct ini_origin origin;
	struct fault f;
	int r;

	if (paths_init(&d->paths, &f) < 0) {
		warnx("%s", f.text);
		return EX_CONFIG;
	}
	r = paths_make(&d->paths, &f);
	if (r < 0) {
		warnx("%s", f.text);
		return r == -EPERM || r == -EACCES ? EX_NOPERM : EX_CANTCREAT;
	}
	return ini_read(d->paths.config, &config, &origin, NULL, tell_fault, NULL) < 0 ? EX_CONFIG
										       : 0;
}

/* 0, or an exit code after telling; is_quiet: not that another daemon holds it. */
static int
take_lock(struct daemon *d, bool is_quiet)
{
	struct fault f;
	/* The store's first: who has not got that must not touch what lies in the runtime directory. */
	int r = lock_take(d->paths.store_lock, &d->store_lock_fd, &f);

	if (r == 0)
		r = lock_take(d->paths.lock, &d->lock_fd, &f);
	if (r == 0)
		return 0;
	/* A client that looks for a daemon would look in vain where this one does not serve. */
	if (r == -EWOULDBLOCK && d->store_lock_fd < 0 &&
	    lock_is_elsewhere(d->paths.store_lock, d->paths.runtime, &f)) {
		warnx("%s", f.text);
		return is_quiet ? EX_UNAVAILABLE : EX_TEMPFAIL;
	}
	if (r != -EWOULDBLOCK || !is_quiet)
		warnx("%s", f.text);
	if (r == -EPERM)
		return EX_NOPERM;
	return r == -EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT;
}

static int
make_sockets(struct daemon *d)
{
	struct fault f;

	if (d->listen_fd < 0) {
		if (socket_listen(d->paths.socket, &d->listen_fd, &f) < 0) {
			warnx("%s", f.text);
			return EX_CANTCREAT;
		}
		d->has_made_socket = true;
	}
	if (socket_bind_notices(d->paths.notify, &d->notify_fd, &f) < 0) {
		warnx("%s", f.text);
		return EX_CANTCREAT;
	}
	return 0;
}

static int
go_into_background(struct daemon *d)
{
	struct fault f;
	int r = detach(d->paths.log, d->ready_fd, &d->ready_fd, &f);

	if (r == 0)
		return 0;
	warnx("%s", f.text);
	return r == -EPERM ? EX_NOPERM : EX_OSERR;
}

/*
 * The daemon has ended, and its sockets go. Under a lock taken anew: it may have been renewed
 * meanwhile, and another daemon may serve there by now.
 */
static void
remove_sockets(struct daemon *d)
{
	FD_CLEANUP int fd = -1;
	struct fault f;

	if (lock_take(d->paths.lock, &fd, &f) < 0)
		return;
	if (d->has_made_socket)
		unlink(d->paths.socket);
	unlink(d->paths.notify);
}

/* The supervisor gets the descriptors. */
static int
serve(struct daemon *d)
{
	char *const server_argv[] = {"spawnd", "server", d->is_managed ? "--managed" : NULL, NULL};
	const struct supervisor_setup setup = {
	    .listen_fd = d->listen_fd,
	    .lock_fd = d->lock_fd,
	    .store_lock_fd = d->store_lock_fd,
	    .notify_fd = d->notify_fd,
	    .server_argv = server_argv,
	    .lifeboat_fd = d->lifeboat_fd,
	    .ready_fd = d->ready_fd,
	    .has_log_timestamps = fd_is_file(STDERR_FILENO),
	    .program = d->program[0] != '\0' ? d->program : NULL,
	    .is_managed = d->is_managed,
	    .without = getenv("SPAWND_TEST_WITHOUT"),
	};
	int code;

	lock_sign(d->lock_fd, getpid(), d->paths.runtime);
	lock_sign(d->store_lock_fd, getpid(), d->paths.runtime);
	code = supervisor_run(&setup);
	remove_sockets(d);
	return code;
}

/*
 * The supervisor has died, and its server has become this process (server/takeover.h); or a supervisor has given
 * way to this program (supervisor/handover.h).
 */
static int
resume(struct daemon *d, int lifeboat_fd)
{
	struct fault f;

	if (paths_init(&d->paths, &f) < 0) {
		warnx("%s", f.text);
		return EX_CONFIG;
	}
	d->listen_fd = WIRE_LISTEN_FD;
	d->lock_fd = WIRE_LOCK_FD;
	d->notify_fd = WIRE_NOTIFY_FD;
	d->store_lock_fd = WIRE_STORE_LOCK_FD;
	d->lifeboat_fd = lifeboat_fd;
	d->has_made_socket = !d->is_managed;
	for (int fd = WIRE_LISTEN_FD; fd <= WIRE_STORE_LOCK_FD; fd++) {
		if (fd_set_cloexec(fd, 1) < 0) {
			warnx("--resume is for a server whose supervisor has died");
			return EX_USAGE;
		}
	}
	return serve(d);
}

int
cmd_daemon(const struct options *o)
{
	struct daemon d = {.listen_fd = -1,
	    .lock_fd = -1,
	    .store_lock_fd = -1,
	    .notify_fd = -1,
	    .ready_fd = -1,
	    .lifeboat_fd = -1,
	    .is_managed = getenv("NOTIFY_SOCKET") != NULL || o->value[OPTION_READY_FD] != NULL ||
		o->value[OPTION_MANAGED] != NULL};
	int64_t lifeboat_fd = -1;
	bool is_detached = o->value[OPTION_DETACH] != NULL;
	bool is_if_needed = o->value[OPTION_IF_NEEDED] != NULL;
	int code;

	prctl(PR_SET_NAME, "spawnd"); /* not "exe", as execution by way of /proc/self/exe has it */
	umask(077);
	path_of_program(d.program);
	code = options_number(o, OPTION_RESUME, STDERR_FILENO + 1, INT_MAX, &lifeboat_fd);
	if (code == 0 && lifeboat_fd != -1)
		return resume(&d, (int)lifeboat_fd);
	if (code == 0)
		code = take_ready_fd(&d, o);
	if (code == 0)
		code = take_listen_fd(&d);
	if (code != 0)
		return code;
	close_inherited(&d);
	code = prepare_paths(&d);
	if (code == 0)
		code = take_lock(&d, is_if_needed);
	if (code == EX_TEMPFAIL && is_if_needed)
		return EX_OK;
	if (code == 0)
		code = make_sockets(&d);
	if (code == 0 && is_detached)
		code = go_into_background(&d);
	return code == 0 ? serve(&d) : code;
}
