/*
 * Units of wire/launch.
 */
#include "wire/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *some_argv[] = {"make", "-j2", "", "a b\nc\xff", NULL};
static char *some_env[] = {"PATH=/bin", "EMPTY=", "no equals sign", NULL};

static const struct launch some = {.directory = "/tmp/x y",
    .stdin_path = "/dev/null",
    .argv = some_argv,
    .env = some_env,
    .umask = 027};

static void
test_what_is_packed_is_unpacked(void **state)
{
	struct launch l;
	void *block;
	size_t len, i;

	(void)state;
	assert_int_equal(launch_pack(&some, &block, &len), 0);
	assert_int_equal(launch_unpack(block, len, &l), 0);
	assert_string_equal(l.directory, some.directory);
	assert_string_equal(l.stdin_path, some.stdin_path);
	assert_int_equal(l.umask, 027);
	for (i = 0; some_argv[i] != NULL; i++)
		assert_string_equal(l.argv[i], some_argv[i]);
	assert_null(l.argv[i]);
	for (i = 0; some_env[i] != NULL; i++)
		assert_string_equal(l.env[i], some_env[i]);
	assert_null(l.env[i]);
	free(l.argv);
	free(block);
}

static void
test_an_empty_environment_is_one(void **state)
{
	char *none[] = {NULL};
	struct launch l = some;
	void *block;
	size_t len;

	(void)state;
	l.env = none;
	assert_int_equal(launch_pack(&l, &block, &len), 0);
	assert_int_equal(launch_unpack(block, len, &l), 0);
	assert_null(l.env[0]);
	free(l.argv);
	free(block);
}

static void
test_blocks_that_were_cut_are_refused(void **state)
{
	struct launch l;
	void *block, *cut;
	size_t len, n;

	(void)state;
	assert_int_equal(launch_pack(&some, &block, &len), 0);
	for (n = 0; n < len; n++) {
		cut = malloc(n == 0 ? 1 : n);
		assert_non_null(cut);
		memcpy(cut, block, n);
		assert_int_equal(launch_unpack(cut, n, &l), -EBADMSG);
		free(cut);
	}
	cut = calloc(1, len + 1);
	assert_non_null(cut);
	memcpy(cut, block, len);
	assert_int_equal(launch_unpack(cut, len + 1, &l), -EBADMSG);
	free(cut);
	free(block);
}

static void
test_blocks_with_any_byte_changed_do_no_harm(void **state)
{
	struct launch l;
	void *block;
	unsigned char *bytes;
	size_t len, at, i;
	int value, saved;

	(void)state;
	assert_int_equal(launch_pack(&some, &block, &len), 0);
	bytes = block;
	for (at = 0; at < len; at++) {
		saved = bytes[at];
		for (value = 0; value < 256; value++) {
			bytes[at] = (unsigned char)value;
			if (launch_unpack(block, len, &l) != 0)
				continue;
			for (i = 0; l.argv[i] != NULL; i++)
				assert_true(strlen(l.argv[i]) < len);
			for (i = 0; l.env[i] != NULL; i++)
				assert_true(strlen(l.env[i]) < len);
			free(l.argv);
		}
		bytes[at] = (unsigned char)saved;
	}
	free(block);
}

static void
assert_unpack_refused(const struct launch *l)
{
	struct launch got;
	void *block;
	size_t len;

	assert_int_equal(launch_pack(l, &block, &len), 0);
	assert_int_equal(launch_unpack(block, len, &got), -EBADMSG);
	free(block);
}

static void
test_launches_that_make_no_sense_are_refused(void **state)
{
	struct launch l = some;

	(void)state;
	l.directory = "relative";
	assert_unpack_refused(&l);
	l = some;
	l.stdin_path = "";
	assert_unpack_refused(&l);
	l = some;
	l.umask = 01000;
	assert_unpack_refused(&l);
}

static void
test_no_command_is_none(void **state)
{
	char *none[] = {NULL};
	struct launch l = some, got;
	void *block;
	size_t len;

	(void)state;
	l.argv = none;
	assert_int_equal(launch_pack(&l, &block, &len), 0);
	assert_int_equal(launch_unpack(block, len, &got), 0);
	assert_null(got.argv[0]);
	assert_string_equal(got.directory, l.directory);
	free(got.argv);
	free(block);
}

