/*
 * targets: see targets.h. Must leave it to the daemon who these children are.
 */
#include "cli/targets.h"

#include "cli/client.h"
#include "cli/show.h"

#include <err.h>
#include <stdio.h>
#include <sysexits.h>

static int
check(const struct options *o)
{
	for (int i = 0; i < o->operand_count; i++) {
		if (options_check_id("child", o->operands[i]) != 0)
			return EX_USAGE;
	}
	if ((o->operand_count > 0) != (o->value[OPTION_PARENT] != NULL))
		return 0;
	warnx("whom? either name children, or say --parent X");
	return EX_USAGE;
}

int
targets_call(const struct options *o, const char *method, const char *counted)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	json_t *children = NULL, *reply;
	int code = check(o);

	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	if (o->operand_count > 0)
		children = json_array();
	for (int i = 0; i < o->operand_count; i++)
		json_array_append_new(children, json_string(o->operands[i]));
	if (client_call(&c, method,
		json_pack("{s:o*, s:s*}", "children", children, "parent", o->value[OPTION_PARENT]),
		&reply) < 0)
		return client_fail(&c);
	printf("%lld\n", (long long)json_integer_value(json_object_get(reply, counted)));
	json_decref(reply);
	return show_flush(EX_OK);
}
