/*
 * defer: that a job's program was executed is taken note of a moment later, with what comes next: nobody waits
 * for that, and a commit of its own would hold up what somebody does wait for. A job that is over in that
 * moment costs one commit for its start and its end. Runs in the server.
 *
 * For everybody else the supervisor has told it that much later. The moment ends with whatever the
 * supervisor tells next, a client's call, or another commit.
 */
#ifndef SERVER_DEFER_H
#define SERVER_DEFER_H

#include "server/state.h"

/* Takes note of what was deferred, in its order, by told(s, m). */
void defer_init(struct server *s, void (*told)(struct server *s, const struct wire_message *m));

/* Whether it has kept that message, for later. */
bool defer_keep(struct server *s, const struct wire_message *m);

/* The moment is over. */
void defer_end(struct server *s);

#endif
