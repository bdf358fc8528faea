/*
 * settle: what comes of it when a job's wait for others is over: one that was held gets into its line,
 * or is skipped; one that was suspended is resumed. Runs in the server.
 */
#ifndef SERVER_SETTLE_H
#define SERVER_SETTLE_H

#include "server/state.h"

/*
 * All of them, and those that are over by that: a chain of any length is skipped in one turn, and
 * without recursion.
 */
void settle_waits(struct server *s);

#endif
