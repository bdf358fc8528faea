/*
 * buffer: see buffer.h.
 */
#include "server/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096

int
buffer_reserve(struct buffer *b, size_t more, size_t max)
{
	size_t size = b->size == 0 ? FIRST_SIZE : b->size;
	char *data;

	if (more > max || b->len > max - more)
		return -EMSGSIZE;
	while (size < b->len + more)
		size *= 2;
	if (size == b->size)
		return 0;
	data = realloc(b->data, size);
	if (data == NULL)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

int
buffer_append(struct buffer *b, const void *data, size_t len, size_t max)
{
	int r = buffer_reserve(b, len, max);

	if (r < 0)
		return r;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

void
buffer_consume(struct buffer *b, size_t len)
{
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

void
buffer_fini(struct buffer *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->size = 0;
}
