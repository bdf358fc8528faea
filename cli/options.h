/*
 * options: what a command of spawnd is, one table of all options of all commands, and what was
 * given of them. Usage and getopt_long(3) are driven by it; the limits of a job come from
 * config_limit() of config/config.h.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "config/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct options;

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

/* No limit to the number of operands. */
#define COMMAND_ANY (-1)

struct command {
	const char *name;
	uint32_t bit;         /* COMMAND_... */
	const char *operands; /* as usage shows them */
	int operands_min;
	int operands_max;    /* or COMMAND_ANY */
	const char *summary; /* one line; NULL: not for people, not shown */
	/*
	 * Does it; the options are checked. Returns the exit code, after telling what went wrong.
	 */
	int (*run)(const struct options *o);
};

enum option_id {
	OPTION_PARENT,
	OPTION_CHILD,
	OPTION_IF_EXISTS,
	OPTION_NO_WAIT,
	OPTION_MODEL,
	OPTION_META,
	OPTION_ENV,
	OPTION_CLEAN_ENV,
	OPTION_STDIN,
	OPTION_TIMEOUT,
	OPTION_AT,
	OPTION_FORMAT,
	OPTION_SINCE,
	OPTION_WITH_RESULTS,
	OPTION_TREE,
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

/* The values of an option that may be given more than once, in their order. */
struct option_words {
	const char **items;
	size_t count;
};

struct options {
	const struct command *command;
	const char
	    *value[OPTION_COUNT]; /* the last that was given, "" for a switch; NULL: not given */
	struct option_words meta; /* each checked to be K=V */
	struct option_words env;
	const char *limit[CONFIG_LIMITS_MAX]; /* as config_limit() counts them; checked */
	char **operands;                      /* NULL-terminated */
	int operand_count;
};

/*
 * Reads argv (argv[0] is the command's name) into *ret_o, whose strings stay argv's. Ids, K=V
 * words and limits are checked, and the number of operands. Options of enqueue and run end at the
 * first operand; those of other commands may follow operands. 0, or -EINVAL/-ENOMEM after telling
 * what is wrong. After 0 the caller must options_fini().
 */
int options_parse(struct options *ret_o, const struct command *command, int argc, char **argv);
void options_fini(struct options *o);

/* Writes the usage of a command with its options. */
void options_usage(const struct command *command, FILE *out);

/* --parent; inside a job its own id where it is not given; or NULL. */
const char *options_parent(const struct options *o);

/* The following tell what is wrong and return EX_USAGE; else 0. */

/* A number; *ret_number stays as it is if the option was not given. */
int options_number(const struct options *o, enum option_id id, int64_t minimum, int64_t maximum,
    int64_t *ret_number);

/* A duration in milliseconds, rounded up; -1 if it was not given or is "off". */
int options_duration_ms(const struct options *o, enum option_id id, int64_t *ret_ms);

/* Whether id is valid; kind ("child") is for the message. */
int options_check_id(const char *kind, const char *id);

/* Whether the option, if given, is one of the words. */
int options_check_word(const struct options *o, enum option_id id, const char *const *words);

#endif
