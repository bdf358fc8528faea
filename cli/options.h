/*
 * options: what a command of spawnd is, and what was given of its options, which option_rows.h has.
 * The limits of a job come from config_limit() of config/config.h.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/option_rows.h"
#include "config/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct options;

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

/*
 * The same over what was given before: what argv does not say is as base has it, and K=V words are
 * added to its own.
 */
int options_parse_over(struct options *ret_o, const struct options *base,
    const struct command *command, int argc, char **argv);
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
