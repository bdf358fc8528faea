/*
 * spawnd tree: families of jobs, each job below the one that it is below.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include <err.h>
#include <stdio.h>
#include <sysexits.h>

/* A client_reply_cb; arg is an object of replies by number, for a call that is repeated begins anew. */
static int
take_reply(void *arg, json_t *reply)
{
	json_t *jobs = arg, *job = json_object_get(reply, "job");
	char number[32];

	if (!json_is_object(job))
		return 0;
	snprintf(number, sizeof(number), "%lld",
	    (long long)json_integer_value(json_object_get(job, "job")));
	if (json_object_set(jobs, number, reply) < 0)
		errx(EX_OSERR, "out of memory");
	return 0;
}

static void
show_all(json_t *jobs, bool is_json)
{
	struct show_tree tree = {0};
	const char *number;
	json_t *reply;

	json_object_foreach (jobs, number, reply) {
		json_t *job = json_object_get(reply, "job");

		if (is_json) {
			json_object_set(job, "above", json_object_get(reply, "above"));
			show_json(job);
		} else {
			show_branch(&tree, job,
			    (int)json_integer_value(json_object_get(reply, "level")));
		}
	}
}

int
cmd_tree(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	json_t *parameters, *jobs;
	int code;

	if (o->operand_count > 0 && options_check_id("child", o->operands[0]) != 0)
		return EX_USAGE;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	parameters = json_pack("{s:s*}", "of", o->operands[0]);
	jobs = json_object();
	if (parameters == NULL || jobs == NULL)
		errx(EX_OSERR, "out of memory");
	code =
	    client_stream(&c, "Tree", parameters, take_reply, jobs) < 0 ? client_fail(&c) : EX_OK;
	show_all(jobs, o->value[OPTION_JSON] != NULL);
	json_decref(parameters);
	json_decref(jobs);
	return show_flush(code);
}
