/*
 * call_wait: the methods Wait and Next: records, handed to those who ask for them. Runs
 * in the server. org.spawnd.varlink is their contract.
 */
#ifndef SERVER_CALL_WAIT_H
#define SERVER_CALL_WAIT_H

#include "server/call.h"

void call_wait(struct call *call);
void call_next(struct call *call);

#endif
