/*
 * request: the options and operands of `enqueue` and `run` as an Enqueue call.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/client.h"
#include "cli/options.h"

#include <jansson.h>

/*
 * Asks the daemon to queue the job that o describes: its command, environment, directory and
 * umask go as sealed memory, byte for byte. 0 with *ret_reply, the caller's, its warnings told;
 * else the exit code, after telling why.
 */
int request_enqueue(struct client *c, const struct options *o, json_t **ret_reply);

/*
 * Whether the options make sense. 0, or EX_USAGE after telling why not. To be called before
 * connecting.
 */
int request_check(const struct options *o);

/*
 * The halves of request_enqueue(), for a caller that has more than one call under way. What is to be
 * sent: the parameters of Enqueue and a descriptor to go with them, the caller's. 0, or the exit code after
 * telling why not.
 */
int request_make(const struct options *o, json_t **ret_parameters, int *ret_fd);

/* Tells the warnings of the reply. */
void request_warn(const json_t *reply);

#endif
