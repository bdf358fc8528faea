/*
 * pair: times commands in turn, A B C A B C ..., so that what slows the machine down slows all of them;
 * summary.awk makes ratios round by round out of it. Linked with nothing but libc.
 *
 *	pair ROW UNIT ROUNDS : NAME REPEAT ITEMS [VARIABLE=VALUE...] COMMAND [ARGUMENT...] : NAME ...
 *
 * In each round each command is run REPEAT times, one after the other, and deals with ITEMS items each time.
 * UNIT is `ms`, what an item took, or `/s`, how many there were in a second. A round 0 is run first and not
 * told. One line a sample: ROW NAME ROUND VALUE UNIT LOAD, by tabs. Standard output of the commands is
 * thrown away; one that fails ends the run.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 8

struct command {
	const char *name;
	int repeat, items;
	char **variables; /* as many as there are before argv */
	char **argv;      /* NULL at its end */
};

static posix_spawn_file_actions_t actions;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
run(const struct command *c)
{
	int status, rc;
	pid_t pid;

	rc = posix_spawnp(&pid, c->argv[0], &actions, NULL, c->argv, environ);
	if (rc != 0)
		errx(1, "%s: %s", c->argv[0], strerror(rc));
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "%s: %s failed, status %#x", c->name, c->argv[0], status);
}

static double
measure(const struct command *c, const char *unit)
{
	double took;

	for (char **v = c->variables; v < c->argv; v++)
		putenv(*v);
	took = now();
	for (int i = 0; i < c->repeat; i++)
		run(c);
	took = (now() - took) / ((double)c->repeat * c->items);
	return strcmp(unit, "ms") == 0 ? took * 1e3 : 1 / took;
}

/* The words up to the next `:`, in whose place comes NULL. Returns what is behind it. */
static char **
parse(struct command *c, char **word)
{
	char **end = word;

	while (*end != NULL && strcmp(*end, ":") != 0)
		end++;
	if (end - word < 4)
		errx(64, "a command needs NAME REPEAT ITEMS COMMAND");
	*c = (struct command){.name = word[0], .repeat = atoi(word[1]), .items = atoi(word[2])};
	c->variables = word + 3;
	for (c->argv = c->variables; c->argv < end && strchr(*c->argv, '=') != NULL;)
		c->argv++;
	if (c->argv == end || c->repeat < 1 || c->items < 1)
		errx(64, "%s: no command, or nothing to be done", c->name);
	if (*end == NULL)
		return end;
	*end = NULL;
	return end + 1;
}

int
main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	int count = 0, rounds = argc > 5 ? atoi(argv[3]) : 0;
	double load = 0;

	if (rounds < 1 || strcmp(argv[4], ":") != 0)
		errx(64, "usage: pair ROW UNIT ROUNDS : NAME REPEAT ITEMS COMMAND... [: ...]");
	for (char **word = argv + 5; *word != NULL && count < MAX_COMMANDS;)
		word = parse(&commands[count++], word);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	setlinebuf(stdout);
	for (int round = 0; round <= rounds; round++) {
		for (int i = 0; i < count; i++) {
			double value = measure(&commands[i], argv[2]);

			getloadavg(&load, 1);
			if (round > 0) {
				printf("%s\t%s\t%d\t%.4f\t%s\t%.2f\n", argv[1], commands[i].name,
				    round, value, argv[2], load);
			}
		}
	}
	return 0;
}
