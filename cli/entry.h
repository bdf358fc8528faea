/*
 * entry: a line of a batch as a call of Enqueue. Run by `enqueue --batch`.
 */
#ifndef CLI_ENTRY_H
#define CLI_ENTRY_H

#include "cli/options.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What all lines have in common. */
struct entries {
	struct options base;    /* what each line begins with; its words are the command line's */
	struct command command; /* what reads a line */
	const char *token;      /* of the batch, or NULL */
};

/* For the options of a command line, which must outlive it. */
void entries_init(struct entries *e, const struct options *o);

/*
 * The call that line `number` asks for: *ret_parameters and the descriptor to go with them, both the
 * caller's. In a batch with a token each line has its own, made of that, its number and its bytes. 0,
 * or an exit code after telling what is wrong with it.
 */
int entry_read(const struct entries *e, int64_t number, const char *text, size_t len,
    json_t **ret_parameters, int *ret_fd);

#endif
