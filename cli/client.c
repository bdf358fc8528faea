/*
 * client: see client.h. Run by every command that asks the daemon. Blocking sockets, one
 * connection; must not print but in client_fail().
 */
#include "cli/client.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/quote.h"
#include "cli/autostart.h"
#include "cli/option_rows.h"
#include "cli/socket.h"
#include "cli/wording.h"

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define INTERFACE "org.spawnd."

#define PATIENCE_NS (30 * NSEC_PER_SEC)
#define NOBODY_NS (500 * NSEC_PER_MSEC)
#define HURRY_NS NSEC_PER_SEC
#define HURRY_LOOK_MS 100
#define PAUSE_MIN_MS 5
#define PAUSE_MAX_MS 500
#define PAUSE_AGAIN_MS 100 /* it was there, and was lost again without an answer */

static int
client_fault(struct client *c, int exit_code, int error)
{
	c->exit_code = exit_code;
	c->error[0] = '\0';
	return error;
}

static bool
is_nobody(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED;
}

static int
client_connect(struct client *c)
{
	int r;

	c->received.start = c->received.end = 0;
	r = socket_connect(c->socket, &c->fd, &c->fault);
	if (is_nobody(r) && c->may_start && strcmp(c->socket, c->paths.socket) == 0) {
		r = autostart_connect(&c->paths, &c->fd, &c->exit_code, &c->fault);
		return r < 0 ? client_fault(c, c->exit_code, r) : 0;
	}
	/* What the daemon would say of its directory, had it been started. */
	if (r == -ENOTDIR && c->socket == c->paths.socket &&
	    path_make_dir(c->paths.runtime, &c->fault) < 0)
		return client_fault(c, EX_CANTCREAT, r);
	return r < 0 ? client_fault(c, r == -EPERM ? EX_NOPERM : EX_UNAVAILABLE, r) : 0;
}

int
client_open(struct client *c, bool may_start)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->fd = c->wake_fd = -1;
	c->may_start = may_start;
	r = paths_init(&c->paths, &c->fault);
	if (r < 0)
		return client_fault(c, EX_CONFIG, r);
	c->socket = getenv("SPAWND_SOCKET");
	if (c->socket == NULL || c->socket[0] != '/')
		c->socket = c->paths.socket;
	return client_connect(c);
}

void
client_close(struct client *c)
{
	fd_close(&c->fd);
	free(c->received.data);
	c->received = (struct frame_buffer){0};
	json_decref(c->error_parameters);
	c->error_parameters = NULL;
}

/*
 * Waits up to timeout_ms for something to read, or just that long where there is no connection. 0
 * when there is something or the time is over; -EINTR when the caller's patience is.
 */
