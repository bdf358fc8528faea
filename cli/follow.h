/*
 * follow: a job's output to standard output while its record is waited for: one poll(2) over the
 * daemon, the output file, signals, and standard output.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/client.h"
#include "cli/tail.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct follow {
	struct client *client; /* connected; its calls are follow's until it returns */
	int64_t job;
	bool is_peeking;   /* leaves the record to others */
	bool ends_unread;  /* fails with EPIPE as soon as nobody reads standard output any more */
	struct tail *tail; /* NULL: no output */
	int signal_fd;     /* signalfd(2), or -1 */
	/*
	 * Called for each signal that came; what it returns, if not 0, ends follow. NULL if
	 * signal_fd is -1.
	 */
	int (*signalled)(void *arg, int signo);
	/*
	 * Called once, if the output cannot be passed on while the record is waited for, for the reason
	 * error; what it returns, if not 0, ends follow.
	 */
	int (*failed)(void *arg, int error);
	void *arg;
	/* errno of standard output or of the file, or 0. After one there is no more output. */
	int out_error;
};

/*
 * Returns 0 with *ret_record, the caller's, after all output was passed on; what signalled() or
 * failed() returned; or -errno of the call, for client_fail(). Standard output is never waited for in a
 * way that a signal cannot end.
 */
int follow_job(struct follow *f, json_t **ret_record);

/* The rest of the output alone. 0, or what signalled() returned. */
int follow_rest(struct follow *f);

#endif
