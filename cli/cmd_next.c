/*
 * spawnd next: takes one record of a parent, the oldest that nobody has taken. It is acknowledged
 * after it has left; where there is none and none will come, nothing is printed.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/inside.h"
#include "cli/options.h"
#include "cli/show.h"

#include <err.h>
#include <errno.h>
#include <sysexits.h>

static int
take_record(struct client *c, json_t *reply)
{
	json_t *record = json_object_get(reply, "record");
	json_int_t seq = json_integer_value(json_object_get(record, "seq"));
	int code;

	if (!json_is_object(record))
		return EX_NOINPUT;
	show_json(record);
	code = show_flush(EX_OK);
	if (code == EX_OK)
		client_acknowledge(c, &seq, 1);
	return code;
}

int
cmd_next(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *parent = options_parent(o);
	json_t *parameters, *reply;
	int64_t timeout_ms;
	int code = options_duration_ms(o, OPTION_TIMEOUT, &timeout_ms);

	if (code != 0)
		return code;
	if (parent == NULL) {
		warnx("whose? say --parent X");
		return EX_USAGE;
	}
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	c.may_start = false;
	c.is_waiting = true;
	parameters = json_pack("{s:s, s:o*}", "parent", parent, "by_job", inside_job());
	if (timeout_ms >= 0)
		json_object_set_new(parameters, "timeout_ms", json_integer(timeout_ms));
	if (client_call(&c, "Next", parameters, &reply) < 0) {
		if (!client_is_error(&c, "TimedOut"))
			return client_fail(&c);
		warnx("no record within %s", o->value[OPTION_TIMEOUT]);
		return EX_TEMPFAIL;
	}
	code = take_record(&c, reply);
	json_decref(reply);
	return code;
}
