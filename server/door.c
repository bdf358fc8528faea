/*
 * door: see door.h. Never waits for a client, and never spins for want of descriptors.
 */
#include "server/door.h"

#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 64

/* The daemon serves its own user, and root. unix(7), SO_PEERCRED. */
static bool
is_welcome(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

/*
 * So that a client does not take it for a daemon that has just gone, and come again. Nothing it says
 * is read; if there is no room for these few bytes, it gets none.
 */
static void
turn_away(int fd)
{
	static const char message[] =
	    "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}";

	send(fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
	fd_close(&fd);
}

static void
accept_clients(void *arg, uint32_t events)
{
	struct door *d = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(d->io.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			if (is_welcome(fd))
				d->taken(d->arg, fd);
			else
				turn_away(fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			/* Out of descriptors or memory: look again in a while rather than spin. */
			loop_change(d->loop, &d->io, 0);
			timer_arm(&d->loop->timers, &d->retry,
			    d->loop->now_ns + 100 * NSEC_PER_MSEC);
		}
		return;
	}
}

static void
retry_expired(void *arg)
{
	struct door *d = arg;

	loop_change(d->loop, &d->io, EPOLLIN);
}

static int
open_door(struct door *d, int fd)
{
	int r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;

	return r < 0 ? r : loop_add(d->loop, &d->io, fd, EPOLLIN, accept_clients, d);
}

int
door_init(struct door *d, struct loop *l, int listen_fd, void (*taken)(void *arg, int fd),
    void *arg)
{
	*d = (struct door){.loop = l, .io.fd = -1, .taken = taken, .arg = arg};
	timer_init(&d->retry, retry_expired, d);
	return open_door(d, listen_fd);
}

int
door_renew(struct door *d, int fd)
{
	int number = d->io.fd, r;

	accept_clients(d, EPOLLIN);
	/* Before its number goes to another: epoll(7) would keep the old one, which others have open. */
	loop_remove(d->loop, &d->io);
	r = dup3(fd, number, O_CLOEXEC) < 0 ? -errno : 0;
	fd_close(&fd);
	return r < 0 ? r : open_door(d, number);
}

void
door_fini(struct door *d)
{
	timer_disarm(&d->loop->timers, &d->retry);
	loop_remove(d->loop, &d->io);
}