static int
client_wait(struct client *c, int timeout_ms)
{
	struct pollfd p[2];
	int wait_ms;

	for (;;) {
		wait_ms = timeout_ms;
		if (c->is_hurried && (wait_ms < 0 || wait_ms > HURRY_LOOK_MS))
			wait_ms = HURRY_LOOK_MS;
		p[0] = (struct pollfd){.fd = c->fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = c->is_hurried ? -1 : c->wake_fd, .events = POLLIN};
		if (poll(p, 2, wait_ms) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (p[0].revents != 0)
			return 0;
		if (c->is_hurried && clock_mono_ns() >= c->hurry_ns)
			return -EINTR;
		if (p[1].revents != 0) {
			c->is_hurried = true;
			c->hurry_ns = clock_mono_ns() + HURRY_NS;
		} else if (timeout_ms >= 0) {
			return 0;
		}
	}
}

/* Whether it is no use to try again, as nobody listens. */
static bool
is_enough(const struct client *c)
{
	return c->is_brief ||
	    (c->takes_nobody && outage_length_ns(&c->outage, clock_mono_ns()) >= NOBODY_NS);
}

int
client_reconnect(struct client *c)
{
	int pause_ms = PAUSE_MIN_MS, r;

	fd_close(&c->fd);
	if (!outage_lose(&c->outage, clock_mono_ns()))
		pause_ms = PAUSE_AGAIN_MS;
	if (c->is_brief) {
		c->is_hurried = true;
		c->hurry_ns = c->outage.lost_ns + HURRY_NS;
	}
	for (;;) {
		r = client_wait(c, pause_ms);
		if (r < 0)
			return client_fault(c, EX_UNAVAILABLE, r);
		if (outage_length_ns(&c->outage, clock_mono_ns()) >= PATIENCE_NS)
			break;
		r = client_connect(c);
		if (r == 0) {
			outage_find(&c->outage, clock_mono_ns());
			c->is_hurried = c->is_brief;
		}
		if (!is_nobody(r) || is_enough(c))
			return r;
		pause_ms = pause_ms < PAUSE_MAX_MS / 2 ? 2 * pause_ms : PAUSE_MAX_MS;
	}
	fault_set(&c->fault, ECONNRESET,
	    "the daemon at %s has gone or does not answer; jobs that run are not harmed by "
	    "that, and 'spawnd daemon --detach' starts it again",
	    c->socket);
	return client_fault(c, EX_UNAVAILABLE, -ETIMEDOUT);
}

static int
client_send_call(struct client *c, const char *method, json_t *parameters, bool has_more, int fd)
{
	char name[64] = INTERFACE;
	json_t *call;
	int r;

	strlcat(name, method, sizeof(name));
	call = json_pack("{s:s, s:O}", "method", name, "parameters", parameters);
	if (has_more)
		json_object_set_new(call, "more", json_true());
	r = call == NULL ? -ENOMEM : frame_send(c->fd, call, fd);
	json_decref(call);
	/* Closed already: it may have said why. */
	if (r == -ECONNRESET && frame_fill(c->fd, &c->received) == 0)
		return 0;
	if (r < 0 && r != -ECONNRESET) {
		fault_set(&c->fault, -r, "cannot ask the daemon: %s", strerror(-r));
		return client_fault(c, EX_SOFTWARE, r);
	}
	return r;
}

/* Keeps an error that the daemon answered with for client_fail(). */
static int
client_keep_error(struct client *c, const char *name, json_t *parameters)
{
	size_t len = strlen(INTERFACE);

	strlcpy(c->error, strncmp(name, INTERFACE, len) == 0 ? name + len : name, sizeof(c->error));
	json_decref(c->error_parameters);
	c->error_parameters = json_incref(parameters);
	return -EREMOTEIO;
}

bool
client_is_error(const struct client *c, const char *name)
{
	return strcmp(c->error, name) == 0;
}

/* Asked again, after a pause, as if the connection were lost; said once. */
static int
client_store_failed(struct client *c)
{
	const char *reason = json_string_value(json_object_get(c->error_parameters, "reason"));

	if (c->give_up_ns != 0 && clock_mono_ns() >= c->give_up_ns) {
		strlcpy(c->error, "TimedOut", sizeof(c->error));
		return -EREMOTEIO;
	}
	if (!c->has_told)
		warnx("the daemon cannot store anything: %s; waiting until it can",
		    reason != NULL ? reason : "no reason given");
	c->has_told = true;
	return -ECONNRESET;
}

/* One reply; *ret_continues tells whether there are more to come. */
static int
client_take(struct client *c, json_t **ret_reply, bool *ret_continues)
{
	const char *error;
	json_t *message, *parameters;
	int r;

	while ((r = frame_take(&c->received, &message)) == -EAGAIN) {
		r = client_wait(c, -1);
		if (r == 0)
			r = frame_fill(c->fd, &c->received);
		if (r == -ECONNRESET || r == -EINTR)
			return client_fault(c, EX_UNAVAILABLE, r);
		if (r < 0)
			break;
	}
	if (r < 0) {
		fault_set(&c->fault, -r, "what the daemon at %s says is not understood: %s",
		    c->socket, strerror(-r));
		return client_fault(c, EX_PROTOCOL, r);
	}
	outage_end(&c->outage);
	c->is_hurried = false;
	parameters = json_object_get(message, "parameters");
	error = json_string_value(json_object_get(message, "error"));
	*ret_continues = json_is_true(json_object_get(message, "continues"));
	if (error != NULL)
		r = client_keep_error(c, error, parameters);
	if (r == -EREMOTEIO && c->is_waiting && client_is_error(c, "StoreFailed"))
		r = client_store_failed(c);
	if (error == NULL)
		*ret_reply = parameters != NULL ? json_incref(parameters) : json_object();
	json_decref(message);
	return r;
}

int
client_send_with_fd(struct client *c, const char *method, json_t *parameters, int fd)
{
	return client_send_call(c, method, parameters, false, fd);
}

int
client_send(struct client *c, const char *method, json_t *parameters)
{
	return client_send_with_fd(c, method, parameters, -1);
}

bool
client_has_reply(const struct client *c)
{
	const struct frame_buffer *b = &c->received;

	return b->end > b->start && memchr(b->data + b->start, '\0', b->end - b->start) != NULL;
}

int
client_receive(struct client *c, json_t **ret_reply)
{
	bool continues;

	return client_take(c, ret_reply, &continues);
}

/* What the daemon cannot keep while it only refuses. */
static void
take_timeout(struct client *c, json_t *parameters)
{
	json_int_t ms = json_integer_value(json_object_get(parameters, "timeout_ms"));

	c->give_up_ns = 0;
	if (json_object_get(parameters, "timeout_ms") != NULL && ms >= 0 &&
	    ms < INT64_MAX / (json_int_t)NSEC_PER_MSEC)
		c->give_up_ns = clock_add_ns(clock_mono_ns(), (uint64_t)ms * NSEC_PER_MSEC);
}

int
client_call_with_fd(struct client *c, const char *method, json_t *parameters, int fd,
    json_t **ret_reply)
{
	json_t *reply = NULL;
	int r;

	take_timeout(c, parameters);
	for (;;) {
		r = client_send_call(c, method, parameters, false, fd);
		if (r == 0)
			r = client_receive(c, &reply);
		if (r != -ECONNRESET)
			break;
		r = client_reconnect(c);
		if (r < 0)
			break;
	}
	json_decref(parameters);
	if (r == 0 && ret_reply != NULL)
		*ret_reply = reply;
	else
		json_decref(reply);
	return r;
}

int
client_call(struct client *c, const char *method, json_t *parameters, json_t **ret_reply)
{
	return client_call_with_fd(c, method, parameters, -1, ret_reply);
}

void
client_acknowledge(struct client *c, const json_int_t *seqs, size_t count)
{
	json_t *list = json_array();
	int r = -ENOTCONN;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(seqs[i]));
	c->is_waiting = false;
	c->is_brief = true;
	if (c->fd >= 0)
		r = client_call(c, "Acknowledge", json_pack("{s:O}", "seqs", list), NULL);
	json_decref(list);
	if (r == 0)
		return;
	fd_close(&c->fd);
	for (size_t i = 0; i < count; i++)
		warnx("record %lld not acknowledged: it may come again (%s)", (long long)seqs[i],
		    r == -EREMOTEIO ? c->error : "no answer from the daemon");
}

