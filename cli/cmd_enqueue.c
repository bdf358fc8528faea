/*
 * spawnd enqueue: stores one job, or with --batch many, and prints the number of each. Must not wait
 * for anything but the disk, and room in the queue.
 */
#include "cli/batch.h"
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/request.h"
#include "cli/show.h"

#include <stdio.h>
#include <sysexits.h>

int
cmd_enqueue(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	json_t *reply;
	int code = request_check(o);

	if (code == 0)
		code = batch_check(o);
	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	if (o->value[OPTION_BATCH] != NULL)
		return batch_enqueue(&c, o);
	code = request_enqueue(&c, o, &reply);
	if (code != 0)
		return code;
	if (o->value[OPTION_JSON] != NULL)
		show_json(reply);
	else
		printf("%lld\n", (long long)json_integer_value(json_object_get(reply, "job")));
	json_decref(reply);
	return show_flush(EX_OK);
}
