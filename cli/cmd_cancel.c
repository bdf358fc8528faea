/*
 * spawnd cancel: ends jobs and everything below them, and prints how many there were.
 */
#include "cli/cmd.h"
#include "cli/targets.h"

int
cmd_cancel(const struct options *o)
{
	return targets_call(o, "Cancel", "cancelled");
}
