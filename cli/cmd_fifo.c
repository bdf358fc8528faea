/*
 * spawnd fifo: makes a parent's FIFO, if need be, and prints its path.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/quote.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The path of --at, absolute. 0 or an exit code, after telling. */
static int
find_path(const char *at, char path[PATH_MAX])
{
	char directory[PATH_MAX] = "";
	int r;

	if (at[0] == '\0') {
		warnx("--at is empty; give the path at which the FIFO is to be");
		return EX_USAGE;
	}
	if (at[0] != '/' && getcwd(directory, sizeof(directory)) == NULL) {
		warn("the current directory");
		return EX_NOINPUT;
	}
	r = path_join(directory, at[0] == '/' ? at + 1 : at, path);
	if (r == 0)
		return 0;
	warnx("--at '%s': %s", QUOTE(at), strerror(-r));
	return EX_USAGE;
}

int
cmd_fifo(const struct options *o)
{
	static const char *const formats[] = {"json", "tsv", NULL};
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *at = o->value[OPTION_AT];
	char path[PATH_MAX];
	json_t *reply;
	int code = options_check_id("parent", o->operands[0]);

	if (code == 0)
		code = options_check_word(o, OPTION_FORMAT, formats);
	if (code == 0 && at != NULL)
		code = find_path(at, path);
	if (code != 0)
		return code;
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(&c);
	if (client_call(&c, "Fifo",
		json_pack("{s:s, s:s*, s:s*}", "parent", o->operands[0], "path",
		    at != NULL ? path : NULL, "format", o->value[OPTION_FORMAT]),
		&reply) < 0)
		return client_fail(&c);
	puts(json_string_value(json_object_get(reply, "path")));
	json_decref(reply);
	return show_flush(EX_OK);
}
