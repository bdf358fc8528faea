/*
 * call_suspend: the method Suspend, by which a job has itself suspended. Runs in the server.
 */
#ifndef SERVER_CALL_SUSPEND_H
#define SERVER_CALL_SUSPEND_H

#include "server/call.h"

void call_suspend(struct call *call);

#endif
