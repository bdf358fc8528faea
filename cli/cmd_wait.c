/*
 * spawnd wait: blocks until children have ended and prints their records, acknowledging each when
 * it has left; those that came together together, for each acknowledgement is a flush of the disk. Exits as the first child that did not complete. Inside a job it says so, for the daemon lends the
 * room of a job that waits to others.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/exitcode.h"
#include "cli/inside.h"
#include "cli/options.h"
#include "cli/show.h"

#include <bsd/stdlib.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

struct wait {
	struct client stream;
	struct client side; /* the stream is one call; acknowledging it goes beside */
	json_int_t *seen;   /* seq of each record, for a stream that had to begin again */
	size_t seen_count;
	json_int_t *left; /* of each record that has left, and is not acknowledged */
	size_t left_count;
	int code;
};

static bool
is_seen(const struct wait *w, json_int_t seq)
{
	for (size_t i = 0; i < w->seen_count; i++) {
		if (w->seen[i] == seq)
			return true;
	}
	return false;
}

static void
append(json_int_t **list, size_t *count, json_int_t seq)
{
	json_int_t *longer = reallocarray(*list, *count + 1, sizeof(**list));

	if (longer == NULL)
		err(EXIT_OWN, "out of memory");
	longer[(*count)++] = seq;
	*list = longer;
}

static void
acknowledge(struct wait *w)
{
	if (w->left_count == 0)
		return;
	if (w->side.fd < 0) {
		client_close(&w->side);
		client_open(&w->side, false);
	}
	client_acknowledge(&w->side, w->left, w->left_count);
	w->left_count = 0;
}

/* A client_reply_cb; what it returns is an exit code. */
static int
take_reply(void *arg, json_t *reply)
{
	struct wait *w = arg;
	json_t *record = json_object_get(reply, "record");
	json_int_t seq = json_integer_value(json_object_get(record, "seq"));

	if (json_is_object(record) && !is_seen(w, seq)) {
		show_json(record);
		if (show_flush(EX_OK) != EX_OK)
			return EXIT_OWN;
		append(&w->seen, &w->seen_count, seq);
		if (w->code == EXIT_SUCCESS)
			w->code = exitcode_of_record(record);
	}
	if (json_is_object(record))
		append(&w->left, &w->left_count, seq);
	if (!client_has_reply(&w->stream))
		acknowledge(w);
	return 0;
}

/* As Wait names them. */
static const char *
policy(const struct options *o)
{
	if (o->value[OPTION_ANY] != NULL)
		return "any";
	return o->value[OPTION_FIRST_ERROR] != NULL ? "first_error" : "all";
}

static json_t *
make_parameters(const struct options *o, int64_t timeout_ms)
{
	json_t *children = o->operand_count > 0 ? json_array() : NULL;
	const char *parent = children == NULL ? options_parent(o) : NULL;
	json_t *p;

	for (int i = 0; i < o->operand_count; i++)
		json_array_append_new(children, json_string(o->operands[i]));
	p = json_pack("{s:o*, s:s*, s:s, s:o*}", "children", children, "parent", parent, "policy",
	    policy(o), "by_job", inside_job());
	if (timeout_ms >= 0)
		json_object_set_new(p, "timeout_ms", json_integer(timeout_ms));
	if (p == NULL)
		errx(EXIT_OWN, "out of memory");
	return p;
}

static int
check(const struct options *o)
{
	for (int i = 0; i < o->operand_count; i++) {
		if (options_check_id("child", o->operands[i]) != 0)
			return EX_USAGE;
	}
	if ((o->value[OPTION_ALL] != NULL) + (o->value[OPTION_ANY] != NULL) +
		(o->value[OPTION_FIRST_ERROR] != NULL) >
	    1) {
		warnx("--all, --any and --first-error: only one of them");
		return EX_USAGE;
	}
	if (o->operand_count > 0 && o->value[OPTION_PARENT] != NULL) {
		warnx("either children or --parent, not both");
		return EX_USAGE;
	}
	if (o->operand_count == 0 && options_parent(o) == NULL) {
		warnx("for whom? name children, or say --parent X");
		return EX_USAGE;
	}
	return 0;
}

static int
wait_all(struct wait *w, const struct options *o, json_t *parameters)
{
	int r = client_open(&w->stream, o->value[OPTION_NO_AUTOSTART] == NULL);

	w->stream.may_start = false;
	w->stream.is_waiting = true;
	if (r == 0)
		r = client_stream(&w->stream, "Wait", parameters, take_reply, w);
	if (r >= 0)
		return r != 0 ? r : w->code;
	if (r == -EREMOTEIO && client_is_error(&w->stream, "TimedOut")) {
		warnx("%s within %s",
		    o->value[OPTION_ANY] != NULL ? "none has ended" : "not all have ended",
		    o->value[OPTION_TIMEOUT]);
		return EXIT_OWN;
	}
	r = client_fail(&w->stream);
	return r == EX_NOINPUT || r == EX_USAGE ? r : EXIT_OWN;
}

int
cmd_wait(const struct options *o)
{
	struct wait w = {.stream = {.fd = -1}, .side = {.fd = -1}};
	json_t *parameters;
	int64_t timeout_ms;
	int code = check(o);

	if (code == 0)
		code = options_duration_ms(o, OPTION_TIMEOUT, &timeout_ms);
	if (code != 0)
		return code;
	parameters = make_parameters(o, timeout_ms);
	code = wait_all(&w, o, parameters);
	json_decref(parameters);
	acknowledge(&w);
	client_close(&w.stream);
	client_close(&w.side);
	free(w.seen);
	free(w.left);
	return code;
}
