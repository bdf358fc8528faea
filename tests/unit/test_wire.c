/*
 * Units of wire/wire: what one side sends, the other gets; what nobody should send is dropped.
 */
#include "wire/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned
count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A packet as nobody would send it who uses wire_send(). */
static void
send_raw(int fd, const void *data, size_t len, const int *fds, unsigned nfds)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 32)];
	} control = {0};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (nfds > 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
	}
	assert_int_equal(sendmsg(fd, &packet, MSG_NOSIGNAL), len);
}

static const struct {
	enum wire_type type;
	enum wire_side reader;
	unsigned nfds;
} all[] = {
    {WIRE_HELLO, WIRE_SERVER, 0},
    {WIRE_STARTED, WIRE_SERVER, 0},
    {WIRE_ENDED, WIRE_SERVER, 0},
    {WIRE_SYNCED, WIRE_SERVER, 0},
    {WIRE_LOOKED, WIRE_SERVER, 0},
    {WIRE_RELOAD, WIRE_SERVER, 0},
    {WIRE_STOPPING, WIRE_SERVER, 0},
    {WIRE_READY, WIRE_SUPERVISOR, 0},
    {WIRE_SPAWN, WIRE_SUPERVISOR, WIRE_FD_COUNT},
    {WIRE_ADOPT, WIRE_SUPERVISOR, WIRE_ADOPT_FD_COUNT},
    {WIRE_CANCEL, WIRE_SUPERVISOR, 0},
    {WIRE_PAUSE, WIRE_SUPERVISOR, 0},
    {WIRE_UNPAUSE, WIRE_SUPERVISOR, 0},
    {WIRE_FORGET, WIRE_SUPERVISOR, 0},
    {WIRE_LOOK, WIRE_SUPERVISOR, 0},
    {WIRE_REPORT, WIRE_SUPERVISOR, 0},
    {WIRE_HOLD, WIRE_SUPERVISOR, 1},
    {WIRE_RELEASE, WIRE_SUPERVISOR, 0},
    {WIRE_QUIT, WIRE_SUPERVISOR, 0},
    {WIRE_UPGRADE, WIRE_SUPERVISOR, 0},
    {WIRE_RENEW, WIRE_SUPERVISOR, 1},
    {WIRE_PROGRESS, WIRE_SERVER, 0},
    {WIRE_IDLE, WIRE_SERVER, 0},
    {WIRE_LULL, WIRE_SUPERVISOR, 0},
};

static const int some_fds[8] = {0, 0, 0, 0, 0, 0, 0, 0};

static void
test_every_message_arrives_at_its_side_only(void **state)
{
	struct wire_message m, got;
	int ends[2], fds[WIRE_FDS_MAX], n;
	const char *why = NULL;
	enum wire_side other;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(all) / sizeof(all[0]), WIRE_TYPE_COUNT);
	assert_int_equal(wire_pair(ends), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&m, 0, sizeof(m));
		m.job.job = 4711;
		assert_int_equal(wire_send(ends[0], all[i].type, &m, some_fds, all[i].nfds), 0);
		assert_int_equal(wire_send(ends[0], all[i].type, &m, some_fds, all[i].nfds), 0);
		assert_int_equal(wire_receive(ends[1], all[i].reader, &got, fds, &why), 1);
		assert_int_equal(got.type, all[i].type);
		assert_memory_equal(&got, &m, m.size);
		for (n = 0; n < WIRE_FDS_MAX; n++) {
			assert_int_equal(fds[n] != -1, n < (int)all[i].nfds);
			if (fds[n] != -1) {
				assert_int_equal(fcntl(fds[n], F_GETFD), FD_CLOEXEC);
				close(fds[n]);
			}
		}
		other = all[i].reader == WIRE_SERVER ? WIRE_SUPERVISOR : WIRE_SERVER;
		assert_int_equal(wire_receive(ends[1], other, &got, fds, &why), -EBADMSG);
		assert_non_null(why);
	}
	close(ends[0]);
	close(ends[1]);
}

