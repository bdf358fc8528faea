/*
 * runtime: see runtime.h. A look and, where something is missing, in this order: the store's lock,
 * without which this daemon has nothing to serve; directories; the daemon's lock; only with that the
 * sockets. What is gone is found out by asking the files, never by what inotify said.
 *
 * Must never touch the sockets of another daemon, and never make directories for a store that is
 * gone.
 */
#include "server/runtime.h"

#include "base/clock.h"
#include "base/fd.h"
#include "cli/lock.h"
#include "cli/socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_EVENTS \
	(IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

/* Whoever removes a directory is given time to finish. */
#define PAUSE_NS (20 * NSEC_PER_MSEC)
#define AGAIN_FIRST_NS (100 * NSEC_PER_MSEC)
#define AGAIN_LAST_NS (5 * NSEC_PER_SEC)

struct runtime {
	struct loop *loop;
	const struct paths *paths;
	struct runtime_handlers handlers;
	struct loop_io io; /* inotify; its descriptor is owned */
	struct timer look;
	uint64_t again_ns;
	bool has_renewed;  /* something, in this look */
	struct fault told; /* the trouble that was told last */
};

static void
look_in(struct runtime *r, uint64_t ns)
{
	if (!r->look.is_armed)
		timer_arm(&r->loop->timers, &r->look, clock_add_ns(r->loop->now_ns, ns));
}

static void
inotify_ready(void *arg, uint32_t events)
{
	struct runtime *r = arg;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	(void)events;
	while (read(r->io.fd, buffer, sizeof(buffer)) > 0)
		continue;
	look_in(r, PAUSE_NS);
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A socket that a service manager keeps elsewhere is its own affair. */
static bool
is_listening(const struct paths *p)
{
	return !socket_is_at(WIRE_LISTEN_FD, p->socket) || socket_is_served(p->socket, SOCK_STREAM);
}

static void
hand_over(struct runtime *r, enum wire_renewed what, int fd)
{
	r->has_renewed = true;
	r->handlers.renewed(r->handlers.arg, what, fd);
}

/* Whether this daemon has the lock, a new one where the old one's file is gone. 0 or -errno with f filled. */
static int
renew_lock(struct runtime *r, struct fault *f)
{
	struct stat st;
	int fd, rc = lock_is_at(WIRE_LOCK_FD, r->paths->lock);

	if (rc == 1)
		return 0;
	if (rc < 0 && lstat(r->paths->lock, &st) < 0)
		return fault_set(f, -rc, "%s: %s", r->paths->lock, strerror(-rc));
	rc = lock_take(r->paths->lock, &fd, f);
	if (rc == 0)
		hand_over(r, WIRE_RENEWED_LOCK, fd);
	return rc;
}

static int
renew_sockets(struct runtime *r, struct fault *f)
{
	int fd, rc = 0;

	if (!is_listening(r->paths)) {
		rc = socket_listen(r->paths->socket, &fd, f);
		if (rc == 0)
			hand_over(r, WIRE_RENEWED_LISTEN, fd);
	}
	if (rc == 0 && !socket_is_served(r->paths->notify, SOCK_DGRAM)) {
		rc = socket_bind_notices(r->paths->notify, &fd, f);
		if (rc == 0)
			hand_over(r, WIRE_RENEWED_NOTIFY, fd);
	}
	return rc;
}

/* 0 or -errno with f filled. */
static int
mend(struct runtime *r, struct fault *f)
{
	const struct paths *p = r->paths;
	bool is_whole = is_directory(p->parents_dir) && is_directory(p->beats_dir);
	int rc;

	r->has_renewed = false;
	if (lock_is_at(WIRE_STORE_LOCK_FD, p->store_lock) != 1)
		return fault_set(f, ENOENT,
		    "%s: somebody removed it, and the store with it; end this daemon by SIGTERM",
		    p->store_lock);
	rc = is_whole ? 0 : paths_make(p, f);
	if (rc == 0)
		rc = renew_lock(r, f);
	if (rc == 0)
		rc = renew_sockets(r, f);
	/* Another daemon, which did not get the store's lock, may have made the directories. */
	if (rc == 0 && (!is_whole || r->has_renewed))
		r->handlers.mended(r->handlers.arg);
	return rc;
}

/* Adding a watch that is there already changes nothing. */
static void
watch(struct runtime *r)
{
	inotify_add_watch(r->io.fd, r->paths->runtime, DIRECTORY_EVENTS);
	inotify_add_watch(r->io.fd, r->paths->store_lock, IN_OPEN | IN_DONT_FOLLOW);
}

static void
look(void *arg)
{
	struct runtime *r = arg;
	struct fault f = {""};
	int rc;

	rc = mend(r, &f);
	/* After the mending, and then once more: it may have gone in between. */
	watch(r);
	if (rc == 0)
		rc = mend(r, &f);
	if (rc == 0) {
		r->again_ns = AGAIN_FIRST_NS;
		r->told.text[0] = '\0';
		return;
	}
	if (strcmp(r->told.text, f.text) != 0)
		r->handlers.trouble(r->handlers.arg, f.text);
	r->told = f;
	look_in(r, r->again_ns);
	r->again_ns = r->again_ns * 2 < AGAIN_LAST_NS ? r->again_ns * 2 : AGAIN_LAST_NS;
}

int
runtime_new(struct loop *l, const struct paths *p, const struct runtime_handlers *h,
    struct runtime **ret_runtime)
{
	struct runtime *r = calloc(1, sizeof(*r));
	int fd, rc;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct runtime){.loop = l,
	    .paths = p,
	    .handlers = *h,
	    .io.fd = -1,
	    .again_ns = AGAIN_FIRST_NS};
	timer_init(&r->look, look, r);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	rc = fd < 0 ? -errno : loop_add(l, &r->io, fd, EPOLLIN, inotify_ready, r);
	if (rc < 0) {
		fd_close(&fd);
		free(r);
		return rc;
	}
	look_in(r, 0);
	*ret_runtime = r;
	return 0;
}

void
runtime_free(struct runtime *r)
{
	int fd;

	if (r == NULL)
		return;
	fd = r->io.fd;
	timer_disarm(&r->loop->timers, &r->look);
	loop_remove(r->loop, &r->io);
	fd_close(&fd);
	free(r);
}
