/*
 * event: the lines of the feed, spawnd-events(5), and the reply of Events that holds one. Pure. Runs in
 * the server. A line is one JSON object without newline; the caller frees it; NULL: ENOMEM.
 */
#ifndef SERVER_EVENT_H
#define SERVER_EVENT_H

#include "server/kept.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is stored: seq, event, at, job, parent, child, and the body; of completed the record, and at. */
char *event_of_row(const struct store_event *e);

/* A line from a job's heartbeat pipe; is_kept: it was told before, to those who listened then. */
char *event_progress(const struct kept_job *job, const struct kept_line *line, bool is_kept);

/* A job has been silent for half of its max_idle, or (is_idle false) is so no more. */
char *event_idle(const struct kept_job *job, int64_t at_ms, bool is_idle, int64_t idle_ms);

/* What came before from_seq is not kept. */
char *event_reset(int64_t from_seq);

/*
 * One of several replies of Events: a line, and the number that the caller says as since to go on behind
 * it. *ret_len counts its NUL.
 */
char *event_reply(const char *line, int64_t seq, size_t *ret_len);

#endif
