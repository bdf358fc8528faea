/*
 * test_regular: what jobs leave behind is opened only if it is a regular file.
 */
#include "server/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char dir[64];
	char path[96], other[96];
};

static int
make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->dir, sizeof(p->dir), "/tmp/test_regular.XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/result", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/other", p->dir);
	*state = p;
	return 0;
}

static int
remove_all(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	unlink(p->other);
	int r = rmdir(p->dir);
	free(p);
	return r;
}

static void
write_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "answer", 6), 6);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
a_file_is_read(void **state)
{
	struct place *p = *state;
	int64_t size = 0;
	char bytes[8];
	int fd;

	write_file(p->path, 0600);
	fd = regular_open(p->path, &size);
	assert_true(fd >= 0);
	assert_int_equal(size, 6);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 6);
	close(fd);
}

static void
a_link_is_not_followed(void **state)
{
	struct place *p = *state;
	int64_t size = 0;

	write_file(p->other, 0644);
	assert_int_equal(symlink(p->other, p->path), 0);
	assert_int_equal(regular_open(p->path, &size), -EOPNOTSUPP);
	assert_int_equal(regular_close_to_others(p->path), 0);
	assert_int_equal(mode_of(p->other), 0644);
}

static void
a_fifo_is_not_opened(void **state)
{
	struct place *p = *state;
	int64_t size = 0;

	assert_int_equal(mkfifo(p->path, 0644), 0);
	/* Nobody writes into it: an opening in earnest would wait for ever. */
	assert_int_equal(regular_open(p->path, &size), -EOPNOTSUPP);
	assert_int_equal(regular_close_to_others(p->path), 0);
	assert_int_equal(mode_of(p->path), 0644);
}

static void
none_is_none(void **state)
{
	struct place *p = *state;
	int64_t size = 0;

	assert_int_equal(regular_open(p->path, &size), -ENOENT);
	assert_int_equal(regular_close_to_others(p->path), 0);
}

static void
a_file_is_closed_to_others(void **state)
{
	struct place *p = *state;

	write_file(p->path, 0644);
	assert_int_equal(regular_close_to_others(p->path), 6);
	assert_int_equal(mode_of(p->path), 0600);
	/* Its owner reads it, too. */
	assert_int_equal(chmod(p->path, 0), 0);
	assert_int_equal(regular_close_to_others(p->path), 6);
	assert_int_equal(mode_of(p->path), 0600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_file_is_read, make, remove_all),
	    cmocka_unit_test_setup_teardown(a_link_is_not_followed, make, remove_all),
	    cmocka_unit_test_setup_teardown(a_fifo_is_not_opened, make, remove_all),
	    cmocka_unit_test_setup_teardown(none_is_none, make, remove_all),
	    cmocka_unit_test_setup_teardown(a_file_is_closed_to_others, make, remove_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
