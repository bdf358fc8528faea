/*
 * takeover: the supervisor has died. Its children run on, unwatched; this server becomes the supervisor,
 * by executing spawnd anew in its own process: the lock, the listening socket and the socket for
 * notices stay open, so does all that a new supervisor can use (wire/lifeboat.h). A new server then
 * tells it from the store what to adopt.
 */
#ifndef SERVER_TAKEOVER_H
#define SERVER_TAKEOVER_H

#include "server/state.h"

#include <stdbool.h>

/*
 * Whether the process that started this one has died: it may take a moment to die, after its descriptors
 * were closed. Waits for up to a second while it lives.
 */
bool takeover_is_due(const struct server *s);

/* Becomes the supervisor. Returns only if that fails: -errno. */
int takeover_exec(struct server *s);

#endif
