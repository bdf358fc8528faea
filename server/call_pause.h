/*
 * call_pause: the methods Pause and Unpause. Runs in the server. org.spawnd.varlink is their
 * contract.
 */
#ifndef SERVER_CALL_PAUSE_H
#define SERVER_CALL_PAUSE_H

#include "server/call.h"

void call_pause(struct call *call);
void call_unpause(struct call *call);

#endif
