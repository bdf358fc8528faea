/*
 * buffer: bytes that come at one end and go at the other. Pure. Runs in the server.
 */
#ifndef SERVER_BUFFER_H
#define SERVER_BUFFER_H

#include <stddef.h>

/* Zero-initialised is empty. */
struct buffer {
	char *data;
	size_t len;
	size_t size;
};

/*
 * Makes room for at least `more` bytes behind the last one, at most max bytes in all. 0,
 * -EMSGSIZE, -ENOMEM.
 */
int buffer_reserve(struct buffer *b, size_t more, size_t max);

/* Copies len bytes behind the last one. As buffer_reserve(). */
int buffer_append(struct buffer *b, const void *data, size_t len, size_t max);

/* Forgets the first len bytes. */
void buffer_consume(struct buffer *b, size_t len);

void buffer_fini(struct buffer *b);

#endif
