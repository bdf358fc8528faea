/*
 * passed: descriptors that a client passed with a call (SCM_RIGHTS, unix(7)).
 */
#ifndef SERVER_PASSED_H
#define SERVER_PASSED_H

#include <stddef.h>
#include <sys/socket.h>

#define PASSED_MAX 4

/* All zero: none. It owns them. */
struct passed {
	int fds[PASSED_MAX]; /* -1 where one was taken */
	size_t count;
};

/* Takes over those that came with mh, behind those that came before; what is beyond PASSED_MAX is closed. */
void passed_keep(struct passed *p, struct msghdr *mh);

/* The one of that index, which is the caller's then. -1: there is none, or it was taken. */
int passed_take(struct passed *p, size_t index);

/* Closes those that nobody took. */
void passed_close(struct passed *p);

#endif
