/*
 * turn: the end of each turn of the server's loop. What the events wrote becomes durable at once;
 * only then messages, FIFO writes and replies leave. When the store fails, the turn is undone as
 * if its events had not been: clients are told so, and the supervisor is asked again for what it
 * said. When the daemon stops, the last turn says farewell. Runs in the server.
 */
#ifndef SERVER_TURN_H
#define SERVER_TURN_H

#include "server/state.h"

/* Once, before the first turn. */
void turn_init(struct server *s);

/* Ends the turn; goes on while that makes something new by itself, such as a start that failed. */
void turn_end(struct server *s);

#endif
