/*
 * fuzz_varlink: any bytes from a client of the control interface, in pieces of any size: framed and
 * decoded by the real server/conn.c, read as calls by server/api.c. The first byte says how large the
 * pieces are, and whether the client closes its side at the end.
 *
 * The same bytes in one piece are the same calls; no call is handed over that is no JSON object; the
 * values that api_read() takes are of their types, and what it refuses has a field and a reason; each
 * call has one reply, which is a whole message; no descriptor is left open.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "server/api.h"
#include "server/conn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a socket takes at once, so that nobody here has to wait. */
#define INPUT_MAX 65536
#define TURNS_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	const char *text, *id;
	int64_t number;
	bool flag;
	json_t *strings, *numbers, *object;
};

static const struct api_field fields[] = {
    {"text", API_STRING, offsetof(struct values, text), false},
    {"id", API_STRING, offsetof(struct values, id), true},
    {"number", API_INTEGER, offsetof(struct values, number), false},
    {"flag", API_BOOLEAN, offsetof(struct values, flag), false},
    {"strings", API_STRINGS, offsetof(struct values, strings), false},
    {"numbers", API_NUMBERS, offsetof(struct values, numbers), false},
    {"object", API_OBJECT, offsetof(struct values, object), false},
    {NULL, API_STRING, 0, false},
};

/* What one client's bytes came to. */
struct tally {
	uint64_t hash; /* of all calls, in order */
	unsigned calls;
	unsigned bad; /* JSON objects that are no calls */
	unsigned closed;
};

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
add(struct tally *t, const char *text)
{
	for (; *text != '\0'; text++)
		t->hash = (t->hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
}

static void
must_be_of_type(json_t *value, bool is_object, json_type type)
{
	const char *key;
	json_t *member;
	size_t i;

	if (value == NULL)
		return;
	must(is_object ? json_is_object(value) : json_is_array(value));
	json_object_foreach (value, key, member)
		must(json_typeof(member) == type);
	json_array_foreach (value, i, member)
		must(json_typeof(member) == type);
}

static void
must_be_sane(const struct api_call *call, const struct values *v, const char *fault)
{
	must_be_of_type(v->strings, false, JSON_STRING);
	must_be_of_type(v->numbers, false, JSON_INTEGER);
	must_be_of_type(v->object, true, JSON_STRING);
	must(v->text == NULL || strlen(v->text) < CONN_MESSAGE_MAX);
	if (fault == NULL)
		must(v->id != NULL && json_object_get(call->parameters, "id") != NULL);
}

/* As server/call.c: one reply for each call that wants one. */
static void
on_message(void *arg, struct conn *c, json_t *message)
{
	struct tally *t = arg;
	struct values v = {0};
	struct api_call call;
	struct fault f = {""};
	const char *wrong;
	char *text;

	must(json_is_object(message));
	text = json_dumps(message, JSON_COMPACT);
	must(text != NULL);
	add(t, text);
	free(text);
	t->calls++;
	if (api_call_init(&call, message) < 0) {
		t->bad++;
		conn_send(c, api_error("org.varlink.service.InvalidParameter", NULL));
		conn_end_call(c, true);
		return;
	}
	wrong = api_read(&call, fields, &v, &f);
	must((wrong == NULL) == (f.text[0] == '\0'));
	must_be_sane(&call, &v, wrong);
	if (!call.is_oneway)
		conn_send(c,
		    wrong == NULL
			? api_reply(json_pack("{s:s?}", "id", v.id), call.is_more)
			: api_error("InvalidArgument", json_pack("{s:s}", "field", wrong)));
	api_call_fini(&call);
	conn_end_call(c, wrong != NULL);
}

static void
on_writable(void *arg, struct conn *c)
{
	(void)arg;
	(void)c;
	abort(); /* no call streams */
}

static void
on_closed(void *arg, struct conn *c)
{
	(void)c;
	((struct tally *)arg)->closed++;
}

static void
turn(struct loop *l, struct conns *cs)
{
	must(loop_turn(l, true) == 0);
	while (conns_flush(cs))
		continue;
}

/* Whether anything came; every reply is a JSON object that ends with NUL. */
static bool
read_replies(int fd, char *reply, size_t *len)
{
	ssize_t n = recv(fd, reply + *len, INPUT_MAX - *len, MSG_DONTWAIT);
	char *end;

	if (n <= 0)
		return false;
	*len += (size_t)n;
	while ((end = memchr(reply, '\0', *len)) != NULL) {
		json_t *object = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);

		must(json_is_object(object));
		json_decref(object);
		*len -= (size_t)(end + 1 - reply);
		memmove(reply, end + 1, *len);
	}
	must(*len < INPUT_MAX);
	return true;
}

static int
dial(int listen_fd)
{
	struct sockaddr_un address;
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && getsockname(listen_fd, (struct sockaddr *)&address, &len) == 0);
	must(connect(fd, (struct sockaddr *)&address, len) == 0);
	return fd;
}

/* Sends all of it, `piece` bytes a turn, and goes on until nothing happens any more. */
static void
talk(struct loop *l, struct conns *cs, int fd, const uint8_t *data, size_t size, size_t piece,
    bool is_closing)
{
	static char reply[INPUT_MAX];
	size_t sent = 0, len = 0;
	unsigned turns = 0, quiet = 0;

	while (quiet < 3) {
		size_t n = size - sent < piece ? size - sent : piece;
		ssize_t done = n > 0 ? send(fd, data + sent, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

		if (done > 0)
			sent += (size_t)done;
		else if (done < 0 && errno != EAGAIN)
			sent = size; /* it was turned away */
		if (sent == size && is_closing) {
			shutdown(fd, SHUT_WR);
			is_closing = false;
		}
		turn(l, cs);
		quiet = read_replies(fd, reply, &len) || sent < size ? 0 : quiet + 1;
		must(++turns < TURNS_MAX);
	}
	must(len == 0);
}

static struct tally
serve(const uint8_t *data, size_t size, size_t piece, bool is_closing)
{
	struct tally t = {0};
	const struct conn_handlers handlers = {on_message, on_writable, on_closed, &t};
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct conns *cs;
	struct loop l;

	/* An abstract address, which the kernel makes up: unix(7), autobind. */
	must(listen_fd >= 0 && bind(listen_fd, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
	must(listen(listen_fd, 4) == 0);
	must(loop_init(&l) == 0);
	l.now_ns = clock_mono_ns();
	must(conns_new(&l, listen_fd, 4, &handlers, &cs) == 0);
	fd = dial(listen_fd);
	talk(&l, cs, fd, data, size, piece, is_closing);
	fd_close(&fd);
	turn(&l, cs);
	turn(&l, cs);
	conns_free(cs);
	must(t.closed == 1);
	loop_fini(&l);
	fd_close(&listen_fd);
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned before;
	struct tally whole, pieces;
	size_t piece;

	if (size < 1 || size > INPUT_MAX / 8)
		return 0;
	before = count_fds();
	piece = 1 + (data[0] >> 1);
	/* Byte by byte, long ones take their time and tell nothing new. */
	if (piece < size / 256)
		piece = size / 256;
	whole = serve(data + 1, size - 1, size, (data[0] & 1) != 0);
	pieces = serve(data + 1, size - 1, piece, (data[0] & 1) != 0);
	must(whole.hash == pieces.hash && whole.calls == pieces.calls && whole.bad == pieces.bad);
	must(count_fds() == before);
	return 0;
}