/* Replies to one attempt, up to the last or the loss of the connection. */
static int
client_stream_once(struct client *c, client_reply_cb *cb, void *arg)
{
	bool continues = true;
	json_t *reply;
	int r = 0;

	while (r == 0 && continues) {
		r = client_take(c, &reply, &continues);
		if (r == 0) {
			r = cb(arg, reply);
			json_decref(reply);
		}
	}
	return r;
}

int
client_stream(struct client *c, const char *method, json_t *parameters, client_reply_cb *cb,
    void *arg)
{
	json_t *timeout = json_object_get(parameters, "timeout_ms");
	const uint64_t start_ns = clock_mono_ns();
	const json_int_t timeout_ms = json_integer_value(timeout);
	json_int_t passed_ms;
	int r;

	take_timeout(c, parameters);
	for (;;) {
		r = client_send_call(c, method, parameters, true, -1);
		if (r == 0)
			r = client_stream_once(c, cb, arg);
		if (r != -ECONNRESET)
			return r;
		r = client_reconnect(c);
		if (r < 0)
			return r;
		passed_ms = (json_int_t)((clock_mono_ns() - start_ns) / NSEC_PER_MSEC);
		if (timeout != NULL)
			json_integer_set(timeout,
			    passed_ms < timeout_ms ? timeout_ms - passed_ms : 0);
	}
}

