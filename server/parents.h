/*
 * parents: whether a parent that is named is one that anybody has had, and which was meant if it is none.
 * Runs in the server.
 */
#ifndef SERVER_PARENTS_H
#define SERVER_PARENTS_H

#include "server/call.h"

/*
 * Whether a child has had that parent, or it is a child itself, which may have none yet. Else the call is
 * answered with NotFound, which names one that is like it. Where the store cannot tell, true.
 */
bool parents_check(struct call *call, const char *parent);

#endif
