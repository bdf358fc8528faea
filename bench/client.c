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
