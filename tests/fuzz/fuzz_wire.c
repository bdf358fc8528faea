/*
 * fuzz_wire: any packet with any number of descriptors on the wire. The first byte says which side
 * reads and how many descriptors come along, the second how many bytes are left of the packet that
 * follows; a packet whose version is 0xffff is given the version and size that its type wants, so
 * that the rest is looked at as well. A message that is taken is as its type says and can be sent
 * on; of one that is not, no descriptor stays open.
 */
#include "base/fd.h"
#include "wire/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS 16
#define PACKET_MAX (2 * sizeof(struct wire_message))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static unsigned
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	must(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void
send_packet(int fd, const void *packet, size_t size, unsigned nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS)];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)packet, .iov_len = size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	int fds[FDS];

	for (unsigned i = 0; i < FDS; i++)
		fds[i] = fd;
	if (nfds > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
	}
	must(sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
}

/* Takes what is there; returns how many descriptors came with it, which are closed again. */
static int
take(int fd, enum wire_side side, struct wire_message *m, unsigned *ret_nfds)
{
	int fds[WIRE_FDS_MAX];
	const char *why = NULL;
	int rc = wire_receive(fd, side, m, fds, &why);

	*ret_nfds = 0;
	must(rc == 1 || rc == 0 || rc == -EBADMSG);
	must((rc == -EBADMSG) == (why != NULL));
	for (unsigned i = 0; i < WIRE_FDS_MAX; i++) {
		if (fds[i] == -1)
			continue;
		must(rc == 1 && i == *ret_nfds);
		must((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
		fd_close(&fds[i]);
		(*ret_nfds)++;
	}
	return rc;
}

static void
must_be_sane(const struct wire_message *m)
{
	must(m->version == WIRE_VERSION && m->type < WIRE_TYPE_COUNT);
	if (m->type == WIRE_ENDED)
		must(m->ended.last.len <= WIRE_LINE_MAX && m->ended.stage < WIRE_STAGE_COUNT &&
		    m->ended.cause < WIRE_CAUSE_COUNT);
	if (m->type == WIRE_LOOKED)
		must(m->looked.last.len <= WIRE_LINE_MAX);
	if (m->type == WIRE_PROGRESS)
		must(m->progress.last.len <= WIRE_LINE_MAX);
}

/* What was taken is sent again by wire_send(), and comes as it was. */
static void
must_come_again(int ends[2], enum wire_side side, const struct wire_message *m, unsigned nfds)
{
	struct wire_message copy = *m, again;
	int fds[WIRE_FDS_MAX];
	unsigned got;

	for (unsigned i = 0; i < WIRE_FDS_MAX; i++)
		fds[i] = ends[0];
	must(wire_send(ends[0], (enum wire_type)m->type, &copy, fds, nfds) == 0);
	must(take(ends[1], side, &again, &got) == 1 && got == nfds);
	must(again.size == m->size && memcmp(&again, m, m->size) == 0);
}

/* The size that a type has, as wire_send() makes it. */
static uint32_t
size_of(int ends[2], uint16_t type)
{
	struct wire_message m = {0};
	int fds[WIRE_FDS_MAX];
	char rest[sizeof(m)];

	for (unsigned i = 0; i < WIRE_FDS_MAX; i++)
		fds[i] = ends[0];
	for (unsigned nfds = 0; nfds <= WIRE_FDS_MAX; nfds++) {
		if (wire_send(ends[0], (enum wire_type)type, &m, fds, nfds) == 0)
			break;
	}
	must(recv(ends[1], rest, sizeof(rest), MSG_DONTWAIT) == (ssize_t)m.size);
	return m.size;
}

static size_t
make_packet(int ends[2], const uint8_t *data, size_t size, unsigned left, uint8_t *packet)
{
	struct wire_message *m = (struct wire_message *)(void *)packet;

	memset(packet, 0, PACKET_MAX);
	size = size < PACKET_MAX ? size : PACKET_MAX;
	memcpy(packet, data, size);
	if (size < 4 || m->version != 0xffff || m->type >= WIRE_TYPE_COUNT)
		return size;
	m->version = WIRE_VERSION;
	m->size = size_of(ends, m->type);
	/* Whole, or a few bytes off. */
	return left == 0 ? m->size : m->size + left % 8 - 4;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(struct wire_message) uint8_t packet[PACKET_MAX];
	struct wire_message m;
	enum wire_side side;
	unsigned before, nfds, got;
	int ends[2], rc;
	size_t len;

	if (size < 2)
		return 0;
	before = count_fds();
	must(wire_pair(ends) == 0);
	side = (data[0] & 1) != 0 ? WIRE_SERVER : WIRE_SUPERVISOR;
	nfds = (data[0] >> 1) % (FDS + 1);
	len = make_packet(ends, data + 2, size - 2, data[1], packet);
	send_packet(ends[0], packet, len, nfds);
	rc = take(ends[1], side, &m, &got);
	must(rc != 0);
	if (rc == 1) {
		must(got == nfds);
		must_be_sane(&m);
		must_come_again(ends, side, &m, nfds);
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	must(count_fds() == before);
	return 0;
}
