/*
 * spawnd ask: inside a job: may I? Exits 0 where that is allowed, 1 where it is denied. Must never take
 * silence for leave.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/inside.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/quote.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <time.h>

#define EXIT_DENIED 1
#define TOKEN_SIZE 33

#define TIMEOUT_MS (300 * 1000)

/* How much later than the daemon the client gives up by itself, and beyond what never. */
#define SLACK_MS 1000
#define TIMEOUT_FOREVER_MS (INT64_MAX / 4)

static void
make_token(char token[TOKEN_SIZE])
{
	uint64_t random[2];

	arc4random_buf(random, sizeof(random));
	snprintf(token, TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static const char *
text_of(const json_t *reply, const char *key)
{
	const char *text = json_string_value(json_object_get(reply, key));

	return text == NULL ? "" : text;
}

/* Who has denied it, for people. */
static void
describe_denial(const json_t *reply, char *text, size_t size)
{
	const char *by = text_of(reply, "by"), *ancestor = text_of(reply, "ancestor");

	if (strcmp(by, "timeout") == 0)
		strlcpy(text, "nobody has answered in time", size);
	else if (strcmp(by, "profile") == 0)
		strlcpy(text, "its profile decides so", size);
	else if (strcmp(by, "end") == 0)
		strlcpy(text, "the job has ended", size);
	else if (strcmp(by, "ancestor") == 0)
		snprintf(text, size, "by '%s'", ancestor);
	else
		strlcpy(text, "by the user", size);
}

static int
tell(const struct options *o, json_t *reply)
{
	bool is_allowed = strcmp(text_of(reply, "decision"), "allow") == 0;
	const char *reason = text_of(reply, "reason");
	char who[256];

	if (o->value[OPTION_JSON] != NULL)
		show_json(reply);
	else if (is_allowed && reason[0] != '\0')
		printf("%s\n", reason);
	if (!is_allowed && o->value[OPTION_JSON] == NULL) {
		describe_denial(reply, who, sizeof(who));
		warnx("denied: %s%s%s", QUOTE(who), reason[0] != '\0' ? ": " : "", QUOTE(reason));
	}
	return show_flush(is_allowed ? EXIT_SUCCESS : EXIT_DENIED);
}

static json_t *
make_parameters(const struct options *o, int64_t timeout_ms)
{
	char token[TOKEN_SIZE];
	json_t *p, *job = inside_job();

	make_token(token);
	p = json_pack("{s:s, s:s, s:o*}", "question", o->operands[0], "token",
	    o->value[OPTION_TOKEN] != NULL ? o->value[OPTION_TOKEN] : token, "job", job);
	if (p != NULL && timeout_ms >= 0)
		json_object_set_new(p, "timeout_ms", json_integer(timeout_ms));
	return p;
}

/* The daemon denies it in time; a daemon that does not answer at all has not allowed it either. */
static int
start_clock(int64_t timeout_ms)
{
	int64_t ms = timeout_ms + SLACK_MS;
	const struct itimerspec at = {
	    .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * (long)NSEC_PER_MSEC}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &at, NULL);
	return fd;
}

static int
ask(struct client *c, const struct options *o, json_t *parameters)
{
	json_t *reply;
	int r = client_call(c, "Ask", parameters, &reply);

	if (r == -EINTR || (r < 0 && client_is_error(c, "TimedOut"))) {
		warnx("denied: the daemon has not answered in time");
		return EXIT_DENIED;
	}
	if (r < 0)
		return client_fail(c);
	r = tell(o, reply);
	json_decref(reply);
	return r;
}

int
cmd_ask(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	int64_t timeout_ms = TIMEOUT_MS;
	FD_CLEANUP int clock_fd = -1;
	json_t *parameters;
	int code = 0;

	if (o->value[OPTION_TIMEOUT] != NULL)
		code = options_duration_ms(o, OPTION_TIMEOUT, &timeout_ms);
	if (code != 0)
		return code;
	parameters = make_parameters(o, timeout_ms);
	if (parameters == NULL) {
		warnx("the question must be UTF-8, which is what JSON takes");
		return EX_DATAERR;
	}
	if (client_open(&c, false) < 0) {
		json_decref(parameters);
		return client_fail(&c);
	}
	c.is_waiting = true;
	if (timeout_ms >= 0 && timeout_ms < TIMEOUT_FOREVER_MS)
		c.wake_fd = clock_fd = start_clock(timeout_ms);
	return ask(&c, o, parameters);
}
