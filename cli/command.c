/*
 * command: from main() into a command: standard descriptors, the name for messages, options,
 * help.
 *
 * Run by every process of spawnd, before anything else. Must not open anything that a command
 * does not ask for: what is done here, each call of the client pays for.
 */
#include "cli/command.h"

#include "base/quote.h"
#include "cli/show.h"

#include <bsd/stdlib.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Beside the table, since it shows the table. */
static const struct command help_command = {"help", COMMAND_HELP, "[COMMAND]", 0, 1,
    "this list, or the usage of a command", NULL};

static const struct command *
command_find(const struct command *commands, const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void
command_usage_all(const struct command *commands, FILE *out)
{
	fputs(
	    "usage: spawnd COMMAND [OPTION...] [OPERAND...]\n\n"
	    "Runs child jobs on behalf of parents, watches them, delivers one record for each.\n\n",
	    out);
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (c->summary != NULL)
			fprintf(out, "  %-9s %s\n", c->name, c->summary);
	}
	fprintf(out, "  %-9s %s\n\n", help_command.name, help_command.summary);
	fputs("'spawnd COMMAND --help' shows the options of a command; see also spawnd(1).\n", out);
}

static int
command_help(const struct command *commands, const char *name)
{
	const struct command *c = &help_command;

	if (name != NULL && strcmp(name, help_command.name) != 0)
		c = command_find(commands, name);
	if (c == NULL) {
		warnx("there is no command '%s'; 'spawnd help' lists them", QUOTE(name));
		return EX_USAGE;
	}
	if (name == NULL)
		command_usage_all(commands, stdout);
	else
		options_usage(c, stdout);
	return show_flush(EX_OK);
}

/* A socket or file of ours must never get the number of a standard stream that was closed. */
static void
command_open_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EX_OSERR);
	}
}

/* The command that a word on the command line means, or NULL after saying that there is none. */
static const struct command *
command_named(const struct command *commands, const char *word)
{
	const struct command *c;

	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return &help_command;
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		word = "version";
	c = command_find(commands, word);
	if (c == NULL)
		warnx("there is no command '%s'; 'spawnd help' lists them", QUOTE(word));
	return c;
}

static int
command_run(const struct command *commands, const struct options *o)
{
	const struct command *c = o->command;

	if (o->value[OPTION_HELP] != NULL) {
		options_usage(c, stdout);
		return show_flush(EX_OK);
	}
	return c == &help_command ? command_help(commands, o->operands[0]) : c->run(o);
}

int
command_main(const struct command *commands, int argc, char **argv)
{
	const struct command *c;
	struct options o;
	char title[32];
	int code;

	command_open_standard();
	setprogname("spawnd");
	if (argc < 2) {
		command_usage_all(commands, stderr);
		return EX_USAGE;
	}
	c = command_named(commands, argv[1]);
	if (c == NULL)
		return EX_USAGE;
	snprintf(title, sizeof(title), "spawnd %s", c->name);
	setprogname(title);
	if (options_parse(&o, c, argc - 1, argv + 1) < 0)
		return EX_USAGE;
	code = command_run(commands, &o);
	options_fini(&o);
	setprogname("spawnd"); /* title ends with this function */
	return code;
}
