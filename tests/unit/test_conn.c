/*
 * test_conn: what clients send one behind the other is answered in its order, much of it in one turn and
 * never all of what could be sent.
 */
#include "server/conn.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[32], path[64];
	struct loop loop;
	struct conns *conns;
	int listen_fd, fd; /* fd: the client's */
	int handled;       /* messages so far */
	int closed;
};

/* Each message is its number, and answered at once with that. */
static void
on_message(void *arg, struct conn *c, json_t *message)
{
	struct fixture *x = arg;

	assert_int_equal(json_integer_value(json_object_get(message, "n")), x->handled);
	x->handled++;
	conn_send(c, message);
	conn_end_call(c, false);
}

static void
on_writable(void *arg, struct conn *c)
{
	(void)arg;
	(void)c;
}

static void
on_closed(void *arg, struct conn *c)
{
	(void)c;
	((struct fixture *)arg)->closed++;
}

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct conn_handlers h = {on_message, on_writable, on_closed, x};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(x);
	strcpy(x->dir, "/tmp/test_conn.XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	snprintf(x->path, sizeof(x->path), "%s/socket", x->dir);
	strcpy(address.sun_path, x->path);
	x->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(x->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(x->listen_fd, 8), 0);
	assert_int_equal(loop_init(&x->loop), 0);
	assert_int_equal(conns_new(&x->loop, x->listen_fd, 8, &h, &x->conns), 0);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(x->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	close(x->fd);
	conns_free(x->conns);
	loop_fini(&x->loop);
	close(x->listen_fd);
	unlink(x->path);
	rmdir(x->dir);
	free(x);
	return 0;
}

/* `count` messages at once, numbered on from `from`. */
static void
send_calls(struct fixture *x, int from, int count)
{
	static char text[64 * 1024];
	size_t len = 0;

	for (int i = from; i < from + count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "{\"n\":%d}", i) + 1;
	assert_int_equal(send(x->fd, text, len, 0), (ssize_t)len);
}

/* The answers, which have come by now. */
static void
expect_answers(struct fixture *x, int from, int count)
{
	static char text[64 * 1024];
	ssize_t len = recv(x->fd, text, sizeof(text), MSG_DONTWAIT), at = 0;
	char expected[32];

	for (int i = from; i < from + count; i++) {
		snprintf(expected, sizeof(expected), "{\"n\":%d}", i);
		assert_true(at < len);
		assert_string_equal(text + at, expected);
		at += (ssize_t)strlen(expected) + 1;
	}
	assert_int_equal(at, len);
}

static void
calls_that_come_together_are_one_turn(void **state)
{
	struct fixture *x = *state;

	send_calls(x, 0, 50);
	assert_int_equal(loop_turn(&x->loop, true), 0);
	assert_int_equal(x->handled, 50);
	assert_false(conns_flush(x->conns));
	expect_answers(x, 0, 50);
	send_calls(x, 50, 3);
	assert_int_equal(loop_turn(&x->loop, true), 0);
	assert_false(conns_flush(x->conns));
	expect_answers(x, 50, 3);
}

static void
a_turn_does_not_take_all_that_can_be_sent(void **state)
{
	struct fixture *x = *state;
	int before = 0, turns = 0;

	send_calls(x, 0, 2000);
	while (x->handled < 2000) {
		assert_int_equal(loop_turn(&x->loop, true), 0);
		do {
			assert_true(x->handled > before);
			assert_true(x->handled - before <= 128);
			before = x->handled;
			turns++;
		} while (conns_flush(x->conns));
	}
	assert_true(turns <= 2000 / 64);
	expect_answers(x, 0, 2000);
	assert_int_equal(x->closed, 0);
}

static void
nonsense_ends_what_comes_behind_it(void **state)
{
	struct fixture *x = *state;

	send_calls(x, 0, 2);
	assert_int_equal(send(x->fd, "[]", 3, 0), 3);
	send_calls(x, 2, 2);
	assert_int_equal(loop_turn(&x->loop, true), 0);
	assert_int_equal(x->handled, 2);
	conns_flush(x->conns);
	assert_int_equal(x->closed, 1);
	expect_answers(x, 0, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(calls_that_come_together_are_one_turn),
	    TEST(a_turn_does_not_take_all_that_can_be_sent),
	    TEST(nonsense_ends_what_comes_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
