/*
 * batch: see batch.h. Run by `enqueue --batch`.
 */
#include "cli/batch.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/quote.h"
#include "cli/entry.h"
#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/request.h"
#include "cli/show.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * So many calls are under way at the most, and so many bytes of them: less than a socket takes, so that
 * sending never waits.
 */
#define WINDOW 64
#define WINDOW_BYTES (48 * 1024)
#define CALL_BYTES 512 /* what a call has besides its line */

/* How long what is under way is waited for once a signal has come. */
#define HURRY_NS NSEC_PER_SEC

/* A call that is under way. */
struct sent {
	int64_t line;
	json_t *parameters;
	int fd; /* goes with it */
	size_t bytes;
	bool is_repeated; /* it may have been stored by a call that was cut off */
};

struct batch {
	struct client *client;
	struct entries entries;
	const char *name; /* of the file, for people */
	int64_t from_line;
	bool is_json;
	struct lines lines;
	struct sent window[WINDOW];
	size_t first, count, bytes;
	bool is_over;     /* nothing more is sent */
	int64_t stored;   /* jobs that are new */
	int64_t known;    /* that were stored before */
	int64_t bad_line; /* the first that was refused, or 0 */
	int code;         /* the exit code, once something went wrong */
	int signal_fd, signo;
	uint64_t give_up_ns; /* once a signal has come */
	struct progress progress;
	char title[128]; /* what messages begin with */
};

int
batch_check(const struct options *o)
{
	bool is_batch = o->value[OPTION_BATCH] != NULL;
	int64_t line;

	if (!is_batch && o->value[OPTION_FROM_LINE] != NULL)
		warnx("--from-line is for --batch only");
	else if (is_batch && o->operand_count > 0)
		warnx("'%s': with --batch the commands come from the file, as \"argv\"",
		    QUOTE(o->operands[0]));
	else if (is_batch && o->value[OPTION_CHILD] != NULL)
		warnx("--child with --batch: each line has a child of its own, \"child\"");
	else
		return options_number(o, OPTION_FROM_LINE, 1, INT64_MAX, &line);
	return EX_USAGE;
}

/* From here on messages begin with this line's place; 0: with none. */
static void
locate(struct batch *b, int64_t line)
{
	const char *before = progress_prefix(&b->progress);

	if (line == 0)
		snprintf(b->title, sizeof(b->title), "%sspawnd enqueue", before);
	else
		snprintf(b->title, sizeof(b->title), "%sspawnd enqueue: %.64s:%" PRId64, before,
		    QUOTE(b->name), line);
	setprogname(b->title);
}

/* That line was refused, and nothing behind it is stored. */
static void
refuse(struct batch *b, int64_t line, int code)
{
	b->is_over = true;
	if (b->bad_line == 0 || line < b->bad_line) {
		b->bad_line = line;
		b->code = code;
	}
}

static void
forget_first(struct batch *b)
{
	struct sent *s = &b->window[b->first];

	json_decref(s->parameters);
	fd_close(&s->fd);
	b->bytes -= s->bytes;
	b->first = (b->first + 1) % WINDOW;
	b->count--;
}

static void
take_signal(struct batch *b)
{
	struct signalfd_siginfo info;

	if (read(b->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	b->is_over = true;
	b->signo = (int)info.ssi_signo;
	b->give_up_ns = clock_mono_ns() + HURRY_NS;
}

/* A call or the connection failed for good: what is under way gets no answer. */
static void
fail(struct batch *b, int r)
{
	take_signal(b);
	progress_clear(&b->progress);
	if (r != -EINTR)
		b->code = client_fail(b->client);
	b->is_over = true;
	b->give_up_ns = clock_mono_ns();
}

static int
send(struct batch *b, const struct sent *s)
{
	return client_send_with_fd(b->client, "Enqueue", s->parameters, s->fd);
}

/* Connects again and sends what is under way once more, until that succeeds or is given up. */
static void
recover(struct batch *b)
{
	int r = -ECONNRESET;

	while (r == -ECONNRESET) {
		r = client_reconnect(b->client);
		for (size_t i = 0; r == 0 && i < b->count; i++) {
			struct sent *s = &b->window[(b->first + i) % WINDOW];

			s->is_repeated = true;
			r = send(b, s);
		}
	}
	if (r < 0)
		fail(b, r);
}

static void
send_line(struct batch *b, const char *text, size_t len)
{
	struct sent s = {.line = b->lines.number, .fd = -1, .bytes = len + CALL_BYTES};
	int code, r;

	locate(b, s.line);
	code = entry_read(&b->entries, s.line, text, len, &s.parameters, &s.fd);
	locate(b, 0);
	if (code != 0) {
		refuse(b, s.line, code);
		return;
	}
	json_object_set_new(s.parameters, "chained", json_true());
	b->window[(b->first + b->count) % WINDOW] = s;
	b->count++;
	b->bytes += s.bytes;
	r = send(b, &s);
	if (r == -ECONNRESET)
		recover(b);
	else if (r < 0)
		fail(b, r);
}

static bool
is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	}
	return true;
}

