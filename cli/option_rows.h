/*
 * option_rows: one table of all options of all commands. Usage and getopt_long(3) are driven by it.
 * Run by every command.
 */
#ifndef CLI_OPTION_ROWS_H
#define CLI_OPTION_ROWS_H

#include <stdint.h>

/* What the option table knows a command by. */
#define COMMAND_DAEMON (1u << 0)
#define COMMAND_SERVER (1u << 1)
#define COMMAND_ENQUEUE (1u << 2)
#define COMMAND_RUN (1u << 3)
#define COMMAND_WAIT (1u << 4)
#define COMMAND_NEXT (1u << 5)
#define COMMAND_FIFO (1u << 6)
#define COMMAND_RESULTS (1u << 7)
#define COMMAND_STATUS (1u << 8)
#define COMMAND_LIST (1u << 9)
#define COMMAND_LOGS (1u << 10)
#define COMMAND_CANCEL (1u << 11)
#define COMMAND_BEAT (1u << 12)
#define COMMAND_STOP (1u << 13)
#define COMMAND_RELOAD (1u << 14)
#define COMMAND_CONFIG (1u << 15)
#define COMMAND_VERSION (1u << 16)
#define COMMAND_HELP (1u << 17)
#define COMMAND_PAUSE (1u << 18)
#define COMMAND_UNPAUSE (1u << 19)
#define COMMAND_EVENTS (1u << 20)
#define COMMAND_SUSPEND (1u << 21)
#define COMMAND_TREE (1u << 25)
#define COMMAND_ASK (1u << 28)
#define COMMAND_APPROVALS (1u << 29)
#define COMMAND_ANSWER (1u << 30)

/* Not a command: a line of `enqueue --batch`, whose fields are the options of one job. */
#define COMMAND_LINE (1u << 31)

/* Those that queue jobs: they have the limits of a job as options, too. */
#define COMMANDS_OF_JOBS (COMMAND_ENQUEUE | COMMAND_RUN | COMMAND_LINE)

enum option_id {
	OPTION_PARENT,
	OPTION_CHILD,
	OPTION_BATCH,
	OPTION_FROM_LINE,
	OPTION_TOKEN,
	OPTION_IF_EXISTS,
	OPTION_NO_WAIT,
	OPTION_PROFILE,
	OPTION_AFTER,
	OPTION_AFTER_OK,
	OPTION_AFTER_POLICY,
	OPTION_MODEL,
	OPTION_PRIORITY,
	OPTION_POOL,
	OPTION_DELAY,
	OPTION_AT_TIME,
	OPTION_RETRIES,
	OPTION_RETRY_DELAY,
	OPTION_RETRY_ON,
	OPTION_META,
	OPTION_ENV,
	OPTION_CLEAN_ENV,
	OPTION_STDIN,
	OPTION_ALL,
	OPTION_ANY,
	OPTION_FIRST_ERROR,
	OPTION_TIMEOUT,
	OPTION_AT,
	OPTION_FORMAT,
	OPTION_SINCE,
	OPTION_WITH_RESULTS,
	OPTION_TREE,
	OPTION_APPROVALS,
	OPTION_STATUS,
	OPTION_FOLLOW,
	OPTION_LINES,
	OPTION_TOOL,
	OPTION_PHASE,
	OPTION_ROUND,
	OPTION_PROGRESS,
	OPTION_EXTEND,
	OPTION_NOW,
	OPTION_DETACH,
	OPTION_IF_NEEDED,
	OPTION_READY_FD,
	OPTION_RESUME,
	OPTION_MANAGED,
	OPTION_EXEC,
	OPTION_NO_AUTOSTART,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_COUNT
};

struct option_row {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* NULL: a switch */
	uint32_t commands;
	const char *help; /* NULL: not for people, not shown */
};

/* The row of an option. */
const struct option_row *option_row(enum option_id id);

/* The name of the option that gives this parameter of a call, or NULL: they differ by '-' for '_', and "path". */
const char *option_named(const char *field);

/* What it says of itself to the commands of these bits. */
const char *option_help(enum option_id id, uint32_t commands);

#endif
