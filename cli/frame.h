/*
 * frame: messages of the control interface on a socket: JSON objects, each ended by a NUL.
 */
#ifndef CLI_FRAME_H
#define CLI_FRAME_H

#include <jansson.h>
#include <stddef.h>

/*
 * Sends message, with descriptor fd (which stays the caller's) along unless it is -1. Waits. 0;
 * -ECONNRESET if the other side is gone; or another -errno.
 */
int frame_send(int socket, const json_t *message, int fd);

/*
 * What was received and not yet taken. Zero-initialised is empty; data is free(3)d by its owner.
 */
struct frame_buffer {
	char *data;
	size_t start, end, size;
};

/*
 * Takes the first whole message out of b. 0 with *ret_message, the caller's; -EAGAIN where there
 * is none; -EBADMSG for what is no JSON object.
 */
int frame_take(struct frame_buffer *b, json_t **ret_message);

/*
 * Receives into b. Waits if nothing is there. 0; -ECONNRESET at the end of the file; -EMSGSIZE
 * for a message without end; or another -errno.
 */
int frame_fill(int socket, struct frame_buffer *b);

#endif
