/*
 * client: see client.h. Run by the benchmarks only; ends them at the first error.
 */
#include "bench/client.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Calls that are sent before their replies are read, so that neither side's buffer is full of the other's. */
#define PIECE 100

double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
client_open(struct client *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *home = getenv("SPAWND_HOME");

	if (home == NULL || strlen(home) > 80)
		errx(1, "SPAWND_HOME is unset, or too long");
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/run/socket", home);
	s->len = 0;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", address.sun_path);
}

void
client_send(struct client *s, json_t *call)
{
	char *text = json_dumps(call, JSON_COMPACT);
	size_t len = strlen(text) + 1;

	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(s->fd, text + sent, len - sent, 0);

		if (n < 0)
			err(1, "send");
		sent += (size_t)n;
	}
	free(text);
	json_decref(call);
}

json_t *
client_receive(struct client *s)
{
	char *end;
	json_t *reply;

	while ((end = memchr(s->buffer, '\0', s->len)) == NULL) {
		ssize_t n = recv(s->fd, s->buffer + s->len, sizeof(s->buffer) - s->len, 0);

		if (n <= 0)
			errx(1, "the daemon is gone");
		s->len += (size_t)n;
	}
	reply = json_loads(s->buffer, 0, NULL);
	s->len -= (size_t)(end + 1 - s->buffer);
	memmove(s->buffer, end + 1, s->len);
	if (json_object_get(reply, "error") != NULL)
		errx(1, "%s", json_dumps(reply, 0));
	return reply;
}

void
client_records(struct client *s, const char *parent, void (*each)(void *, const json_t *),
    void *arg)
{
	bool continues = true;

	client_send(s,
	    json_pack("{s:s, s:b, s:{s:s}}", "method", "org.spawnd.Wait", "more", 1, "parameters",
		"parent", parent));
	while (continues) {
		json_t *reply = client_receive(s);

		continues = json_is_true(json_object_get(reply, "continues"));
		each(arg, json_object_get(json_object_get(reply, "parameters"), "record"));
		json_decref(reply);
	}
}

json_t *
client_call(struct client *s, const char *method, json_t *parameters)
{
	json_t *reply, *result;

	client_send(s, json_pack("{s:s, s:o}", "method", method, "parameters", parameters));
	reply = client_receive(s);
	result = json_incref(json_object_get(reply, "parameters"));
	json_decref(reply);
	return result;
}

static json_t *
enqueue_call(const char *parent, const char *const *command)
{
	json_t *argv = json_array();

	for (; *command != NULL; command++)
		json_array_append_new(argv, json_string(*command));
	return json_pack("{s:s, s:{s:s, s:s, s:o}}", "method", "org.spawnd.Enqueue", "parameters",
	    "parent", parent, "max_idle", "1h", "argv", argv);
}

void
client_enqueue(struct client *s, const char *parent, int n, const char *const *command)
{
	for (int i = 0; i < n; i++) {
		client_send(s, enqueue_call(parent, command));
		if (i % PIECE == PIECE - 1 || i == n - 1)
			for (int j = i % PIECE; j >= 0; j--)
				json_decref(client_receive(s));
	}
}

json_t *
client_info(struct client *s)
{
	return client_call(s, "org.spawnd.Info", json_object());
}

int
client_number(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}
