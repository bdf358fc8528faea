/*
 * admit: whether another job may be put below a parent. Runs in the server.
 */
#ifndef SERVER_ADMIT_H
#define SERVER_ADMIT_H

#include "server/call.h"
#include "server/lend.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether it may, by depth, and because nobody above it was cancelled, also while that is under way.
 * parent_job: as kin_find() takes it. Where it may not, the call is answered with the reason.
 */
bool admit_child(struct call *call, const char *parent, int64_t parent_job, const char *child);

/*
 * Whether the queue has room. Where it has not, the call is answered with that, or, unless no_wait, has to ask
 * again; a job that waits so lends its room, for its children may be what the queue is full of.
 */
bool admit_to_queue(struct call *call, bool no_wait, int64_t parent_job, struct lender *l);

#endif
