/*
 * targets: what cancel, pause and unpause have in common: whom they are for. Run by these commands.
 */
#ifndef CLI_TARGETS_H
#define CLI_TARGETS_H

#include "cli/options.h"

/*
 * Calls the method for the children that are operands, or for those of --parent, and prints its
 * answer, the number `counted`. Returns the exit code, after telling what went wrong.
 */
int targets_call(const struct options *o, const char *method, const char *counted);

#endif
