/*
 * spawnd events: the feed, one line of JSON for each event. Must not print an event twice, nor pass over
 * one, when the connection is lost and another takes its place.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/fd.h"

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

struct events {
	json_t *parameters;
	char seen[CLOCK_TEXT_SIZE];  /* the time of the last line of progress */
	char known[CLOCK_TEXT_SIZE]; /* the same as of the beginning of this connection */
	const char *method;
	bool is_followed;
};

/*
 * Lines of progress have no number. One that the daemon kept was shown already if it is no later than
 * the last that was before the connection was lost.
 */
static bool
is_seen(struct events *e, const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "event"));
	const char *at = json_string_value(json_object_get(event, "at"));

	if (kind == NULL || at == NULL || strcmp(kind, "progress") != 0)
		return false;
	if (json_is_true(json_object_get(event, "kept")) && strcmp(at, e->known) <= 0)
		return true;
	strlcpy(e->seen, at, sizeof(e->seen));
	return false;
}

/* A client_reply_cb; what it returns is an exit code. */
static int
take_reply(void *arg, json_t *reply)
{
	struct events *e = arg;
	json_t *event = json_object_get(reply, "event");

	if (!json_is_object(event)) {
		strlcpy(e->known, e->seen, sizeof(e->known));
	} else if (!is_seen(e, event)) {
		show_json(event);
		/* Who reads along waits for it. */
		if (e->is_followed && show_flush(EX_OK) != EX_OK)
			return EX_IOERR;
	}
	/* A call that is repeated goes on behind this one. */
	json_object_set(e->parameters, "since", json_object_get(reply, "seq"));
	return 0;
}

/*
 * A descriptor that is readable once nobody reads standard output any more: epoll(7) tells of that without being
 * asked to. -1 where that cannot be, as of a file.
 */
static int
watch_reader(void)
{
	struct epoll_event gone = {.events = 0};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, STDOUT_FILENO, &gone) < 0)
		fd_close(&fd);
	return fd;
}

/* As the next line to be written would have it, which may be long in coming. */
static int
die_unread(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	return 128 + SIGPIPE;
}

static int
listen_to(struct events *e, bool may_start)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	FD_CLEANUP int reader_fd = e->is_followed ? watch_reader() : -1;
	int r = client_open(&c, may_start);

	c.may_start = false;
	c.is_waiting = e->is_followed;
	c.wake_fd = reader_fd;
	if (r == 0)
		r = client_stream(&c, e->method, e->parameters, take_reply, e);
	if (r == -EINTR)
		return die_unread();
	return r < 0 ? client_fail(&c) : r;
}

int
cmd_events(const struct options *o)
{
	struct events e = {.method = "Events", .is_followed = o->value[OPTION_FOLLOW] != NULL};
	int64_t since = -1;
	int code = options_number(o, OPTION_SINCE, 0, INT64_MAX, &since);

	if (code != 0)
		return code;
	if (o->value[OPTION_APPROVALS] != NULL) {
		e.method = "TakeApprovals";
		e.is_followed = true;
		e.parameters = json_pack("{s:s*}", "parent", options_parent(o));
	} else {
		e.parameters = json_pack("{s:s*, s:b, s:b}", "parent", options_parent(o), "tree",
		    o->value[OPTION_TREE] != NULL, "follow", e.is_followed);
	}
	if (e.parameters == NULL)
		errx(EX_OSERR, "out of memory");
	if (since >= 0)
		json_object_set_new(e.parameters, "since", json_integer(since));
	code = listen_to(&e, o->value[OPTION_NO_AUTOSTART] == NULL);
	json_decref(e.parameters);
	return show_flush(code);
}
