/*
 * spawnd results: prints records, acknowledged or not, one a line.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include <err.h>
#include <stdint.h>
#include <sysexits.h>

/*
 * A client_reply_cb; arg is the call's parameters, so that a call that is repeated goes on behind
 * this record.
 */
static int
take_reply(void *arg, json_t *reply)
{
	json_t *record = json_object_get(reply, "record");

	if (!json_is_object(record))
		return 0;
	show_json(record);
	json_object_set(arg, "since", json_object_get(record, "seq"));
	return 0;
}

int
cmd_results(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	json_t *parameters;
	int64_t since = 0;
	int code = options_number(o, OPTION_SINCE, 0, INT64_MAX, &since);

	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	parameters =
	    json_pack("{s:s*, s:I}", "parent", options_parent(o), "since", (json_int_t)since);
	if (parameters == NULL)
		errx(EX_OSERR, "out of memory");
	code = client_stream(&c, "Results", parameters, take_reply, parameters) < 0
	    ? client_fail(&c)
	    : EX_OK;
	json_decref(parameters);
	return show_flush(code);
}
