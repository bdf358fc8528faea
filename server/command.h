/*
 * command: what a job will execute: what its client gave, with a runner around it and its profile's
 * variables in it. Runs in the server, at the job's enqueue: what is stored is what will be run, whatever
 * the configuration says by then.
 */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

#include "config/runner.h"
#include "server/call.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a command people are shown. */
#define COMMAND_MAX 200

/* The parameters of Enqueue that say it; borrowed. */
struct command_given {
	const json_t *argv, *env; /* or NULL */
	const char *cwd, *stdin_path;
	int64_t umask, launch;   /* launch: the index of a descriptor, or -1 */
	const json_t *env_given; /* names of variables in launch that are the job's own, or NULL */
};

struct command {
	void *given; /* the launch block as it came */
	size_t given_len;
	void *block; /* as it will be executed */
	size_t block_len;
	char text[COMMAND_MAX + 1]; /* for people: one line of printable UTF-8 */
	/* What it is made with, again for each number; borrowed. */
	const struct command_given *from;
	const struct sections *sections;
	const struct section *profile, *runner; /* or NULL */
	struct runner_job job;
};

/*
 * Takes what g says, finds its runner and makes its block; g, sections, profile (NULL: none) and what j
 * points to must outlive c, and j->argv does not matter. Answers the call itself where there is a fault, and
 * returns false. In any case the caller must command_fini().
 */
bool command_make(struct call *call, struct command *c, const struct command_given *g,
    const struct sections *sections, const struct section *profile, const struct runner_job *j);

/* Whether the block names the job's number: it must be made again when that is known. */
bool command_names_job(const struct command *c);

/* Makes the block again, for this number. 0 or -ENOMEM. */
int command_number(struct command *c, int64_t job);

void command_fini(struct command *c);

#endif
