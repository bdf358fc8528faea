/*
 * follow: see follow.h. Run by `run` and `logs --follow`.
 */
#include "cli/follow.h"

#include "cli/inside.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe that is writable takes this much without blocking (pipe(7)); a file takes any piece. */
#define PIECE_PIPE PIPE_BUF
#define PIECE_FILE (64 * 1024)

enum follow_poll {
	POLL_DAEMON,
	POLL_TAIL,
	POLL_SIGNAL,
	POLL_OUT,
	POLL_COUNT
};

static size_t
piece_size(void)
{
	struct stat st;

	return fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? PIECE_FILE : PIECE_PIPE;
}

static int
follow_send(struct follow *f)
{
	json_t *parameters = json_pack("{s:[I], s:b, s:o*}", "jobs", (json_int_t)f->job, "peek",
	    f->is_peeking, "by_job", f->is_peeking ? NULL : inside_job());
	int r = parameters == NULL ? -ENOMEM : client_send(f->client, "Wait", parameters);

	json_decref(parameters);
	return r;
}

/* Asks until the question has arrived. */
static int
follow_ask(struct follow *f)
{
	int r;

	f->client->is_waiting = true;
	while ((r = follow_send(f)) == -ECONNRESET) {
		r = client_reconnect(f->client);
		if (r < 0)
			return r;
	}
	return r;
}

static int
follow_receive(struct follow *f, json_t **ret_record)
{
	json_t *reply;
	int r = client_receive(f->client, &reply);

	if (r == -ECONNRESET) {
		r = client_reconnect(f->client);
		return r < 0 ? r : follow_ask(f);
	}
	if (r < 0)
		return r;
	*ret_record = json_incref(json_object_get(reply, "record"));
	json_decref(reply);
	return 0;
}

static int
follow_signals(struct follow *f)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 && read(f->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		r = f->signalled(f->arg, (int)info.ssi_signo);
	return r;
}

/* Nothing more is passed on after a failure, r. */
static int
follow_fail(struct follow *f, int r, bool is_waiting)
{
	f->out_error = -r;
	f->tail = NULL;
	return is_waiting ? f->failed(f->arg, -r) : 0;
}

/* What poll(2) says of standard output: room, or, if that was not asked for, that nobody reads it. */
static int
follow_output(struct follow *f, const struct pollfd *out, size_t size, bool is_waiting)
{
	int r = 0;

	if (out->events == 0 && out->revents != 0)
		r = out->revents & POLLNVAL ? -EBADF : -EPIPE;
	else if (f->tail != NULL)
		r = out->revents != 0 ? tail_copy(f->tail, STDOUT_FILENO, size)
				      : tail_wake(f->tail);
	return r < 0 ? follow_fail(f, r, is_waiting) : 0;
}

/* Waits for the record if ret_record is not NULL, and then until all output is out. */
static int
follow_until(struct follow *f, json_t **ret_record)
{
	const size_t size = piece_size();
	bool is_waiting = ret_record != NULL;
	struct pollfd p[POLL_COUNT];
	int r = 0;

	for (;;) {
		bool is_behind = f->tail != NULL && tail_is_behind(f->tail);

		if (!is_waiting && !is_behind)
			return 0;
		p[POLL_DAEMON] = (struct pollfd){is_waiting ? f->client->fd : -1, POLLIN, 0};
		p[POLL_TAIL] =
		    (struct pollfd){f->tail == NULL || is_behind ? -1 : f->tail->inotify_fd, POLLIN,
			0};
		p[POLL_SIGNAL] = (struct pollfd){f->signal_fd, POLLIN, 0};
		p[POLL_OUT] = (struct pollfd){is_behind || f->ends_unread ? STDOUT_FILENO : -1,
		    is_behind ? POLLOUT : 0, 0};
		if (poll(p, POLL_COUNT,
			f->tail == NULL || is_behind ? -1 : tail_timeout_ms(f->tail)) < 0 &&
		    errno != EINTR)
			return -errno;
		if (p[POLL_SIGNAL].revents != 0)
			r = follow_signals(f);
		if (r == 0 && p[POLL_DAEMON].revents != 0) {
			r = follow_receive(f, ret_record);
			is_waiting = *ret_record == NULL;
		}
		if (r == 0)
			r = follow_output(f, &p[POLL_OUT], size, is_waiting);
		if (r != 0)
			return r;
	}
}

int
follow_job(struct follow *f, json_t **ret_record)
{
	json_t *record = NULL;
	int r = follow_ask(f);

	if (r == 0)
		r = follow_until(f, &record);
	if (r != 0)
		json_decref(record);
	else
		*ret_record = record;
	return r;
}

int
follow_rest(struct follow *f)
{
	return follow_until(f, NULL);
}
