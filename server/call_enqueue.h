/*
 * call_enqueue: the method Enqueue: a new job, from parameters or a launch block to the queue.
 * Runs in the server. org.spawnd.varlink is their contract.
 */
#ifndef SERVER_CALL_ENQUEUE_H
#define SERVER_CALL_ENQUEUE_H

#include "server/call.h"

void call_enqueue(struct call *call);

#endif
