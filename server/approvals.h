/*
 * approvals: questions of jobs that wait for a decision: to whom each is put, and what becomes of it. Runs in
 * the server.
 *
 * What is pending is in memory as it is in the store, and is made again from that. Who takes approvals is
 * known by its connection only: a new server waits for a moment before it puts anything to anybody,
 * until those who took them before have come back.
 *
 * Invariants: (1) a question is decided once; (2) as of the last turn, each was put to whom
 * server/escalation.h says; (3) both are durable, with their events, before anybody is told.
 */
#ifndef SERVER_APPROVALS_H
#define SERVER_APPROVALS_H

#include "server/approval.h"
#include "server/state.h"

#include <jansson.h>
#include <stdbool.h>

/* Bounds of what a flood of questions can cost. */
#define APPROVALS_OF_JOB 16         /* pending at once */
#define APPROVALS_PENDING 1024      /* of all jobs together */
#define APPROVALS_OF_JOB_EVER 10000 /* as long as the job lives */

/* Somebody who takes approvals. All but the entry is the caller's. */
struct approvals_taker {
	TAILQ_ENTRY(approvals_taker) entry;
	struct taker who;
	int64_t since; /* knows what it was put up to this event */
	/* An event of the feed about a question that is, or was, put to it; taken. */
	void (*told)(void *arg, json_t *event);
	void *arg;
};

struct approvals;

int approvals_new(struct server *s); /* s->approvals; 0 or -ENOMEM */
void approvals_free(struct server *s);

/* All that is pending, from the store, in place of what is known. 0 or -errno. */
int approvals_load(struct server *s);

/* Something that it depends on has changed: a job has ended. */
void approvals_look(struct server *s);

/* To be called in each turn before its commit: decides and puts what is due. */
void approvals_turn(struct server *s);

/* Whether those who take approvals may not all have come back yet. */
bool approvals_is_settling(const struct server *s);

/*
 * A new question of a job: job, token, question, timeout_ms and deadline_ns are given. The job's policy may decide
 * it at once. ret_id gets its id. 0, -EDQUOT (the job has too many), -EBUSY (all jobs together have),
 * -ENOENT (no such job), or -errno of the store.
 */
int approvals_ask(struct server *s, const struct store_approval *q, char ret_id[APPROVAL_ID_SIZE]);

/* One that is pending, or NULL; all of them by approvals_next(s, NULL). */
struct approval *approvals_find(const struct server *s, const char *id);
struct approval *approvals_next(const struct server *s, const struct approval *a);

/* Decides it, which frees a. reason may be NULL. 0 or -errno of the store. */
int approvals_decide(struct server *s, struct approval *a, enum decision decision,
    enum decider decider, const char *reason);

/* From now on t takes approvals, and is told what is put to it already; and no more. */
void approvals_take(struct server *s, struct approvals_taker *t);
void approvals_leave(struct server *s, struct approvals_taker *t);

/* Up to which event t was told what is put to it. */
int64_t approvals_position(const struct server *s);

#endif
