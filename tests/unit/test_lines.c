/*
 * test_lines: lines from a pipe, in bounded memory.
 */
#include "cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe {
	int in, out;
	struct lines lines;
};

static int
make(void **state)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int fds[2];

	if (p == NULL || pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	p->out = fds[0];
	p->in = fds[1];
	lines_init(&p->lines, p->out);
	*state = p;
	return 0;
}

static int
unmake(void **state)
{
	struct pipe *p = *state;

	lines_fini(&p->lines);
	close(p->in);
	close(p->out);
	free(p);
	return 0;
}

static void
say(struct pipe *p, const char *text)
{
	assert_int_equal(write(p->in, text, strlen(text)), strlen(text));
	assert_int_equal(lines_fill(&p->lines), 0);
}

static void
assert_line(struct pipe *p, const char *expected, int64_t number)
{
	const char *line;
	size_t len;

	assert_int_equal(lines_take(&p->lines, &line, &len), 0);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(line, expected, len);
	assert_int_equal(p->lines.number, number);
}

static void
assert_none(struct pipe *p, int error)
{
	const char *line;
	size_t len;

	assert_int_equal(lines_take(&p->lines, &line, &len), error);
}

static void
lines_come_one_by_one(void **state)
{
	struct pipe *p = *state;

	assert_none(p, -EAGAIN);
	say(p, "one\n\ntw");
	assert_line(p, "one", 1);
	assert_line(p, "", 2);
	assert_none(p, -EAGAIN);
	say(p, "o\nthree");
	assert_line(p, "two", 3);
	assert_none(p, -EAGAIN);
	close(p->in);
	p->in = -1;
	assert_int_equal(lines_fill(&p->lines), 0);
	assert_line(p, "three", 4);
	assert_none(p, -ENODATA);
}

static void
nothing_is_no_line(void **state)
{
	struct pipe *p = *state;

	close(p->in);
	p->in = -1;
	assert_int_equal(lines_fill(&p->lines), 0);
	assert_none(p, -ENODATA);
	assert_int_equal(p->lines.number, 0);
}

static void
memory_does_not_grow_with_the_number_of_lines(void **state)
{
	struct pipe *p = *state;
	char text[1001];
	size_t len;
	const char *line;

	memset(text, 'a', sizeof(text));
	text[999] = '\n';
	text[1000] = '\0';
	for (int i = 0; i < 10000; i++) {
		say(p, text);
		assert_int_equal(lines_take(&p->lines, &line, &len), 0);
		assert_int_equal(len, 999);
	}
	assert_in_range(p->lines.size, 1, 256 * 1024);
}

static void
a_line_that_is_too_long_is_not_kept(void **state)
{
	struct pipe *p = *state;
	char text[32 * 1024 + 1];
	int r = 0;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 1000 && r == 0; i++) {
		assert_int_equal(write(p->in, text, strlen(text)), strlen(text));
		r = lines_fill(&p->lines);
	}
	assert_int_equal(r, -EMSGSIZE);
	assert_in_range(p->lines.size, LINES_MAX, 3 * LINES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_come_one_by_one),
	    TEST(nothing_is_no_line),
	    TEST(memory_does_not_grow_with_the_number_of_lines),
	    TEST(a_line_that_is_too_long_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
