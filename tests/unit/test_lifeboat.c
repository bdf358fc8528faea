/*
 * Descriptors that go from one program to the next in the same process: each comes out once, by what it is.
 */
#include "wire/lifeboat.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT 100

static int
open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
everything_comes_out_once(void **state)
{
	struct lifeboat out = {0}, in;
	int fds[2 * COUNT], fd, i;

	(void)state;
	/* The highest number first: the list is sorted. */
	for (i = 0; i < 2 * COUNT; i++) {
		fds[i] = open_null();
		assert_int_equal(lifeboat_add(&out, i % 2 == 0 ? LIFEBOAT_WRITER : LIFEBOAT_PIDFD,
				     (uint64_t)(COUNT - i / 2), fds[i]),
		    0);
	}
	fd = lifeboat_launch(&out);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fcntl(fds[7], F_GETFD), 0);
	free(out.seats);
	assert_int_equal(lifeboat_land(&in, fd), 0);
	assert_int_equal(in.count, 2 * COUNT);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(fcntl(fds[7], F_GETFD), FD_CLOEXEC);
	for (i = 0; i < 2 * COUNT; i += 3) {
		enum lifeboat_kind kind = i % 2 == 0 ? LIFEBOAT_WRITER : LIFEBOAT_PIDFD;

		assert_int_equal(lifeboat_take(&in, kind, (uint64_t)(COUNT - i / 2)), fds[i]);
		assert_int_equal(lifeboat_take(&in, kind, (uint64_t)(COUNT - i / 2)), -1);
	}
	assert_int_equal(lifeboat_take(&in, LIFEBOAT_PIDFD, COUNT + 1), -1);
	lifeboat_sink(&in);
	for (i = 0; i < 2 * COUNT; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), i % 3 == 0 ? FD_CLOEXEC : -1);
		if (i % 3 == 0)
			close(fds[i]);
	}
}

static void
an_empty_one_is_fine(void **state)
{
	struct lifeboat out = {0}, in;

	(void)state;
	assert_int_equal(lifeboat_land(&in, lifeboat_launch(&out)), 0);
	assert_int_equal(lifeboat_take(&in, LIFEBOAT_PIDFD, 1), -1);
	lifeboat_sink(&in);
}

/* A memfd with these bytes, as a list. */
static int
land(struct lifeboat *b, const void *data, size_t len)
{
	int fd = memfd_create("test", 0);

	assert_int_equal(fd_write_all(fd, data, len), 0);
	return lifeboat_land(b, fd);
}

static void
rubbish_is_refused(void **state)
{
	const struct lifeboat_seat lies[] = {{LIFEBOAT_PIDFD, STDERR_FILENO, 1},
	    {LIFEBOAT_PIDFD, 100000, 2}};
	struct lifeboat b;

	(void)state;
	assert_int_equal(land(&b, "seven b", 7), -EBADMSG);
	assert_int_equal(b.count, 0);
	assert_int_equal(lifeboat_land(&b, -1), -EBADF);
	/* What is not there, or is a standard descriptor, is nobody's seat. */
	assert_int_equal(land(&b, lies, sizeof(lies)), 0);
	assert_int_equal(lifeboat_take(&b, LIFEBOAT_PIDFD, 1), -1);
	assert_int_equal(lifeboat_take(&b, LIFEBOAT_PIDFD, 2), -1);
	lifeboat_sink(&b);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_comes_out_once),
	    cmocka_unit_test(an_empty_one_is_fine),
	    cmocka_unit_test(rubbish_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
