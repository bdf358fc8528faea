/*
 * clients: see clients.h. What a client knows lives on when a server dies; what the server knows of its
 * connection dies with it.
 */
#include "tests/family/clients.h"

#include "server/conn.h"
#include "tests/family/crash.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 16384
#define CALL_MAX 900
#define OUT_MAX 4096
#define TRAVEL_NS (2 * NSEC_PER_MSEC)
#define RECONNECT_NS (300 * NSEC_PER_MSEC)

struct client {
	pid_t pid;
	clients_replied_cb *replied;
	uint64_t tag;
	uint32_t serial; /* of its calls */
	bool is_open;
	bool is_calling;
	char call[CALL_MAX];
};

static struct {
	unsigned count;
	struct client all[CLIENTS_MAX];
} * clients;

struct conn {
	TAILQ_ENTRY(conn) dirty_entry;
	struct conns *conns;
	unsigned number;
	json_t *out[OUT_MAX];
	size_t out_count, out_mark;
	bool is_dirty, is_in_call, is_dropped, is_refused;
	void *state;
};

TAILQ_HEAD(conn_list, conn);

struct conns {
	struct conn_handlers handlers;
	struct conn_list dirty;
	struct conn *of[CLIENTS_MAX];
};

/* Of the server in this process. */
static struct conns *serving;

void
clients_init(void)
{
	if (clients == NULL)
		clients = world_memory(sizeof(*clients));
	memset(clients->all, 0, clients->count * sizeof(clients->all[0]));
	clients->count = 0;
}

struct server *
clients_server(void)
{
	return serving == NULL ? NULL : serving->handlers.arg;
}

static void
mark_dirty(struct conn *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->out_mark = c->out_count;
	TAILQ_INSERT_TAIL(&c->conns->dirty, c, dirty_entry);
}

static struct conn *
connect_to(struct conns *cs, unsigned number)
{
	struct conn *c = cs->of[number];

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->conns = cs;
	c->number = number;
	cs->of[number] = c;
	return c;
}

/* tag: the client, and the number of its call: one that is over is not made again. */
static void
arrive(void *arg, uint64_t tag)
{
	unsigned number = (unsigned)(tag >> 32);
	struct client *client = &clients->all[number];
	struct conn *c;
	json_t *message;

	(void)arg;
	if (serving == NULL || !client->is_open || !client->is_calling ||
	    client->serial != (uint32_t)tag)
		return;
	c = connect_to(serving, number);
	if (c->is_in_call || c->is_dropped)
		return;
	message = json_loads(client->call, 0, NULL);
	if (message == NULL)
		world_broken(0, "the simulator speaks JSON", "%s", client->call);
	c->is_in_call = true;
	mark_dirty(c);
	serving->handlers.message(serving->handlers.arg, c, message);
}

static void
travel(unsigned number, uint64_t within_ns)
{
	world_at(world_now() + world_below(within_ns), arrive, NULL,
	    (uint64_t)number << 32 | clients->all[number].serial);
}

unsigned
clients_new(pid_t pid, clients_replied_cb *replied, uint64_t tag)
{
	struct client *client = &clients->all[clients->count];

	if (clients->count == CLIENTS_MAX)
		world_broken(0, "the world stays small", "too many clients");
	*client = (struct client){.pid = pid, .replied = replied, .tag = tag, .is_open = true};
	return clients->count++;
}

void
clients_call(unsigned number, const char *method, json_t *parameters, bool is_more)
{
	struct client *client = &clients->all[number];
	json_t *message = json_pack("{s:s+, s:o, s:b}", "method", "org.spawnd.", method,
	    "parameters", parameters, "more", is_more);
	size_t len = json_dumpb(message, client->call, sizeof(client->call) - 1, JSON_COMPACT);

	json_decref(message);
	if (client->is_calling || len == 0 || len >= sizeof(client->call))
		world_broken(0, "the simulator calls in order", "%s", method);
	client->call[len] = '\0';
	client->is_calling = true;
	client->serial++;
	travel(number, TRAVEL_NS);
}

void
clients_close(unsigned number)
{
	clients->all[number].is_open = false;
	if (serving != NULL && serving->of[number] != NULL)
		conn_drop(serving->of[number]);
}

bool
clients_is_calling(unsigned number)
{
	return clients->all[number].is_calling;
}