/* The daemon's errors: exit code, and words around the member that says more. */
struct client_error {
	const char *name;
	int exit_code;
	const char *member; /* of the error's parameters */
	const char *before, *after;
};

static const struct client_error client_errors[] = {
    {"AlreadyQueued", EX_CANTCREAT, "job", "as job ",
	"; wait for it, or say --if-exists ignore or --if-exists replace"},
    {"NotAllowed", EX_NOPERM, "reason", "not allowed: ", ""},
    {"NotFound", EX_NOINPUT, "what", "not found: ", ""},
    {"NotInJob", EX_NOPERM, NULL, "only a job that runs may ask; this is none", ""},
    {"NotRunning", EX_DATAERR, "status", "is ", ", and must be running"},
    {"QueueFull", EX_TEMPFAIL, "limit", "the queue is full (queue_limit ",
	"); try again later, or leave out --no-wait to wait for room"},
    {"DepthExceeded", EX_NOPERM, "reason", "", ""},
    {"ParentGone", EX_NOPERM, "reason", "", ""},
    {"NoRunner", EX_USAGE, "reason", "", ""},
    {"InvalidArgument", EX_USAGE, "reason", "", ""},
    {"CommandTooLong", EX_DATAERR, "reason", "", ""},
    {"TooManyQuestions", EX_TEMPFAIL, "reason", "", ""},
    {"TimedOut", EX_TEMPFAIL, NULL, "timed out", ""},
    {"ShuttingDown", EX_TEMPFAIL, NULL, "the daemon is about to end; try again when it has", ""},
    {"StoreFailed", EX_IOERR, "reason", "the daemon cannot store anything: ", ""},
    {"org.varlink.service.PermissionDenied", EX_NOPERM, NULL,
	"the daemon serves its own user and root only; set SPAWND_HOME to a directory of your own",
	""},
    {NULL, EX_PROTOCOL, NULL, "", "; is the daemon of another version? 'spawnd stop' ends it"},
};

static void
format_member(const struct client *c, const struct client_error *e, char *text, size_t size)
{
	const json_t *member =
	    e->member == NULL ? NULL : json_object_get(c->error_parameters, e->member);

	text[0] = '\0';
	if (e->name == NULL)
		strlcpy(text, c->error, size);
	else if (json_is_string(member))
		wording_make(json_string_value(member), c->has_fields, text, size);
	else if (json_is_integer(member))
		snprintf(text, size, "%lld", (long long)json_integer_value(member));
}

/* What the daemon finds fault with, where it says so. */
static void
format_subject(const struct client *c, char *text, size_t size)
{
	const char *field = json_string_value(json_object_get(c->error_parameters, "field"));
	const char *child = json_string_value(json_object_get(c->error_parameters, "child"));
	const char *status = json_string_value(json_object_get(c->error_parameters, "status"));
	const char *option = field == NULL || c->has_fields ? NULL : option_named(field);

	text[0] = '\0';
	if (option != NULL)
		snprintf(text, size, "--%s: ", option);
	else if (field != NULL)
		snprintf(text, size, "%s: ", field);
	else if (child != NULL && client_is_error(c, "AlreadyQueued"))
		snprintf(text, size, "child '%s' is already %s ", child,
		    status != NULL ? status : "there");
	else if (child != NULL)
		snprintf(text, size, "child '%s' ", child);
}

int
client_fail(const struct client *c)
{
	const struct client_error *e = client_errors;
	char subject[160], text[sizeof(c->fault.text)];

	if (c->error[0] == '\0') {
		warnx("%s", QUOTE(c->fault.text));
		return c->exit_code;
	}
	if (c->is_waiting && client_is_error(c, "ShuttingDown")) {
		warnx("the daemon ends; what is queued stays queued for its next start");
		return EX_TEMPFAIL;
	}
	while (e->name != NULL && strcmp(c->error, e->name) != 0)
		e++;
	format_member(c, e, text, sizeof(text));
	format_subject(c, subject, sizeof(subject));
	warnx("%s%s%s%s", QUOTE(subject), e->before, QUOTE(text), e->after);
	return e->exit_code;
}
