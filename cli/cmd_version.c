/*
 * spawnd version
 */
#include "cli/cmd.h"
#include "cli/show.h"

#include <stdio.h>
#include <sysexits.h>

int
cmd_version(const struct options *o)
{
	(void)o;
	puts("spawnd " SPAWND_VERSION);
	return show_flush(EX_OK);
}