static void
take_reply(unsigned number, json_t *message)
{
	struct client *client = &clients->all[number];
	const char *error = json_string_value(json_object_get(message, "error"));
	bool is_last = !json_is_true(json_object_get(message, "continues"));

	if (error != NULL && strncmp(error, "org.spawnd.", 11) == 0)
		error += 11;
	if (!client->is_open)
		return;
	if (!client->is_calling)
		world_broken(0, "a call has one last reply", "another came");
	client->is_calling = !is_last;
	client->replied(number, client->tag, error, json_object_get(message, "parameters"),
	    is_last);
}

int
conns_new(struct loop *l, int listen_fd, unsigned max_clients, const struct conn_handlers *h,
    struct conns **ret_conns)
{
	struct conns *cs = calloc(1, sizeof(*cs));

	(void)l;
	(void)listen_fd;
	(void)max_clients;
	if (cs == NULL)
		return -ENOMEM;
	cs->handlers = *h;
	TAILQ_INIT(&cs->dirty);
	serving = cs;
	for (unsigned i = 0; i < clients->count; i++) {
		if (clients->all[i].is_open && clients->all[i].is_calling)
			travel(i, RECONNECT_NS);
	}
	*ret_conns = cs;
	return 0;
}

static void
free_conn(struct conn *c)
{
	struct conns *cs = c->conns;

	if (c->is_dirty)
		TAILQ_REMOVE(&cs->dirty, c, dirty_entry);
	cs->of[c->number] = NULL;
	cs->handlers.closed(cs->handlers.arg, c);
	for (size_t i = 0; i < c->out_count; i++)
		json_decref(c->out[i]);
	/* A client whom the server has dropped comes again. */
	if (clients->all[c->number].is_open && clients->all[c->number].is_calling)
		travel(c->number, RECONNECT_NS);
	free(c);
}

void
conns_free(struct conns *cs)
{
	if (cs == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (cs->of[i] != NULL)
			free_conn(cs->of[i]);
	}
	serving = NULL;
	free(cs);
}

int
conns_renew(struct conns *cs, int fd)
{
	(void)cs;
	(void)fd;
	return 0;
}

static void
flush_client(struct conn *c)
{
	const struct conn_handlers *h = &c->conns->handlers;
	bool is_streaming = c->is_in_call && c->out_count > 0;

	for (size_t i = 0; i < c->out_count; i++) {
		crash_here("the server dies before a reply leaves", 150);
		if (!c->is_dropped)
			take_reply(c->number, c->out[i]);
		json_decref(c->out[i]);
	}
	c->out_count = c->out_mark = 0;
	if (!c->is_dropped && is_streaming)
		h->writable(h->arg, c);
	if (c->is_dropped)
		free_conn(c);
}

bool
conns_flush(struct conns *cs)
{
	struct conn_list list = TAILQ_HEAD_INITIALIZER(list);
	struct conn *c;

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
		if (c->out_count == c->out_mark)
			continue;
		while (c->out_count > c->out_mark)
			json_decref(c->out[--c->out_count]);
		c->is_refused = true;
		failed(arg, c);
	}
}

void
conn_end_call(struct conn *c, bool is_refused)
{
	c->is_in_call = false;
	c->is_refused = is_refused;
	c->state = NULL;
	mark_dirty(c);
}

void
conn_send(struct conn *c, json_t *message)
{
	mark_dirty(c);
	if (c->out_count == OUT_MAX)
		world_broken(0, "the world stays small", "too many replies");
	c->out[c->out_count++] = message;
}

void
conn_send_text(struct conn *c, const char *text, size_t len)
{
	(void)len;
	conn_send(c, json_loads(text, 0, NULL));
}

void
conn_drop(struct conn *c)
{
	mark_dirty(c);
	c->is_dropped = true;
}

/* Who reads at once has nothing that waits, but for what leaves at the end of the turn. */
size_t
conn_pending(const struct conn *c)
{
	return c->out_count * 1024;
}

bool
conn_is_refused(const struct conn *c)
{
	return c->is_refused;
}

/* Who asks a socket gets no answer: there is none. */
int
conn_fd(const struct conn *c)
{
	(void)c;
	return -1;
}

pid_t
conn_pid(const struct conn *c)
{
	return clients->all[c->number].pid;
}

int
conn_take_fd(struct conn *c, size_t index)
{
	(void)c;
	(void)index;
	return -1;
}

void
conn_close_fds(struct conn *c)
{
	(void)c;
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

/* Each call is made anew. */
int
conn_note(const struct conn *c)
{
	(void)c;
	return 0;
}

void
conn_set_note(struct conn *c, int note)
{
	(void)c;
	(void)note;
}
