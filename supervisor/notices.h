/*
 * notices: the datagram socket that NOTIFY_SOCKET of all jobs names, sd_notify(3). Who sent a datagram is
 * known from the kernel. A quiet socket costs nothing; one that is flooded is not read for a while,
 * so that its senders wait.
 */
#ifndef SUPERVISOR_NOTICES_H
#define SUPERVISOR_NOTICES_H

#include "base/timer.h"
#include "supervisor/brood.h"

#include <stdbool.h>
#include <stdint.h>

struct notices {
	struct brood *brood;
	struct loop_io io;
	int fd; /* owned */
	struct timer unmute;
	uint64_t window_ns; /* since when taken counts */
	unsigned taken;
	uint64_t looked_ns; /* when notices_look() read it last */
	uint64_t logged_ns;
	uint64_t dropped; /* and not logged yet */
};

/*
 * Reads fd, a bound AF_UNIX datagram socket, non-blocking, from now on, and before the brood's
 * verdicts; -1: there is none. fd is n's from now on, also where this fails. 0 or -errno.
 */
int notices_init(struct notices *n, struct brood *b, int fd);

/*
 * Reads fd, such a socket, in place of the one before, which is read to its end first. fd is n's from
 * now on.
 */
void notices_renew(struct notices *n, int fd);

void notices_fini(struct notices *n);

#endif
