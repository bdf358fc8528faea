/*
 * link: the server's end of the wire to the supervisor. What the socket does not take at once
 * waits in order. Runs in the server; knows messages, not what they are about.
 */
#ifndef SERVER_LINK_H
#define SERVER_LINK_H

#include "base/loop.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct link;

struct link_handlers {
	void (*message)(void *arg, const struct wire_message *m);
	/* A message was dropped: why. */
	void (*dropped)(void *arg, const char *why);
	/* The supervisor is gone. */
	void (*closed)(void *arg);
	void *arg;
};

/* Serves fd, which it owns from here on. 0 or -errno. */
int link_new(struct loop *l, int fd, const struct link_handlers *h, struct link **ret_link);
void link_free(struct link *k);

/* Sends, or keeps for later, a message without descriptors about a job (PAUSE, UNPAUSE, FORGET, LOOK). */
void link_send_job(struct link *k, enum wire_type type, uint64_t job);

/* The same for CANCEL; cause is WIRE_CAUSE_CANCEL or WIRE_CAUSE_OUTPUT. */
void link_cancel(struct link *k, uint64_t job, enum wire_cause cause);

/* The same for LULL. */
void link_lull(struct link *k, uint64_t job, bool is_lulled);

/* The same without any contents: READY, REPORT, QUIT. */
void link_send(struct link *k, enum wire_type type);

/* The same for RENEW, with a copy of fd. */
void link_renew(struct link *k, enum wire_renewed what, int fd);

/* The same for SPAWN; takes the descriptors over (and sets them to -1). */
void link_spawn(struct link *k, const struct wire_spawn *spawn, int fds[WIRE_FD_COUNT]);

/* The same for ADOPT. */
void link_adopt(struct link *k, const struct wire_adopt *adopt, int fds[WIRE_ADOPT_FD_COUNT]);

/* HOLD with a copy of fd, RELEASE. */
void link_hold(struct link *k, uint64_t index, int fd);
void link_release(struct link *k, uint64_t index);

/* Takes back each SPAWN that has not left yet. */
void link_drop_spawns(struct link *k);

/* Whether everything has left. */
bool link_is_idle(const struct link *k);

#endif
