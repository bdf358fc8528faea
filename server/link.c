/*
 * link: see link.h. A message for which there is no memory is lost only together with the link:
 * closed() is called, the server ends, and a new one asks the supervisor for everything.
 */
#include "server/link.h"

#include "base/fd.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct letter {
	STAILQ_ENTRY(letter) entry;
	enum wire_type type;
	unsigned nfds;
	int fds[WIRE_FDS_MAX];
	struct wire_message message;
};

STAILQ_HEAD(letters, letter);

struct link {
	struct loop *loop;
	struct loop_io io;
	struct link_handlers handlers;
	struct letters outbox;
	bool is_broken;
	bool is_full; /* the socket took no more: EPOLLOUT is asked for */
};

static void
free_letter(struct letter *letter)
{
	for (unsigned i = 0; i < letter->nfds; i++)
		fd_close(&letter->fds[i]);
	free(letter);
}

static void
break_off(struct link *k)
{
	if (k->is_broken)
		return;
	k->is_broken = true;
	k->handlers.closed(k->handlers.arg);
}

/* Sends what the socket takes, in order. */
static void
send_outbox(struct link *k)
{
	struct letter *letter;
	int r = 0;

	while (!k->is_broken && (letter = STAILQ_FIRST(&k->outbox)) != NULL) {
		r = wire_send(k->io.fd, letter->type, &letter->message, letter->fds, letter->nfds);
		/* ETOOMANYREFS: more descriptors on their way than the system allows; unix(7). */
		if (r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS)
			break;
		STAILQ_REMOVE_HEAD(&k->outbox, entry);
		free_letter(letter);
		if (r < 0)
			break_off(k);
	}
	if (k->is_full == STAILQ_EMPTY(&k->outbox)) {
		k->is_full = !k->is_full;
		loop_change(k->loop, &k->io, k->is_full ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

static void
post(struct link *k, enum wire_type type, const struct wire_message *m, int *fds, unsigned nfds)
{
	struct letter *letter = calloc(1, sizeof(*letter));
	bool was_empty = STAILQ_EMPTY(&k->outbox);

	if (letter == NULL) {
		for (unsigned i = 0; i < nfds; i++)
			fd_close(&fds[i]);
		break_off(k);
		return;
	}
	letter->type = type;
	letter->message = *m;
	letter->nfds = nfds;
	for (unsigned i = 0; i < nfds; i++)
		letter->fds[i] = fd_take(&fds[i]);
	STAILQ_INSERT_TAIL(&k->outbox, letter, entry);
	if (was_empty)
		send_outbox(k);
}

static void
link_ready(void *arg, uint32_t events)
{
	struct link *k = arg;
	int fds[WIRE_FDS_MAX];
	const char *why;
	struct wire_message m;
	int r = 0;

	if (events & EPOLLOUT)
		send_outbox(k);
	while (
	    !k->is_broken && (r = wire_receive(k->io.fd, WIRE_SERVER, &m, fds, &why)) != -EAGAIN) {
		if (r == 1)
			k->handlers.message(k->handlers.arg, &m);
		else if (r == -EBADMSG)
			k->handlers.dropped(k->handlers.arg, why);
		else
			break_off(k);
	}
}

int
link_new(struct loop *l, int fd, const struct link_handlers *h, struct link **ret_link)
{
	struct link *k = calloc(1, sizeof(*k));
	int r;

	if (k == NULL)
		return -ENOMEM;
	k->loop = l;
	k->handlers = *h;
	STAILQ_INIT(&k->outbox);
	r = loop_add(l, &k->io, fd, EPOLLIN, link_ready, k);
	if (r < 0) {
		free(k);
		return r;
	}
	*ret_link = k;
	return 0;
}

void
link_free(struct link *k)
{
	struct letter *letter;
	int fd;

	if (k == NULL)
		return;
	while ((letter = STAILQ_FIRST(&k->outbox)) != NULL) {
		STAILQ_REMOVE_HEAD(&k->outbox, entry);
		free_letter(letter);
	}
	fd = k->io.fd;
	loop_remove(k->loop, &k->io);
	fd_close(&fd);
	free(k);
}

void
link_send_job(struct link *k, enum wire_type type, uint64_t job)
{
	struct wire_message m = {0};

	m.job.job = job;
	post(k, type, &m, NULL, 0);
}

void
link_cancel(struct link *k, uint64_t job, enum wire_cause cause)
{
	struct wire_message m = {0};

	m.cancel.job = job;
	m.cancel.cause = cause;
	post(k, WIRE_CANCEL, &m, NULL, 0);
}

void
link_lull(struct link *k, uint64_t job, bool is_lulled)
{
	struct wire_message m = {0};

	m.lull.job = job;
	m.lull.is_lulled = is_lulled;
	post(k, WIRE_LULL, &m, NULL, 0);
}

void
link_send(struct link *k, enum wire_type type)
{
	struct wire_message m = {0};

	post(k, type, &m, NULL, 0);
}

void
link_spawn(struct link *k, const struct wire_spawn *spawn, int fds[WIRE_FD_COUNT])
{
	struct wire_message m = {.spawn = *spawn};

	post(k, WIRE_SPAWN, &m, fds, WIRE_FD_COUNT);
}

void
link_adopt(struct link *k, const struct wire_adopt *adopt, int fds[WIRE_ADOPT_FD_COUNT])
{
	struct wire_message m = {.adopt = *adopt};

	post(k, WIRE_ADOPT, &m, fds, WIRE_ADOPT_FD_COUNT);
}

void
link_renew(struct link *k, enum wire_renewed what, int fd)
{
	struct wire_message m = {0};
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	m.renew.what = what;
	if (copy >= 0)
		post(k, WIRE_RENEW, &m, &copy, 1);
}

void
link_hold(struct link *k, uint64_t index, int fd)
{
	struct wire_message m = {0};
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	m.hold.index = index;
	if (copy >= 0)
		post(k, WIRE_HOLD, &m, &copy, 1);
}

void
link_release(struct link *k, uint64_t index)
{
	struct wire_message m = {0};

	m.hold.index = index;
	post(k, WIRE_RELEASE, &m, NULL, 0);
}

void
link_drop_spawns(struct link *k)
{
	struct letter *letter, *next;

	STAILQ_FOREACH_SAFE(letter, &k->outbox, entry, next)
	{
		if (letter->type != WIRE_SPAWN)
			continue;
		STAILQ_REMOVE(&k->outbox, letter, letter, entry);
		free_letter(letter);
	}
}

bool
link_is_idle(const struct link *k)
{
	return STAILQ_EMPTY(&k->outbox);
}
