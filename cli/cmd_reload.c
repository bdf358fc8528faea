/*
 * spawnd reload: has the daemon read its configuration again. Starts none.
 */
#include "cli/client.h"
#include "cli/cmd.h"

#include <stdio.h>
#include <sysexits.h>

int
cmd_reload(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *reason;

	(void)o;
	if (client_open(&c, false) < 0)
		return client_fail(&c);
	if (client_call(&c, "Reload", json_object(), NULL) == 0)
		return EX_OK;
	reason = json_string_value(json_object_get(c.error_parameters, "reason"));
	if (!client_is_error(&c, "InvalidArgument") || reason == NULL)
		return client_fail(&c);
	/* One line for each fault, and each names the file: nothing to add. */
	fprintf(stderr, "%s\n", reason);
	return EX_CONFIG;
}
