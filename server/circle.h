/*
 * circle: whether a job that waits in a call waits for others that cannot end before it has, since they wait for
 * it themselves, or for others that do: stored waits (queue/waits.h), and calls of jobs that can do nothing
 * but wait for the answer (server/captive.h). Runs in the server.
 */
#ifndef SERVER_CIRCLE_H
#define SERVER_CIRCLE_H

#include "base/id.h"
#include "server/await.h"
#include "server/state.h"

#include <stdbool.h>
#include <stdint.h>

#define CIRCLE_TEXT_SIZE (8 * ID_SIZE + 300)

enum circle {
	CIRCLE_OPEN,
	CIRCLE_DOUBTFUL, /* open, but it may close without anybody's waiting for more: ask again */
	CIRCLE_CLOSED
};

/*
 * CIRCLE_CLOSED where the job, which may be none (open), would wait for this for ever: then text names who waits
 * for whom.
 */
enum circle circle_look(struct server *s, int64_t job, const struct await *a,
    char text[CIRCLE_TEXT_SIZE]);

#endif
