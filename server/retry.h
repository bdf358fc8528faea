/*
 * retry: a job that has ended otherwise than it should, and is to be run again: same number, same record to
 * come, a new run. Runs in the server.
 */
#ifndef SERVER_RETRY_H
#define SERVER_RETRY_H

#include "server/state.h"

/* Longest wait between two runs, unless the first one was longer. */
#define RETRY_LONGEST_NS (3600 * NSEC_PER_SEC)

/* How a run of a job ended. */
struct retry_cause {
	enum status status;
	const char *error;  /* for people, or NULL */
	int64_t started_ms; /* 0: it was not executed, or that is not known */
	uint32_t cause;     /* enum wire_cause, as far as it is known */
	bool has_survivors; /* something of it lives on */
};

/*
 * Whether it is run again: it has retries left and one was wished for after such an end; nobody has asked
 * for its end, nothing of it lives on, and its output has not come to its limit.
 */
bool retry_is_due(const struct queue_job *j, const struct store_order *order,
    const struct retry_cause *cause);

/* How long the run after `retried` retries is waited for: doubling. Pure. */
uint64_t retry_wait_ns(const struct store_order *order);

/* Stores that, and queues the job for its next run, on hold until its time. 0, or -errno with the turn failed. */
int retry_begin(struct server *s, struct queue_job *j, const struct store_job *job,
    const struct retry_cause *cause);

#endif
