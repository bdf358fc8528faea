/*
 * record: what is said of a job that has ended: one line of JSON, at most PIPE_BUF bytes with its
 * newline; and the same as tab-separated words. Pure. Runs in the server.
 */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include "store/store.h"
#include "wire/wire.h"

#include <jansson.h>

/* The line with its newline fits into this (pipe(7): such a write is never torn). */
#define RECORD_MAX 4096

/* All that a record is made of. What is not known is said to be null, never guessed. */
struct record {
	const struct store_job *job; /* as it was before it ended */
	int64_t seq;
	enum status status;
	const char *error;              /* for people, or NULL */
	const char *stage;              /* of the start, where that failed, else NULL */
	int start_error;                /* errno of that stage */
	const struct wire_ended *ended; /* NULL: the supervisor knows nothing of it */
	int64_t ended_ms;
	const char *output;
	const char *result;
	int64_t output_bytes;
	int64_t output_freed; /* of these, from the beginning; 0: nothing */
	int64_t result_bytes;
};

/*
 * The record as a line without newline; error and last event are cut until it fits. The caller
 * frees it. NULL: ENOMEM.
 */
char *record_make(const struct record *r);

/*
 * The same, read from a record's line, as in spawnd(1): seq status child job exit_code signal
 * elapsed_ms error. NULL: ENOMEM.
 */
char *record_to_tsv(const char *line);

/*
 * What the last line on the heartbeat pipe said, as a JSON object; a line that is a JSON object
 * is taken by its known names. NULL: nothing, or ENOMEM.
 */
json_t *record_last_event(const struct wire_line *line);

/*
 * How the supervisor's account of a job that was executed reads: its status, and in error (size
 * bytes) why; empty if it completed.
 */
enum status record_judge(const struct store_job *job, const struct wire_ended *ended, char *error,
    size_t size);

/*
 * Which limits the error of WIRE_STAGE_LIMITS may be about, as " (nice -5)": the nice value where it
 * is the only one that gives such an error, else all that the job has of those that are set at its
 * start.
 */
void record_blame_limits(const struct limits *limits, int error, char *text, size_t size);

#endif
