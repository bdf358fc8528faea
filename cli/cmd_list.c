/*
 * spawnd list: jobs, oldest first.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/quote.h"
#include "base/status.h"

#include <bsd/string.h>
#include <err.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

struct list {
	bool is_json;
	bool is_paused; /* only what is paused */
	struct show_table table;
	json_int_t last; /* the number of the last job shown: a call that is repeated begins anew */
};

/* A client_reply_cb. */
static int
take_reply(void *arg, json_t *reply)
{
	struct list *list = arg;
	json_t *job = json_object_get(reply, "job");
	json_int_t number = json_integer_value(json_object_get(job, "job"));

	if (!json_is_object(job) || number <= list->last)
		return 0;
	list->last = number;
	if (list->is_paused && !show_is_paused(job))
		return 0;
	if (list->is_json)
		show_json(job);
	else
		show_job(&list->table, job);
	return 0;
}

static int
check_status(const char *status)
{
	char names[256] = "";

	if (status == NULL || status_parse(status) >= 0)
		return 0;
	for (int i = 0; i < STATUS_COUNT; i++) {
		if (i != STATUS_STARTING) {
			strlcat(names, status_name((enum status)i), sizeof(names));
			strlcat(names, ", ", sizeof(names));
		}
	}
	warnx("--status '%s': no such status; one of these is wanted: %spaused", QUOTE(status),
	    names);
	return EX_USAGE;
}

int
cmd_list(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	struct list list = {.is_json = o->value[OPTION_JSON] != NULL};
	const char *status = o->value[OPTION_STATUS];
	json_t *parameters;
	int code;

	/* No status of its own: what is paused runs. */
	list.is_paused = status != NULL && strcmp(status, "paused") == 0;
	if (list.is_paused)
		status = status_name(STATUS_RUNNING);
	code = check_status(status);
	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	parameters = json_pack("{s:s*, s:s*}", "parent", o->value[OPTION_PARENT], "status", status);
	if (parameters == NULL)
		errx(EX_OSERR, "out of memory");
	code =
	    client_stream(&c, "List", parameters, take_reply, &list) < 0 ? client_fail(&c) : EX_OK;
	json_decref(parameters);
	show_rest(&list.table);
	return show_flush(code);
}
