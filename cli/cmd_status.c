/*
 * spawnd status: a child's latest job, or the daemon. Without a child no daemon is started: that
 * there is none is the answer.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include <stdlib.h>
#include <sysexits.h>

int
cmd_status(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *child = o->operands[0];
	json_t *reply, *shown;
	int r;

	if (child != NULL && options_check_id("child", child) != 0)
		return EX_USAGE;
	if (client_open(&c, child != NULL && o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	c.takes_nobody = child == NULL;
	if (child != NULL)
		r = client_call(&c, "Status", json_pack("{s:s}", "child", child), &reply);
	else
		r = client_call(&c, "Info", json_object(), &reply);
	if (r < 0)
		return client_fail(&c);
	shown = child != NULL ? json_object_get(reply, "job") : reply;
	if (o->value[OPTION_JSON] != NULL)
		show_json(shown);
	else
		show_object(shown);
	json_decref(reply);
	return show_flush(EX_OK);
}
