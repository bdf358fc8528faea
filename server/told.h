/*
 * told: what the supervisor's messages mean. Those that would have to be stored while the store refuses are left
 * with the supervisor, which is asked for them again.
 */
#ifndef SERVER_TOLD_H
#define SERVER_TOLD_H

#include "server/state.h"
#include "wire/wire.h"

/* Does what m, which stays the caller's, asks for. What fails in the store fails the turn, server_check(). */
void told_message(struct server *s, const struct wire_message *m);

#endif