static void
test_nothing_there_the_end_and_a_dead_peer(void **state)
{
	struct wire_message m = {0};
	int ends[2], fds[WIRE_FDS_MAX];
	const char *why;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	assert_int_equal(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), -EAGAIN);
	close(ends[1]);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), 0);
	assert_int_equal(wire_send(ends[0], WIRE_SYNCED, &m, NULL, 0), -EPIPE);
	close(ends[0]);
}

/* Nor is one that its sender's death follows: what lies behind it is read. */
static void
test_an_empty_packet_is_not_the_end(void **state)
{
	struct wire_message m = {0};
	int ends[2], fds[WIRE_FDS_MAX];
	const char *why = NULL;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	send_raw(ends[1], "", 0, NULL, 0);
	assert_int_equal(wire_send(ends[1], WIRE_QUIT, &m, NULL, 0), 0);
	send_raw(ends[1], "", 0, NULL, 0);
	close(ends[1]);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), -EBADMSG);
	assert_non_null(why);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), 1);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), -EBADMSG);
	assert_int_equal(wire_receive(ends[0], WIRE_SUPERVISOR, &m, fds, &why), 0);
	close(ends[0]);
}

static void
test_a_full_wire_says_so(void **state)
{
	struct wire_message m = {0};
	int ends[2], error;
	unsigned n = 0;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	while ((error = wire_send(ends[0], WIRE_ENDED, &m, NULL, 0)) == 0)
		n++;
	assert_int_equal(error, -EAGAIN);
	assert_true(n > 16);
	close(ends[0]);
	close(ends[1]);
}

