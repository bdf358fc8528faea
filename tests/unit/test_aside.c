/*
 * test_aside: a file is set aside with what belongs to it, and never over another.
 */
#include "tests/unit/store_fixture.h"

#include "store/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NOW_MS INT64_C(1767225845123) /* 2026-01-01T00:04:05.123Z */

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
assert_text(const char *path, const char *suffix, const char *expected)
{
	char name[PATH_MAX + 16], text[64] = "";

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	int fd = open(name, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, expected);
	unlink(name);
}

static void
a_file_goes_with_what_is_beside_it(void **state)
{
	struct fixture *x = *state;
	char wal[128], aside[PATH_MAX], expected[160];
	struct fault f;

	snprintf(wal, sizeof(wal), "%s-wal", x->path);
	write_text(x->path, "notes");
	write_text(wal, "log");
	assert_int_equal(aside_move(x->path, NOW_MS, aside, &f), 0);
	snprintf(expected, sizeof(expected), "%s.set-aside-20260101T000405Z", x->path);
	assert_string_equal(aside, expected);
	assert_int_equal(access(x->path, F_OK), -1);
	assert_int_equal(access(wal, F_OK), -1);
	assert_text(aside, "", "notes");
	assert_text(aside, "-wal", "log");
}

static void
nothing_is_overwritten(void **state)
{
	struct fixture *x = *state;
	char first[PATH_MAX], second[PATH_MAX], third[PATH_MAX];
	struct fault f;

	write_text(x->path, "one");
	assert_int_equal(aside_move(x->path, NOW_MS, first, &f), 0);
	write_text(x->path, "two");
	assert_int_equal(aside_move(x->path, NOW_MS, second, &f), 0);
	unlink(first);
	snprintf(third, sizeof(third), "%.100s-wal", first); /* of the first, alone */
	write_text(third, "log");
	write_text(x->path, "three");
	assert_int_equal(aside_move(x->path, NOW_MS, first, &f), 0);
	assert_text(third, "", "log");
	assert_text(second, "", "two");
	assert_text(first, "", "three");
}

static void
what_cannot_be_moved_stays(void **state)
{
	struct fixture *x = *state;
	char aside[PATH_MAX];
	struct fault f = {""};

	assert_int_equal(aside_move(x->path, NOW_MS, aside, &f), -ENOENT);
	assert_non_null(strstr(f.text, "cannot be set aside"));
	assert_non_null(strstr(f.text, "move it away yourself"));
}

static void
the_numbers_of_its_jobs_are_read(void **state)
{
	struct fixture *x = *state;
	char noise[4096] = "SQLite format 3";

	assert_int_equal(aside_last_job(x->path), 0);
	assert_int_equal(fixture_open(x), 0);
	for (int i = 0; i < 3; i++)
		fixture_add(x, "p", "c");
	assert_int_equal(store_commit(x->store), 0);
	store_close(x->store);
	x->store = NULL;
	assert_int_equal(aside_last_job(x->path), 3);
	write_text(x->path, "notes");
	assert_int_equal(aside_last_job(x->path), 0);
	int fd = open(x->path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, noise, sizeof(noise)), sizeof(noise));
	close(fd);
	assert_int_equal(aside_last_job(x->path), 0);
}

/* Damage that opening the file does not meet. */
static void
a_check_finds_damage(void **state)
{
	struct fixture *x = *state;
	struct fault f = {""};
	char noise[4096];

	assert_int_equal(fixture_open(x), 0);
	for (int i = 0; i < 400; i++)
		fixture_end(x, fixture_add(x, "p", "c"));
	assert_int_equal(store_commit(x->store), 0);
	assert_int_equal(store_check(x->store, false, &f), 0);
	assert_int_equal(store_check(x->store, true, &f), 0);
	store_close(x->store);
	x->store = NULL;
	memset(noise, 0xa5, sizeof(noise));
	int fd = open(x->path, O_WRONLY);
	off_t middle = lseek(fd, 0, SEEK_END) / 8192 * 4096;
	assert_int_equal(pwrite(fd, noise, sizeof(noise), middle), sizeof(noise));
	close(fd);
	assert_int_equal(fixture_open(x), 0);
	assert_int_equal(store_check(x->store, false, &f), -EBADMSG);
	assert_memory_equal(f.text, x->path, strlen(x->path));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_goes_with_what_is_beside_it),
	    TEST(nothing_is_overwritten),
	    TEST(what_cannot_be_moved_stays),
	    TEST(the_numbers_of_its_jobs_are_read),
	    TEST(a_check_finds_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
