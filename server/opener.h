/*
 * opener: opens the store, sets aside what cannot be one, and as long as there is none, stands in for
 * the server that there would be. Runs in the server.
 */
#ifndef SERVER_OPENER_H
#define SERVER_OPENER_H

#include "server/state.h"
#include "wire/wire.h"

void opener_init(struct server *s, const struct server_setup *setup);

/*
 * Opens the store and loads what it has. A damaged or foreign file is set aside, and another begun.
 * 0; -errno where there is no store: then one is waited for, and opened by itself, unless this is the
 * daemon's very first server, which ends. Told in the log either way.
 */
int opener_open(struct server *s);

/*
 * A message of the supervisor while there is no store: what cannot be stored is left with it, and asked
 * for once there is one. A daemon that stops cancels what runs, and ends if nothing is to be stored.
 */
void opener_message(struct server *s, const struct wire_message *m);

/* A daemon that stops, and cannot store anything, asks the supervisor for all that it has, to end if that is nothing. */
void opener_ask(struct server *s);

/*
 * Whether ends are let go that cannot be stored: whoever wants the daemon's end at once (Stop with now, SIGTERM), of
 * whose store there is no file any more, does not want it to wait for one.
 */
bool opener_lets_go(const struct server *s);

/* What is wrong, for people, or NULL. The caller frees it. */
char *opener_trouble(struct server *s);

#endif
