/*
 * socket: both ends of the control interface's Unix stream socket, and the one that jobs send
 * notices to.
 */
#ifndef CLI_SOCKET_H
#define CLI_SOCKET_H

#include "base/fault.h"

#include <stdbool.h>

/*
 * Connects to the socket at path and makes sure that who listens is the caller's own user or
 * root. Returns 0 with *ret_fd, close-on-exec and the caller's; or -errno with f filled: -ENOENT
 * and -ECONNREFUSED mean that nobody listens, -EPERM that a stranger does. unix(7),
 * getpeereid(3).
 */
int socket_connect(const char *path, int *ret_fd, struct fault *f);

/*
 * Listens at path, in place of a socket that an ended daemon left there: the caller holds the
 * lock that makes it so. Its mode is 0600. 0 with *ret_fd, or -errno with f filled.
 */
int socket_listen(const char *path, int *ret_fd, struct fault *f);

/* The same, a datagram socket that tells who sent each datagram (SO_PASSCRED). */
int socket_bind_notices(const char *path, int *ret_fd, struct fault *f);

/*
 * Whether somebody listens, or (SOCK_DGRAM) reads, at path; type is the socket's. Never waits.
 */
bool socket_is_served(const char *path, int type);

/* Whether fd was bound to path. */
bool socket_is_at(int fd, const char *path);

/*
 * Whether fd, from a service manager, is a listening Unix stream socket with an absolute path. 0
 * or -errno with f filled.
 */
int socket_check_listening(int fd, struct fault *f);

#endif
