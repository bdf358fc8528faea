/*
 * prune: keeps the history within `keep` and `keep_jobs`: by one timer, armed only while there is
 * something to remove, now or some day. Runs in the server.
 */
#ifndef SERVER_PRUNE_H
#define SERVER_PRUNE_H

#include "server/state.h"

void prune_init(struct server *s);

/* A job may have ended, a record been acknowledged, or a setting changed: when is there something to do? */
void prune_look(struct server *s);

#endif
