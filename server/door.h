/*
 * door: where clients come in: the listening socket. Runs in the server.
 */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include "base/loop.h"

struct door {
	struct loop *loop;
	struct loop_io io;
	struct timer retry; /* accept again, after it failed for want of descriptors */
	void (*taken)(void *arg, int fd);
	void *arg;
};

/*
 * Listens at listen_fd, which stays the caller's; taken(arg, fd) is given each client, non-blocking
 * and close-on-exec, that is the daemon's own user or root: others are turned away. 0 or -errno.
 */
int door_init(struct door *d, struct loop *l, int listen_fd, void (*taken)(void *arg, int fd),
    void *arg);
void door_fini(struct door *d);

/* Puts fd in the place of listen_fd, after taking those who wait there; closes fd. 0 or -errno. */
int door_renew(struct door *d, int fd);

#endif
