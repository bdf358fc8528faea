/*
 * approvals: the questions of jobs, and what became of them. Run by the server only; store.h has the
 * rules. A question is kept as long as its job.
 */
#ifndef STORE_APPROVALS_H
#define STORE_APPROVALS_H

#include "store/store.h"

/* A random number in hexadecimal, with its NUL. */
#define APPROVAL_ID_SIZE 33

/* Of the words of a question and of a reason, with the NUL. */
#define APPROVAL_TEXT_SIZE 4097

enum decision {
	DECISION_NONE, /* it is pending */
	DECISION_ALLOW,
	DECISION_DENY,
	DECISION_WITHDRAWN, /* the job has ended: there is nobody to be told */
	DECISION_COUNT
};

enum decider {
	DECIDER_NONE,
	DECIDER_USER,
	DECIDER_ANCESTOR, /* it was put to */
	DECIDER_TIMEOUT,
	DECIDER_PROFILE,
	DECIDER_END, /* of the job */
	DECIDER_COUNT
};

const char *decision_name(enum decision d); /* "allow"; of DECISION_NONE: NULL */
const char *decider_name(enum decider d);   /* "user"; of DECIDER_NONE: NULL */

struct store_approval {
	const char *id;
	int64_t job;
	const char *token; /* the asker's, one of its job's */
	const char *question;
	int64_t asked_ms;
	int64_t timeout_ms;   /* -1: none */
	uint64_t deadline_ns; /* of CLOCK_MONOTONIC, while the machine runs; UINT64_MAX: none */
	int64_t put_seq;      /* of the event by which it was put to somebody last */
	int64_t put_job;      /* 0: no job */
	const char *put_to;   /* an id; NULL: the user */
	enum decision decision;
	int64_t decided_ms;
	enum decider decider;
	const char *ancestor; /* who has decided, if that was one; else NULL */
	const char *reason;   /* or NULL */
};

typedef int store_approval_cb(void *arg, const struct store_approval *a);

/* Adds one, with its decision if it has one. */
int store_add_approval(struct store *s, const struct store_approval *a);

/* To whom it is put now: put_seq, put_job, put_to. -ENOENT if it is decided or not there. */
int store_put_approval(struct store *s, const struct store_approval *a);

/* decision, decided_ms, decider, ancestor, reason. -ENOENT if it is decided or not there. */
int store_decide_approval(struct store *s, const struct store_approval *a);

/* By id; of a job by token. -ENOENT. */
int store_read_approval(struct store *s, const char *id, store_approval_cb *cb, void *arg);
int store_find_approval(struct store *s, int64_t job, const char *token, store_approval_cb *cb,
    void *arg);

/* All that are pending, in the order in which they were asked. */
int store_each_open_approval(struct store *s, store_approval_cb *cb, void *arg);

/* How many questions the job has asked in all. */
int store_count_approvals(struct store *s, int64_t job, int64_t *ret_count);

/* The job that has not ended whose processes have this mark, or whose first process this is; 0: none. */
int store_find_marked(struct store *s, uint64_t mark, int64_t *ret_job);
int store_find_leader(struct store *s, int64_t pid, uint64_t start_time, int64_t *ret_job);

#endif
