/*
 * kin: who is below whom, and what follows from it. Runs in the server.
 *
 * A job is below another if that one lived, and had the job's parent id as its child id, when the job was
 * enqueued. That is the server's to find out: of the client it takes the parent's id alone.
 */
#ifndef SERVER_KIN_H
#define SERVER_KIN_H

#include "server/call.h"

#include <stdbool.h>
#include <stdint.h>

/* How deep a new child of this parent is: 0 if no job that has not ended has that id. */
int64_t kin_depth(const struct server *s, const char *parent);

/* Whether a new child of this parent may be accepted. Where not, the call is answered. */
bool kin_admit(struct call *call, const char *parent, const char *child);

#endif
