/*
 * call_approvals: Approvals, what waits for an answer, and TakeApprovals, by which somebody takes what is put
 * to him. Runs in the server.
 */
#ifndef SERVER_CALL_APPROVALS_H
#define SERVER_CALL_APPROVALS_H

#include "server/call.h"

void call_approvals(struct call *call);
void call_take_approvals(struct call *call);

#endif
