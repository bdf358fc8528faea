/*
 * batch: many jobs from a file of lines, each an object of JSON, over one connection.
 *
 * Calls go out before their answers have come, up to a window; the daemon answers in order, and once it has
 * refused one it refuses what is behind it (`chained`), so that what is stored is always the
 * beginning of the batch. Memory is bounded whatever the length: a line, and the window. When the connection is
 * lost, the window is sent again: its tokens keep jobs from being stored twice.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "cli/client.h"
#include "cli/options.h"

/* Whether the options go together with --batch, or without it. 0, or EX_USAGE after telling why not. */
int batch_check(const struct options *o);

/*
 * Queues the jobs of the file that --batch names, by the connection c; the other options are as if each line
 * began with them. Prints a job's number, or with --json the answer, for each. Returns the exit code,
 * after telling how far it came. Ends the process where a signal ended it.
 */
int batch_enqueue(struct client *c, const struct options *o);

#endif
