/*
 * wire: see wire.h. Both sides. Never waits, never allocates, never logs; what is not right is
 * dropped whole, and no descriptor of it stays open.
 */
#include "wire/wire.h"

#include "base/fd.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_SIZE offsetof(struct wire_message, hello)
#define WITH(part) (HEAD_SIZE + sizeof(struct part))

/* A packet is copied as it lies in memory: a hole in it would carry what was there before. */
_Static_assert(sizeof(struct wire_line) == 8 + WIRE_LINE_MAX, "hole in struct wire_line");
_Static_assert(sizeof(struct wire_hello) == 32, "hole in struct wire_hello");
_Static_assert(sizeof(struct standing) == 136, "hole in struct standing");
_Static_assert(sizeof(struct wire_ended) == 144 + sizeof(struct wire_line), "hole in wire_ended");
_Static_assert(sizeof(struct wire_looked) == 40 + sizeof(struct wire_line), "hole in wire_looked");
_Static_assert(sizeof(struct wire_progress) == 24 + sizeof(struct wire_line),
    "hole in wire_progress");
_Static_assert(sizeof(struct wire_idle) == 24, "hole in wire_idle");
_Static_assert(sizeof(struct wire_lull) == 16, "hole in wire_lull");
_Static_assert(sizeof(struct limits) == 104, "hole in struct limits");
_Static_assert(sizeof(struct wire_spawn) == 24 + sizeof(struct limits), "hole in wire_spawn");
_Static_assert((int)WIRE_FD_COUNT <= WIRE_FDS_MAX, "WIRE_FDS_MAX is too small");

/* What a message of each type must be. */
static const struct {
	enum wire_side reader;
	uint32_t size;
	unsigned nfds;
} types[WIRE_TYPE_COUNT] = {
    [WIRE_HELLO] = {WIRE_SERVER, WITH(wire_hello), 0},
    [WIRE_STARTED] = {WIRE_SERVER, WITH(standing), 0},
    [WIRE_ENDED] = {WIRE_SERVER, WITH(wire_ended), 0},
    [WIRE_SYNCED] = {WIRE_SERVER, HEAD_SIZE, 0},
    [WIRE_LOOKED] = {WIRE_SERVER, WITH(wire_looked), 0},
    [WIRE_RELOAD] = {WIRE_SERVER, HEAD_SIZE, 0},
    [WIRE_STOPPING] = {WIRE_SERVER, HEAD_SIZE, 0},
    [WIRE_READY] = {WIRE_SUPERVISOR, HEAD_SIZE, 0},
    [WIRE_SPAWN] = {WIRE_SUPERVISOR, WITH(wire_spawn), WIRE_FD_COUNT},
    [WIRE_ADOPT] = {WIRE_SUPERVISOR, WITH(wire_adopt), WIRE_ADOPT_FD_COUNT},
    [WIRE_CANCEL] = {WIRE_SUPERVISOR, WITH(wire_cancel), 0},
    [WIRE_PAUSE] = {WIRE_SUPERVISOR, WITH(wire_job), 0},
    [WIRE_UNPAUSE] = {WIRE_SUPERVISOR, WITH(wire_job), 0},
    [WIRE_FORGET] = {WIRE_SUPERVISOR, WITH(wire_job), 0},
    [WIRE_LOOK] = {WIRE_SUPERVISOR, WITH(wire_job), 0},
    [WIRE_REPORT] = {WIRE_SUPERVISOR, HEAD_SIZE, 0},
    [WIRE_HOLD] = {WIRE_SUPERVISOR, WITH(wire_hold), 1},
    [WIRE_RELEASE] = {WIRE_SUPERVISOR, WITH(wire_hold), 0},
    [WIRE_QUIT] = {WIRE_SUPERVISOR, HEAD_SIZE, 0},
    [WIRE_UPGRADE] = {WIRE_SUPERVISOR, HEAD_SIZE, 0},
    [WIRE_RENEW] = {WIRE_SUPERVISOR, WITH(wire_renew), 1},
    [WIRE_PROGRESS] = {WIRE_SERVER, WITH(wire_progress), 0},
    [WIRE_IDLE] = {WIRE_SERVER, WITH(wire_idle), 0},
    [WIRE_LULL] = {WIRE_SUPERVISOR, WITH(wire_lull), 0},
};

