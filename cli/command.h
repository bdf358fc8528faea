/*
 * command: the way from main() into a command.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

/*
 * Runs the command that argv[1] names, of a table ended by a NULL name, and returns the exit
 * code. "help", "--help", "-h", "--version" and "-V" are understood beside them.
 */
int command_main(const struct command *commands, int argc, char **argv);

#endif
