/*
 * conn: see conn.h. Runs in the server. A peer of another user is turned away, nonsense closes the
 * connection; neither harms anybody else.
 */
#include "server/conn.h"

#include "base/clock.h"
#include "base/fd.h"
#include "server/buffer.h"
#include "server/door.h"
#include "server/passed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)

/* Calls of one client that are answered in one turn, by one commit; others wait no longer than for these. */
#define TURN_CALLS 128

struct conn {
	TAILQ_ENTRY(conn) entry;       /* in conns.all, the longest silent first */
	TAILQ_ENTRY(conn) dirty_entry; /* in conns.dirty */
	struct conns *conns;
	struct loop_io io;
	struct timer silence;
	struct buffer input;
	struct buffer output;
	size_t output_mark;   /* where this turn's output begins */
	struct passed passed; /* with the call it is in */
	uint32_t events;
	bool is_dirty;
	bool is_in_call;
	bool is_in_message; /* the first part of a message has come */
	bool is_at_end;     /* the client will send no more */
	bool is_dropped;
	bool is_blocked;   /* the socket is full */
	bool is_refused;   /* its last call was */
	unsigned answered; /* calls whose last reply is in this turn's output */
	void *state;
	int note;
};

TAILQ_HEAD(conn_list, conn);

struct conns {
	struct loop *loop;
	struct door door;
	struct conn_handlers handlers;
	struct conn_list all;
	struct conn_list dirty;
	unsigned count, max_count;
};

static void
mark_dirty(struct conn *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->output_mark = c->output.len;
	c->answered = 0;
	TAILQ_INSERT_TAIL(&c->conns->dirty, c, dirty_entry);
}

static void
free_conn(struct conn *c)
{
	struct conns *cs = c->conns;
	int fd = c->io.fd;

	loop_remove(cs->loop, &c->io);
	timer_disarm(&cs->loop->timers, &c->silence);
	fd_close(&fd);
	passed_close(&c->passed);
	TAILQ_REMOVE(&cs->all, c, entry);
	if (c->is_dirty)
		TAILQ_REMOVE(&cs->dirty, c, dirty_entry);
	cs->count--;
	cs->handlers.closed(cs->handlers.arg, c);
	buffer_fini(&c->input);
	buffer_fini(&c->output);
	free(c);
}

/* Listens for what this client may do next, and no more. */
static void
set_events(struct conn *c)
{
	uint32_t events = 0; /* EPOLLHUP comes unasked */

	if (!c->is_at_end && !c->is_in_call)
		events |= EPOLLIN;
	if (c->is_blocked)
		events |= EPOLLOUT;
	if (events == c->events)
		return;
	c->events = events;
	if (loop_change(c->conns->loop, &c->io, events) < 0)
		conn_drop(c);
}

static void
await_message(struct conn *c)
{
	uint64_t limit = c->input.len > 0 ? CONN_MESSAGE_NS : CONN_SILENCE_NS;

	/* One limit for the whole message, however slowly it trickles in. */
	if (c->is_in_message)
		return;
	c->is_in_message = c->input.len > 0;
	timer_arm(&c->conns->loop->timers, &c->silence,
	    clock_add_ns(c->conns->loop->now_ns, limit));
}

static void
silence_expired(void *arg)
{
	conn_drop(arg);
}

/* Hands the first whole message over, if there is one; drops the client if it is no JSON object. */
static bool
handle_message(struct conn *c)
{
	char *end = c->input.len == 0 ? NULL : memchr(c->input.data, '\0', c->input.len);
	size_t len;
	json_t *message;

	if (end == NULL)
		return false;
	len = (size_t)(end - c->input.data);
	message = json_loadb(c->input.data, len, JSON_REJECT_DUPLICATES, NULL);
	buffer_consume(&c->input, len + 1);
	if (!json_is_object(message)) {
		json_decref(message);
		conn_drop(c);
		return true;
	}
	timer_disarm(&c->conns->loop->timers, &c->silence);
	c->is_in_message = false;
	c->is_in_call = true;
	mark_dirty(c);
	c->conns->handlers.message(c->conns->handlers.arg, c, message);
	return true;
}