static bool
may_send(const struct batch *b)
{
	return !b->is_over && b->count < WINDOW && (b->count == 0 || b->bytes < WINDOW_BYTES);
}

/* Sends the lines that have come, as far as the window goes. */
static void
send_lines(struct batch *b)
{
	const char *text;
	size_t len;
	int r = 0;

	while (may_send(b) && (r = lines_take(&b->lines, &text, &len)) == 0) {
		if (b->lines.number >= b->from_line && !is_blank(text, len))
			send_line(b, text, len);
	}
	if (r == -ENODATA)
		b->is_over = true;
}

static void
take_answer(struct batch *b, json_t *reply)
{
	const struct sent *s = &b->window[b->first];

	locate(b, s->line);
	request_warn(reply);
	locate(b, 0);
	if (json_is_true(json_object_get(reply, "is_new")) || s->is_repeated)
		b->stored++;
	else
		b->known++;
	if (b->is_json) {
		json_object_set_new(reply, "line", json_integer((json_int_t)s->line));
		show_json(reply);
	} else {
		printf("%lld\n", (long long)json_integer_value(json_object_get(reply, "job")));
	}
	forget_first(b);
}

/* The daemon refused the first of the window, and with it all others. */
static void
take_refusal(struct batch *b)
{
	int code;

	locate(b, b->window[b->first].line);
	code = client_fail(b->client);
	locate(b, 0);
	refuse(b, b->window[b->first].line, code == EX_USAGE ? EX_DATAERR : code);
	while (b->count > 0)
		forget_first(b);
}

static void
take_reply(struct batch *b)
{
	json_t *reply;
	int r = client_receive(b->client, &reply);

	if (r == 0) {
		take_answer(b, reply);
		json_decref(reply);
	} else if (r == -EREMOTEIO) {
		take_refusal(b);
	} else if (r == -ECONNRESET) {
		recover(b);
	} else {
		fail(b, r);
	}
}

static void
fill_lines(struct batch *b)
{
	int r = lines_fill(&b->lines);

	if (r == 0)
		return;
	locate(b, b->lines.number + 1);
	if (r == -EMSGSIZE)
		warnx("longer than %d bytes, of which a line may have so many", LINES_MAX);
	else
		warnx("cannot be read: %s", strerror(-r));
	locate(b, 0);
	refuse(b, b->lines.number + 1, r == -EMSGSIZE ? EX_DATAERR : EX_NOINPUT);
}

/* Waits for an answer, for lines, for a signal. */
static void
wait_for_any(struct batch *b)
{
	struct pollfd p[3] = {
	    {.fd = b->count > 0 ? b->client->fd : -1, .events = POLLIN},
	    {.fd = may_send(b) ? b->lines.fd : -1, .events = POLLIN},
	    {.fd = b->signal_fd, .events = POLLIN},
	};
	uint64_t now_ns = clock_mono_ns();
	int timeout_ms = progress_timeout_ms(&b->progress);

	fflush(stdout);
	if (b->give_up_ns != 0)
		timeout_ms = now_ns >= b->give_up_ns
		    ? 0
		    : (int)((b->give_up_ns - now_ns) / NSEC_PER_MSEC) + 1;
	if (poll(p, 3, timeout_ms) < 0)
		return;
	if (p[2].revents != 0)
		take_signal(b);
	if (p[1].revents != 0)
		fill_lines(b);
	if (p[0].revents != 0)
		take_reply(b);
}