static void
test_the_sender_may_not_miscount_descriptors(void **state)
{
	struct wire_message m = {0};
	int ends[2];

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	assert_int_equal(wire_send(ends[0], WIRE_SPAWN, &m, some_fds, 5), -EINVAL);
	assert_int_equal(wire_send(ends[0], WIRE_QUIT, &m, some_fds, 1), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

/* Sends a packet and expects that it is dropped, and that nothing of it stays open. */
static void
assert_dropped(const int ends[2], const void *data, size_t len, unsigned nfds)
{
	unsigned before = count_open();
	struct wire_message got;
	int fds[WIRE_FDS_MAX], i;
	const char *why = NULL;

	send_raw(ends[0], data, len, some_fds, nfds);
	assert_int_equal(wire_receive(ends[1], WIRE_SUPERVISOR, &got, fds, &why), -EBADMSG);
	assert_non_null(why);
	for (i = 0; i < WIRE_FDS_MAX; i++)
		assert_int_equal(fds[i], -1);
	assert_int_equal(count_open(), before);
}

/* A right message, to be spoilt. */
static struct wire_message
right(enum wire_type type, size_t part)
{
	struct wire_message m = {.version = WIRE_VERSION,
	    .type = (uint16_t)type,
	    .size = (uint32_t)(offsetof(struct wire_message, job) + part)};

	return m;
}

static void
test_damaged_heads_are_dropped(void **state)
{
	struct wire_message m;
	char huge[2 * sizeof(struct wire_message)] = {0};
	int ends[2];
	size_t len;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	m = right(WIRE_CANCEL, sizeof(m.job));
	for (len = 0; len < m.size; len++)
		assert_dropped(ends, &m, len, 0);
	assert_dropped(ends, &m, m.size + 1, 0);
	memcpy(huge, &m, m.size);
	assert_dropped(ends, huge, sizeof(huge), 0);
	m.size++;
	assert_dropped(ends, &m, m.size, 0);
	assert_dropped(ends, &m, m.size - 1, 0);
	m = right(WIRE_CANCEL, sizeof(m.job));
	m.version++;
	assert_dropped(ends, &m, m.size, 0);
	m = right(WIRE_TYPE_COUNT, sizeof(m.job));
	assert_dropped(ends, &m, m.size, 0);
	m = right(UINT16_MAX, sizeof(m.job));
	assert_dropped(ends, &m, m.size, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
test_the_largest_message_with_more_behind_it_is_dropped(void **state)
{
	struct wire_message m[2] = {right(WIRE_ENDED, sizeof(m[0].ended))}, got;
	int ends[2], fds[WIRE_FDS_MAX];
	const char *why;

	(void)state;
	assert_int_equal(m[0].size, sizeof(m[0]));
	assert_int_equal(wire_pair(ends), 0);
	send_raw(ends[0], m, sizeof(m[0]), NULL, 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), 1);
	send_raw(ends[0], m, sizeof(m[0]) + 1, NULL, 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), -EBADMSG);
	close(ends[0]);
	close(ends[1]);
}

static void
test_wrong_numbers_of_descriptors_are_dropped(void **state)
{
	struct wire_message m;
	int ends[2];
	unsigned n;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	m = right(WIRE_SPAWN, sizeof(m.spawn));
	for (n = 0; n <= 8; n++)
		if (n != WIRE_FD_COUNT)
			assert_dropped(ends, &m, m.size, n);
	m = right(WIRE_QUIT, 0);
	assert_dropped(ends, &m, m.size, 1);
	assert_dropped(ends, "", 0, 2);
	close(ends[0]);
	close(ends[1]);
}

static void
test_lines_that_are_too_long_are_dropped(void **state)
{
	struct wire_message m = {0}, got;
	int ends[2], fds[WIRE_FDS_MAX];
	const char *why;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	m.ended.last.len = WIRE_LINE_MAX + 1;
	assert_int_equal(wire_send(ends[0], WIRE_ENDED, &m, NULL, 0), 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), -EBADMSG);
	m.ended.last.len = WIRE_LINE_MAX;
	assert_int_equal(wire_send(ends[0], WIRE_ENDED, &m, NULL, 0), 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), 1);
	m.ended.stage = WIRE_STAGE_COUNT;
	assert_int_equal(wire_send(ends[0], WIRE_ENDED, &m, NULL, 0), 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), -EBADMSG);
	memset(&m, 0, sizeof(m));
	m.looked.last.len = UINT32_MAX;
	assert_int_equal(wire_send(ends[0], WIRE_LOOKED, &m, NULL, 0), 0);
	assert_int_equal(wire_receive(ends[1], WIRE_SERVER, &got, fds, &why), -EBADMSG);
	close(ends[0]);
	close(ends[1]);
}

static void
test_no_room_for_descriptors_can_be_answered(void **state)
{
	struct wire_message m = {0}, got;
	struct rlimit before, tight;
	int ends[2], fds[WIRE_FDS_MAX], error;
	unsigned open_before;
	const char *why;

	(void)state;
	assert_int_equal(wire_pair(ends), 0);
	m.spawn.job = 4711;
	assert_int_equal(wire_send(ends[0], WIRE_SPAWN, &m, some_fds, WIRE_FD_COUNT), 0);
	open_before = count_open();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)(ends[1] > ends[0] ? ends[1] : ends[0]) + 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	error = wire_receive(ends[1], WIRE_SUPERVISOR, &got, fds, &why);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(error, -EMFILE);
	assert_int_equal(got.spawn.job, 4711);
	assert_int_equal(count_open(), open_before);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_message_arrives_at_its_side_only),
	    cmocka_unit_test(test_nothing_there_the_end_and_a_dead_peer),
	    cmocka_unit_test(test_an_empty_packet_is_not_the_end),
	    cmocka_unit_test(test_a_full_wire_says_so),
	    cmocka_unit_test(test_the_sender_may_not_miscount_descriptors),
	    cmocka_unit_test(test_damaged_heads_are_dropped),
	    cmocka_unit_test(test_the_largest_message_with_more_behind_it_is_dropped),
	    cmocka_unit_test(test_wrong_numbers_of_descriptors_are_dropped),
	    cmocka_unit_test(test_lines_that_are_too_long_are_dropped),
	    cmocka_unit_test(test_no_room_for_descriptors_can_be_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
