/*
 * frame: see frame.h. Run by clients.
 */
#include "cli/frame.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_MAX (64U * 1024 * 1024)

/* So small that what malloc(3) has at hand is enough for most answers. */
#define FRAME_ROOM (8U * 1024)

static int
lost(int error)
{
	return error == EPIPE ? -ECONNRESET : -error;
}

/*
 * The first part of the message, with the descriptor. Returns how many bytes were sent, or
 * -errno.
 */
static ssize_t
send_first(int socket, const char *text, size_t len, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS,
		    .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(socket, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? lost(errno) : n;
}

int
frame_send(int socket, const json_t *message, int fd)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len, done = 0;
	ssize_t n = 0;

	if (text == NULL)
		return -ENOMEM;
	len = strlen(text) + 1;
	while (done < len && n >= 0) {
		n = send_first(socket, text + done, len - done, done == 0 ? fd : -1);
		if (n > 0)
			done += (size_t)n;
	}
	free(text);
	return n < 0 ? (int)n : 0;
}

int
frame_take(struct frame_buffer *b, json_t **ret_message)
{
	size_t have = b->end - b->start;
	const char *text = have > 0 ? b->data + b->start : NULL;
	const char *nul = have > 0 ? memchr(text, '\0', have) : NULL;
	json_t *message;

	if (nul == NULL)
		return -EAGAIN;
	message = json_loadb(text, (size_t)(nul - text), JSON_ALLOW_NUL, NULL);
	b->start += (size_t)(nul - text) + 1;
	if (!json_is_object(message)) {
		json_decref(message);
		return -EBADMSG;
	}
	*ret_message = message;
	return 0;
}

static int
make_room(struct frame_buffer *b)
{
	char *larger;

	if (b->start > 0) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	if (b->size - b->end >= FRAME_ROOM)
		return 0;
	if (b->size >= FRAME_MAX)
		return -EMSGSIZE;
	larger = realloc(b->data, 2 * b->size + 2 * FRAME_ROOM);
	if (larger == NULL)
		return -ENOMEM;
	b->data = larger;
	b->size = 2 * b->size + 2 * FRAME_ROOM;
	return 0;
}

int
frame_fill(int socket, struct frame_buffer *b)
{
	ssize_t n;
	int r = make_room(b);

	if (r < 0)
		return r;
	do {
		n = recv(socket, b->data + b->end, b->size - b->end, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return lost(errno);
	if (n == 0)
		return -ECONNRESET;
	b->end += (size_t)n;
	return 0;
}
