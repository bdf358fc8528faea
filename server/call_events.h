/*
 * call_events: the method Events. Runs in the server.
 */
#ifndef SERVER_CALL_EVENTS_H
#define SERVER_CALL_EVENTS_H

struct call;

void call_events(struct call *call);

#endif
