/*
 * call_ask: Ask, by which a job puts a question, and Answer. Runs in the server.
 */
#ifndef SERVER_CALL_ASK_H
#define SERVER_CALL_ASK_H

#include "server/call.h"

void call_ask(struct call *call);
void call_answer(struct call *call);

#endif
