/*
 * talk: what the supervisor and its server say to each other: messages come in and are handed to the room that they
 * are for; what there is to tell leaves when the wire has room.
 */
#ifndef SUPERVISOR_TALK_H
#define SUPERVISOR_TALK_H

#include "supervisor/state.h"

#include <stdbool.h>
#include <stdint.h>

/* A new server is there: for struct keeper. */
void talk_started(void *supervisor);

/* Something is on the wire: for struct keeper. Takes a few messages. */
void talk_ready(void *supervisor, uint32_t events);

/*
 * Takes one message. As wire_receive() returns, but what was dropped is logged and counts as one.
 */
int talk_take(struct supervisor *s);

/* Whether this -errno of a socket says that memory is short: it will pass. */
bool talk_is_starved_by(int error);

/* Tells the server what there is to tell. */
void talk_tell(struct supervisor *s);

/* What could not be read or told a moment ago is tried again. */
void talk_again(struct supervisor *s);

#endif