/* The calls that have come whole, as far as they are answered at once. */
static void
handle_messages(struct conn *c)
{
	while (!c->is_in_call && !c->is_dropped && c->answered < TURN_CALLS && handle_message(c))
		continue;
}

/*
 * Reads once. Returns 1 if something came, 0 if nothing is there now, -errno when the client is
 * to go.
 */
static int
receive(struct conn *c)
{
	char control[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	ssize_t n;
	int r = buffer_reserve(&c->input, 1, CONN_MESSAGE_MAX);

	if (r < 0)
		return r;
	iov.iov_base = c->input.data + c->input.len;
	iov.iov_len = c->input.size - c->input.len;
	n = recvmsg(c->io.fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	passed_keep(&c->passed, &mh);
	if (n == 0) {
		c->is_at_end = true;
		return 0;
	}
	c->input.len += (size_t)n;
	return 1;
}

static void
read_input(struct conn *c)
{
	int r = 1;

	while (r > 0 && !c->is_in_call && !c->is_dropped && c->answered < TURN_CALLS) {
		r = receive(c);
		if (r > 0)
			handle_messages(c);
	}
	if (r < 0)
		conn_drop(c);
	else if (!c->is_in_call && !c->is_dropped)
		await_message(c);
}

/* Sends what the socket takes. */
static void
write_output(struct conn *c)
{
	size_t sent = 0;

	while (sent < c->output.len) {
		ssize_t n = send(c->io.fd, c->output.data + sent, c->output.len - sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->is_dropped = true;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	buffer_consume(&c->output, sent);
	c->output_mark = c->output.len;
	c->answered = 0;
	c->is_blocked = c->output.len > 0;
}

static void
client_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;

	mark_dirty(c);
	/*
	 * A client that closed its socket may have sent a last call: nothing is owed to it, but
	 * that.
	 */
	if (events & EPOLLIN && !c->is_in_call)
		read_input(c);
	if (events & (EPOLLERR | EPOLLHUP))
		conn_drop(c);
}

/* Room for one more: the client that has been silent for longest, and is in no call, makes it. */
static bool
make_room(struct conns *cs)
{
	struct conn *c, *next;

	if (cs->count < cs->max_count)
		return true;
	TAILQ_FOREACH_SAFE (c, &cs->all, entry, next) {
		if (!c->is_in_call && c->output.len == 0) {
			free_conn(c);
			return true;
		}
	}
	return false;
}

static void
add_client(void *arg, int fd)
{
	struct conns *cs = arg;
	struct conn *c;
	int off = 0;

	/*
	 * Inherited from a service manager's socket (PassCredentials=); credentials would take the room
	 * of what clients send along.
	 */
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
	if (!make_room(cs) || (c = calloc(1, sizeof(*c))) == NULL) {
		fd_close(&fd);
		return;
	}
	c->conns = cs;
	c->events = EPOLLIN;
	timer_init(&c->silence, silence_expired, c);
	if (loop_add(cs->loop, &c->io, fd, c->events, client_ready, c) < 0) {
		fd_close(&fd);
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&cs->all, c, entry);
	cs->count++;
	await_message(c);
	/* Most clients have sent their call by now. */
	mark_dirty(c);
	read_input(c);
}

int
conns_new(struct loop *l, int listen_fd, unsigned max_clients, const struct conn_handlers *h,
    struct conns **ret_conns)
{
	struct conns *cs = calloc(1, sizeof(*cs));
	int r;

	if (cs == NULL)
		return -ENOMEM;
	cs->loop = l;
	cs->handlers = *h;
	cs->max_count = max_clients;
	TAILQ_INIT(&cs->all);
	TAILQ_INIT(&cs->dirty);
	r = door_init(&cs->door, l, listen_fd, add_client, cs);
	if (r < 0) {
		free(cs);
		return r;
	}
	*ret_conns = cs;
	return 0;
}

void
conns_free(struct conns *cs)
{
	struct conn *c;

	if (cs == NULL)
		return;
	while ((c = TAILQ_FIRST(&cs->all)) != NULL)
		free_conn(c);
	door_fini(&cs->door);
	free(cs);
}

int
conns_renew(struct conns *cs, int fd)
{
	return door_renew(&cs->door, fd);
}

/* What a client that was heard, or spoken to, in this turn gets at its end. */
static void
flush_client(struct conn *c)
{
	const struct conn_handlers *h = &c->conns->handlers;
	bool is_streaming = c->is_in_call && c->output.len > 0;

	write_output(c);
	/* Who does not take its replies gets no more of them. */
	if (!c->is_dropped && !c->is_in_call && c->output.len == 0)
		handle_messages(c);
	else if (!c->is_dropped && is_streaming && c->output.len < CONN_OUTPUT_HIGH)
		h->writable(h->arg, c);
	if (c->is_dropped || (c->is_at_end && !c->is_in_call && c->output.len == 0 && !c->is_dirty))
		free_conn(c);
	else
		set_events(c);
}

bool
conns_flush(struct conns *cs)
{
	struct conn_list list = TAILQ_HEAD_INITIALIZER(list);
	struct conn *c;

	/* Those who get something new from here on wait for the next commit. */
	TAILQ_CONCAT(&list, &cs->dirty, dirty_entry);
	while ((c = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, c, dirty_entry);
		c->is_dirty = false;
		flush_client(c);
	}
	return !TAILQ_EMPTY(&cs->dirty);
}

void
conns_take_back(struct conns *cs, void (*failed)(void *arg, struct conn *c), void *arg)
{
	struct conn *c, *next;

	TAILQ_FOREACH_SAFE (c, &cs->dirty, dirty_entry, next) {
		if (c->output.len == c->output_mark)
			continue;
		c->output.len = c->output_mark;
		c->is_refused = true;
		/* Of calls one behind the other: it has to ask again for each. */
		if (c->answered > 1)
			conn_drop(c);
		failed(arg, c);
	}
}

void
conn_end_call(struct conn *c, bool is_refused)
{
	passed_close(&c->passed);
	c->is_in_call = false;
	c->is_refused = is_refused;
	c->answered++;
	c->state = NULL;
	/* To the end of the line: make_room() takes the longest silent first. */
	TAILQ_REMOVE(&c->conns->all, c, entry);
	TAILQ_INSERT_TAIL(&c->conns->all, c, entry);
	mark_dirty(c);
	await_message(c);
}

void
conn_send_text(struct conn *c, const char *text, size_t len)
{
	mark_dirty(c);
	if (buffer_append(&c->output, text, len, CONN_OUTPUT_MAX) < 0)
		conn_drop(c);
}

void
conn_send(struct conn *c, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);

	json_decref(message);
	if (text != NULL)
		conn_send_text(c, text, strlen(text) + 1);
	else
		conn_drop(c);
	free(text);
}

void
conn_drop(struct conn *c)
{
	mark_dirty(c);
	c->is_dropped = true;
}

int
conn_fd(const struct conn *c)
{
	return c->io.fd;
}

size_t
conn_pending(const struct conn *c)
{
	return c->output.len;
}

bool
conn_is_refused(const struct conn *c)
{
	return c->is_refused;
}

void
conn_close_fds(struct conn *c)
{
	passed_close(&c->passed);
}

int
conn_take_fd(struct conn *c, size_t index)
{
	return passed_take(&c->passed, index);
}

pid_t
conn_pid(const struct conn *c)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(c->io.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

void *
conn_state(const struct conn *c)
{
	return c->state;
}

void
conn_set_state(struct conn *c, void *state)
{
	c->state = state;
}

int
conn_note(const struct conn *c)
{
	return c->note;
}

void
conn_set_note(struct conn *c, int note)
{
	c->note = note;
}
