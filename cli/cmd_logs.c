/*
 * spawnd logs: the output of a child's latest job, from its file; with --follow until the job has
 * ended, whose record is left to others.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/follow.h"
#include "cli/options.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

static void
tell_freed(off_t bytes, const char *which)
{
	if (bytes > 0)
		warnx("%lld bytes %s were freed (max_output)", (long long)bytes, which);
}

/* Without its output there is nothing to wait for. */
static int
failed(void *arg, int error)
{
	(void)arg;
	/* As the next write would have it, which may be long in coming. */
	if (error == EPIPE)
		raise(SIGPIPE);
	return EX_IOERR;
}

static int
print(struct follow *f, const struct options *o, bool has_ended)
{
	json_t *record;
	int r;

	if (o->value[OPTION_FOLLOW] == NULL || has_ended)
		return follow_rest(f);
	r = follow_job(f, &record);
	if (r == 0)
		json_decref(record);
	return r;
}

static int
show_output(struct client *c, const struct options *o, json_t *job, int64_t lines)
{
	struct follow f = {.client = c,
	    .is_peeking = true,
	    .ends_unread = true,
	    .signal_fd = -1,
	    .failed = failed};
	const char *output = "";
	json_int_t number = 0;
	struct tail tail;
	off_t skipped;
	int r;

	json_unpack(job, "{s:I, s:s}", "job", &number, "output", &output);
	r = tail_init(&tail, output);
	if (r == 0 && lines >= 0)
		r = tail_seek_lines(&tail, lines);
	if (r < 0) {
		warnx("%s: %s", output, strerror(-r));
		return EX_IOERR;
	}
	tail_skip_freed(&tail);
	skipped = tail.skipped;
	tell_freed(skipped, "at the beginning of the output");
	f.job = number;
	f.tail = &tail;
	r = print(&f, o, json_is_object(json_object_get(job, "record")));
	skipped = tail.skipped - skipped;
	tell_freed(skipped, "of the output, before they could be printed,");
	tail_fini(&tail);
	if (r < 0)
		return client_fail(c);
	if (f.out_error != 0)
		warnx("standard output: %s", strerror(f.out_error));
	return f.out_error != 0 || skipped > 0 ? EX_IOERR : EX_OK;
}

int
cmd_logs(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	json_t *reply;
	int64_t lines = -1;
	int code = options_check_id("child", o->operands[0]);

	if (code == 0)
		code = options_number(o, OPTION_LINES, 0, INT64_MAX, &lines);
	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	c.may_start = false;
	if (client_call(&c, "Status", json_pack("{s:s}", "child", o->operands[0]), &reply) < 0)
		return client_fail(&c);
	code = show_output(&c, o, json_object_get(reply, "job"), lines);
	json_decref(reply);
	return code;
}
