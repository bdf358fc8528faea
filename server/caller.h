/*
 * caller: which job a client is part of. Runs in the server.
 */
#ifndef SERVER_CALLER_H
#define SERVER_CALLER_H

#include "server/state.h"

#include <stdint.h>

/*
 * The job that the client says it is part of, if it is: its process carries the mark of that job
 * (supervisor/contain.h), and the job has a process. Else 0. So nobody lends the room of a job but the job
 * itself. A client whose mark cannot be read, or that runs where there are none, is part of nothing.
 */
int64_t caller_job(struct server *s, const struct conn *c, int64_t claimed);

#endif