/* Room for what comes with one packet, aligned as cmsg(3) wants it. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
};

int
wire_pair(int ends[2])
{
	const int on = 1;
	int i, error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		return -errno;
	/* Credentials come with each packet, also with an empty one, and not with the end of the file. */
	for (i = 0; i < 2; i++) {
		if (setsockopt(ends[i], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0)
			continue;
		error = -errno;
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return error;
	}
	return 0;
}

int
wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds)
{
	struct iovec part = {.iov_base = m, .iov_len = types[type].size};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};
	ssize_t n;

	if (nfds != types[type].nfds)
		return -EINVAL;
	m->version = WIRE_VERSION;
	m->type = (uint16_t)type;
	m->size = types[type].size;
	if (nfds > 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
	}
	do
		n = sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

/* Takes the descriptors out of a packet; returns how many there are. */
static unsigned
take_fds(struct msghdr *packet, int fds[WIRE_FDS_MAX])
{
	struct cmsghdr *c;
	unsigned count = 0;
	size_t i, n;

	for (c = CMSG_FIRSTHDR(packet); c != NULL; c = CMSG_NXTHDR(packet, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n && count < WIRE_FDS_MAX; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return count;
}

static bool
has_credentials(struct msghdr *packet)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(packet); c != NULL; c = CMSG_NXTHDR(packet, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			return true;
	return false;
}

/* What is wrong with values that would lead a reader astray, or NULL. */
static const char *
value_fault(const struct wire_message *m)
{
	const struct wire_line *line = NULL;

	if (m->type == WIRE_ENDED)
		line = &m->ended.last;
	if (m->type == WIRE_LOOKED)
		line = &m->looked.last;
	if (m->type == WIRE_PROGRESS)
		line = &m->progress.last;
	if (line != NULL && line->len > WIRE_LINE_MAX)
		return "a line that is longer than its room";
	if (m->type == WIRE_ENDED &&
	    (m->ended.stage >= WIRE_STAGE_COUNT || m->ended.cause >= WIRE_CAUSE_COUNT))
		return "an unknown stage or cause";
	return NULL;
}

/* What is wrong with a packet of n bytes, its descriptors apart, or NULL. */
static const char *
packet_fault(const struct wire_message *m, size_t n, int flags, enum wire_side side)
{
	if (flags & MSG_TRUNC)
		return "longer than any message";
	if (n < HEAD_SIZE)
		return "shorter than any message";
	if (m->version != WIRE_VERSION)
		return "another version of the protocol";
	if (m->type >= WIRE_TYPE_COUNT)
		return "an unknown type";
	if (types[m->type].reader != side)
		return "a type that is not for this side";
	if (m->size != n || types[m->type].size != n)
		return "the wrong size for its type";
	return value_fault(m);
}

static int
drop(int fds[WIRE_FDS_MAX], int error)
{
	int i;

	for (i = 0; i < WIRE_FDS_MAX; i++)
		fd_close(&fds[i]);
	return error;
}

int
wire_receive(int fd, enum wire_side side, struct wire_message *m, int fds[WIRE_FDS_MAX],
    const char **ret_why)
{
	struct iovec part = {.iov_base = m, .iov_len = sizeof(*m)};
	union control control;
	struct msghdr packet = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	unsigned count, i;
	const char *why;
	ssize_t n;

	for (i = 0; i < WIRE_FDS_MAX; i++)
		fds[i] = -1;
	do
		n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	count = take_fds(&packet, fds);
	if (n == 0 && count == 0 && !has_credentials(&packet))
		return 0;
	why = packet_fault(m, (size_t)n, packet.msg_flags, side);
	if (why == NULL && count != types[m->type].nfds) {
		/* The kernel leaves out what this process has no room for; unix(7). */
		if (count < types[m->type].nfds && packet.msg_flags & MSG_CTRUNC)
			return drop(fds, -EMFILE);
		why = "the wrong number of descriptors";
	}
	if (why == NULL && packet.msg_flags & MSG_CTRUNC)
		why = "more descriptors than any message has";
	if (why != NULL) {
		*ret_why = why;
		return drop(fds, -EBADMSG);
	}
	return 1;
}