static void
test_sizes_that_the_system_cannot_execute_are_refused(void **state)
{
	static char large[32 * 4096 + 1], small[1024];
	static char *many[10000];
	char *one[] = {"true", large, NULL};
	struct launch l = some;
	struct fault f;
	size_t i;

	(void)state;
	assert_int_equal(launch_check_size(&some, 0, &f), 0);
	memset(large, 'x', sizeof(large) - 1);
	l.argv = one;
	assert_int_equal(launch_check_size(&l, 0, &f), -E2BIG);
	assert_non_null(strstr(f.text, "argument 1 "));
	assert_non_null(strstr(f.text, " 1 bytes too long"));
	assert_non_null(strstr(f.text, "131071"));
	large[sizeof(large) - 2] = '\0';
	assert_int_equal(launch_check_size(&l, 0, &f), 0);
	assert_int_equal(launch_check_size(&l, 8 * 1024 * 1024, &f), -E2BIG);
	memset(small, 'x', sizeof(small) - 1);
	for (i = 0; i < sizeof(many) / sizeof(many[0]) - 1; i++)
		many[i] = small;
	l = some;
	l.env = many;
	assert_int_equal(launch_check_size(&l, 0, NULL), -E2BIG);
}

static void
test_what_passes_the_size_check_can_be_executed(void **state)
{
	static char large[32 * 4096];
	char *words[64], *none[] = {NULL};
	struct launch l = some;
	size_t i;
	pid_t pid;
	int status;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	words[0] = "true";
	for (i = 1; i < 63; i++) {
		words[i] = large;
		words[i + 1] = NULL;
		l.argv = words;
		l.env = none;
		if (launch_check_size(&l, 0, NULL) != 0)
			break;
	}
	assert_true(i > 1 && i < 63);
	words[i] = NULL;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		execve("/bin/true", words, none);
		_exit(errno == E2BIG ? 7 : 8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_a_memfd_carries_a_block(void **state)
{
	const void *mapped;
	void *block;
	size_t len, mapped_len;
	int fd;

	(void)state;
	assert_int_equal(launch_pack(&some, &block, &len), 0);
	fd = launch_to_memfd(block, len);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(launch_map_memfd(fd, len - 1, &mapped, &mapped_len), -EFBIG);
	assert_int_equal(launch_map_memfd(fd, len, &mapped, &mapped_len), 0);
	assert_int_equal(mapped_len, len);
	assert_memory_equal(mapped, block, len);
	munmap((void *)(uintptr_t)mapped, mapped_len);
	close(fd);
	free(block);
}

static void
test_what_may_change_is_not_mapped(void **state)
{
	const void *mapped;
	size_t len;
	int fd;

	(void)state;
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(launch_map_memfd(fd, 100, &mapped, &len), -EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	assert_int_equal(launch_map_memfd(fd, 100, &mapped, &len), -EPERM);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(launch_map_memfd(fd, 100, &mapped, &len), -EPERM);
	close(fd);
	fd = launch_to_memfd("", 0);
	assert_int_equal(launch_map_memfd(fd, 100, &mapped, &len), -EBADMSG);
	close(fd);
	assert_int_equal(launch_map_memfd(-1, 100, &mapped, &len), -EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_packed_is_unpacked),
	    cmocka_unit_test(test_an_empty_environment_is_one),
	    cmocka_unit_test(test_blocks_that_were_cut_are_refused),
	    cmocka_unit_test(test_blocks_with_any_byte_changed_do_no_harm),
	    cmocka_unit_test(test_launches_that_make_no_sense_are_refused),
	    cmocka_unit_test(test_no_command_is_none),
	    cmocka_unit_test(test_sizes_that_the_system_cannot_execute_are_refused),
	    cmocka_unit_test(test_what_passes_the_size_check_can_be_executed),
	    cmocka_unit_test(test_a_memfd_carries_a_block),
	    cmocka_unit_test(test_what_may_change_is_not_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
