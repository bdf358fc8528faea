/*
 * spawnd suspend: inside a job: has it run again when its children have ended. The daemon stores that, and then
 * ends the job's processes, this one among them: a script never goes on behind it. Must not end by itself
 * once the wait is stored.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/inside.h"
#include "cli/options.h"

#include <err.h>
#include <sysexits.h>
#include <unistd.h>

/* The policy that was asked for. NULL after telling that there were two. */
static const char *
read_policy(const struct options *o)
{
	static const struct {
		enum option_id id;
		const char *word;
	} policies[] = {{OPTION_ALL, "all"}, {OPTION_ANY, "any"},
	    {OPTION_FIRST_ERROR, "first_error"}};
	const char *word = NULL;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (o->value[policies[i].id] == NULL)
			continue;
		if (word != NULL) {
			warnx("only one of --all, --any and --first-error can be meant");
			return NULL;
		}
		word = policies[i].word;
	}
	return word != NULL ? word : "all";
}

int
cmd_suspend(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *policy = read_policy(o);
	json_t *job;

	if (policy == NULL)
		return EX_USAGE;
	job = inside_job();
	if (job == NULL) {
		warnx("not inside a job: SPAWND_JOB names none");
		return EX_USAGE;
	}
	if (client_open(&c, false) < 0 ||
	    client_call(&c, "Suspend", json_pack("{s:o, s:s}", "job", job, "policy", policy),
		NULL) < 0)
		return client_fail(&c);
	for (;;)
		pause();
}
