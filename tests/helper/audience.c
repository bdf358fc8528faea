/*
 * audience: many listeners to the feed at once. `audience SOCKET COUNT CALL READY GO` opens COUNT
 * connections, sends CALL on each, takes the first reply on each, makes the file READY, reads nothing until
 * the file GO is there, and then all, until each connection has seen the end of a child called "last".
 * Prints, once for all that have seen the same: how many they are, their first and last seq, and how many
 * events had one; ends 1 where numbers are left out or come twice. Run by tests only; links nothing but
 * libc.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long to wait for the other side; a loaded machine is slow. */
#define PATIENCE_MS 240000
#define MESSAGE_MAX 65536

struct listener {
	int fd;
	char *data; /* a message that has not come whole */
	size_t len;
	long long first, last;
	long long count;
	bool has_begun;
	bool is_done;
};

static void
dial(struct listener *l, const char *path, const char *call)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	l->data = malloc(MESSAGE_MAX);
	if (l->data == NULL)
		err(1, "memory");
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
	if (send(l->fd, call, strlen(call) + 1, MSG_NOSIGNAL) != (ssize_t)strlen(call) + 1)
		err(1, "send");
}

static void
take(struct listener *l, const char *message)
{
	long long seq;

	if (strncmp(message, "{\"error\"", 8) == 0)
		errx(1, "the daemon answers %s", message);
	l->has_begun = true;
	if (sscanf(message, "{\"parameters\":{\"event\":{\"seq\":%lld,", &seq) != 1)
		return;
	if (l->count++ == 0)
		l->first = seq;
	else if (seq != l->last + 1)
		errx(1, "%lld comes after %lld", seq, l->last);
	l->last = seq;
	l->is_done = strstr(message, "\"event\":\"completed\"") != NULL &&
	    strstr(message, "\"child\":\"last\"") != NULL;
}

static void
receive(struct listener *l)
{
	ssize_t n = recv(l->fd, l->data + l->len, MESSAGE_MAX - l->len, MSG_DONTWAIT);
	char *nul, *next = l->data;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		errx(1, "the daemon has hung up after %lld", l->last);
	l->len += (size_t)n;
	while (
	    !l->is_done && (nul = memchr(next, '\0', l->len - (size_t)(next - l->data))) != NULL) {
		take(l, next);
		next = nul + 1;
	}
	l->len -= (size_t)(next - l->data);
	memmove(l->data, next, l->len);
	if (l->len == MESSAGE_MAX)
		errx(1, "a message without end");
}

static bool
has_what_it_waits_for(const struct listener *l, bool is_last)
{
	return is_last ? l->is_done : l->has_begun;
}

/* Reads until all have begun, or, if is_last, have come to the end. */
static void
listen_to_all(struct listener *all, size_t count, bool is_last)
{
	struct pollfd *p = calloc(count, sizeof(*p));
	size_t waiting = 1, i;

	if (p == NULL)
		err(1, "memory");
	while (waiting > 0) {
		waiting = 0;
		for (i = 0; i < count; i++) {
			bool has_it = has_what_it_waits_for(&all[i], is_last);

			p[i] = (struct pollfd){has_it ? -1 : all[i].fd, POLLIN, 0};
			waiting += !has_it;
		}
		if (waiting > 0 && poll(p, count, PATIENCE_MS) <= 0)
			errx(1, "%zu of %zu have not got what they wait for; the first is at %lld",
			    waiting, count, all[0].last);
		for (i = 0; i < count; i++)
			if (p[i].revents != 0)
				receive(&all[i]);
	}
	free(p);
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		err(64, "%s", path);
	close(fd);
}

static void
await_file(const char *path)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int ms = 0; access(path, F_OK) < 0; ms += 10) {
		if (ms > PATIENCE_MS)
			errx(1, "%s: not made", path);
		nanosleep(&pause, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct listener *all;
	size_t count, i, same;

	if (argc != 6)
		errx(64, "usage: audience SOCKET COUNT CALL READY GO");
	count = strtoul(argv[2], NULL, 10);
	all = calloc(count, sizeof(*all));
	if (all == NULL)
		err(1, "memory");
	for (i = 0; i < count; i++)
		dial(&all[i], argv[1], argv[3]);
	listen_to_all(all, count, false);
	make_file(argv[4]);
	await_file(argv[5]);
	listen_to_all(all, count, true);
	for (i = 0; i < count; i += same) {
		for (same = 1; i + same < count && all[i + same].first == all[i].first &&
		     all[i + same].last == all[i].last && all[i + same].count == all[i].count;
		     same++)
			continue;
		printf("%zu listeners: %lld to %lld, %lld events\n", same, all[i].first,
		    all[i].last, all[i].count);
	}
	return 0;
}
