/*
 * spawnd pause, spawnd unpause: stop jobs that run and their clocks, and let them go on. They print
 * how many there were.
 */
#include "cli/cmd.h"
#include "cli/targets.h"

int
cmd_pause(const struct options *o)
{
	return targets_call(o, "Pause", "paused");
}

int
cmd_unpause(const struct options *o)
{
	return targets_call(o, "Unpause", "unpaused");
}
