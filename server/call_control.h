/*
 * call_control: the methods Cancel, Fifo, Reload, Stop: operation. Runs in the
 * server. org.spawnd.varlink is their contract.
 */
#ifndef SERVER_CALL_CONTROL_H
#define SERVER_CALL_CONTROL_H

#include "server/call.h"

void call_cancel(struct call *call);
void call_fifo(struct call *call);
void call_reload(struct call *call);
void call_stop(struct call *call);

#endif
