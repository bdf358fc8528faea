/*
 * circle: whether a job that is about to wait in a call waits for others that cannot end before it has, since
 * they wait for it themselves (queue/waits.h), or for others that do. Runs in the server.
 */
#ifndef SERVER_CIRCLE_H
#define SERVER_CIRCLE_H

#include "base/id.h"
#include "server/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIRCLE_TEXT_SIZE (8 * ID_SIZE + 300)

/*
 * The job waits for these: all of them, or one, as is_all says. Where it would for ever, true, and text names
 * who waits for whom.
 */
bool circle_of_jobs(struct server *s, int64_t job, const struct numbers *awaited, bool is_all,
    char text[CIRCLE_TEXT_SIZE]);

/* The same for all children of a parent. */
bool circle_of_parent(struct server *s, int64_t job, const char *parent,
    char text[CIRCLE_TEXT_SIZE]);

#endif