static void
run(struct batch *b)
{
	for (;;) {
		send_lines(b);
		if ((b->is_over && b->count == 0) ||
		    (b->give_up_ns != 0 && clock_mono_ns() >= b->give_up_ns))
			return;
		progress_show(&b->progress, "%" PRId64 " jobs queued, line %" PRId64,
		    b->stored + b->known, b->lines.number);
		if (b->count > 0 && client_has_reply(b->client))
			take_reply(b);
		else
			wait_for_any(b);
	}
}

/* All lines have come, and the first to be stored was not among them, nor would be the next. */
static bool
is_beyond(const struct batch *b)
{
	return b->code == 0 && b->signo == 0 && b->from_line > b->lines.number + 1;
}

/* How far it came, and how to go on. */
static void
tell_end(struct batch *b)
{
	const struct sent *first = &b->window[b->first];
	char before[64] = "", rest[512] = "";

	progress_clear(&b->progress);
	locate(b, 0);
	if (b->known > 0)
		snprintf(before, sizeof(before), ", %" PRId64 " were there already", b->known);
	if (b->count > 0)
		snprintf(rest, sizeof(rest),
		    "; whether lines %" PRId64 " to %" PRId64 " were queued is not known%s",
		    first->line, b->lines.number,
		    b->entries.token != NULL ? ": the same command goes on there" : "");
	else if (b->bad_line > 0)
		snprintf(rest, sizeof(rest),
		    "; line %" PRId64 " was not, nor what is behind it: mend it, and go on with "
		    "--from-line %" PRId64,
		    b->bad_line, b->bad_line);
	else if (is_beyond(b))
		snprintf(rest, sizeof(rest),
		    ": --from-line %" PRId64 ", but there are only %" PRId64 " lines", b->from_line,
		    b->lines.number);
	else if (b->signo != 0)
		snprintf(rest, sizeof(rest), "; interrupted: go on with --from-line %" PRId64,
		    b->lines.number < b->from_line ? b->from_line : b->lines.number + 1);
	warnx("%" PRId64 " job%s queued%s%s", b->stored, b->stored == 1 ? "" : "s", before, rest);
}

/* 0, or an exit code after telling why not. */
static int
open_lines(struct batch *b, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	int fd = STDIN_FILENO;

	b->name = strcmp(path, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : path;
	if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (fd != STDIN_FILENO)
			fd_close(&fd);
		fd = -1;
		errno = EISDIR;
	}
	if (fd < 0) {
		warn("--batch '%s'", QUOTE(path));
		return EX_NOINPUT;
	}
	lines_init(&b->lines, fd);
	return 0;
}

/* Signals are read from here on: between two answers it can be said how far it came. */
static void
take_signals(struct batch *b, sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	b->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (b->signal_fd < 0 || sigprocmask(SIG_BLOCK, &set, ret_before) < 0)
		err(EX_OSERR, "signalfd");
}

static void
fini(struct batch *b)
{
	while (b->count > 0)
		forget_first(b);
	if (b->lines.fd > STDERR_FILENO)
		fd_close(&b->lines.fd);
	lines_fini(&b->lines);
	fd_close(&b->signal_fd);
	setprogname("spawnd enqueue");
}

int
batch_enqueue(struct client *c, const struct options *o)
{
	struct batch *b = calloc(1, sizeof(*b));
	sigset_t before;
	int code, signo;

	if (b == NULL)
		errx(EX_OSERR, "out of memory");
	b->client = c;
	c->has_fields = true;
	entries_init(&b->entries, o);
	b->is_json = o->value[OPTION_JSON] != NULL;
	options_number(o, OPTION_FROM_LINE, 1, INT64_MAX, &b->from_line);
	code = open_lines(b, o->value[OPTION_BATCH]);
	if (code != 0) {
		free(b);
		return code;
	}
	progress_init(&b->progress);
	take_signals(b, &before);
	c->wake_fd = b->signal_fd;
	run(b);
	tell_end(b);
	code = is_beyond(b) ? EX_DATAERR : b->code;
	signo = b->signo;
	fini(b);
	free(b);
	code = show_flush(code);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (signo != 0)
		raise(signo);
	return signo != 0 ? 128 + signo : code;
}
