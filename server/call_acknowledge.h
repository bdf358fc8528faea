/*
 * call_acknowledge: the method Acknowledge: records that have been taken. Runs in the server.
 * org.spawnd.varlink is its contract.
 */
#ifndef SERVER_CALL_ACKNOWLEDGE_H
#define SERVER_CALL_ACKNOWLEDGE_H

#include "server/call.h"

void call_acknowledge(struct call *call);

#endif
