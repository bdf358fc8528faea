/*
 * await: what a call waits for, and whether it has come: the records of jobs, or of a parent. Runs in the
 * server. A record handed out is held for the client until it says that it has it, or goes away.
 */
#ifndef SERVER_AWAIT_H
#define SERVER_AWAIT_H

#include "server/call.h"

#include <stdbool.h>
#include <stdint.h>

/* When the wait is over. */
enum await_policy {
	AWAIT_ALL,
	AWAIT_ANY,         /* with the first record */
	AWAIT_FIRST_ERROR, /* with the first record that is not completed, or with the last */
	AWAIT_COUNT
};

/* A call's state: the first member of what own points to. */
struct await {
	const char *parent; /* or NULL: jobs */
	bool is_peek;       /* nothing is held */
	enum await_policy policy;
	struct numbers jobs; /* whose records are still to come; unused with a parent */
	size_t looked_jobs;  /* so many of these, from the first, have completed: await_is_met() */
	int64_t looked_seq;  /* up to here all records of the parent that are pending have */
	int64_t after;       /* up to here all records of the parent were sent */
	json_t *record;      /* found, not yet sent: it may be the last one */
	bool is_over;        /* by the policy, it is */
};

/* NULL if there is none of that name. */
const char *await_policy_name(enum await_policy policy);
int await_policy_parse(const char *name); /* or -1 */

void await_fini(struct await *w);

/* Whether the wait would be over now; sends nothing. 1, 0 or -errno. */
int await_is_met(struct call *call);

/*
 * Sends what has come, but for the last record found, which is in w->record then. 1 if the wait is over with
 * that; 0 if there is more to wait for, or to be sent when the client has taken this; or -errno.
 */
int await_find(struct call *call);

/*
 * Whether the daemon ends before what is waited for can happen: nothing of it runs, and nothing
 * will be started.
 */
bool await_is_hopeless(const struct call *call);

#endif
