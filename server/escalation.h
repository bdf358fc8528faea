/*
 * escalation: to whom a question is put: the nearest ancestor of the job that is there and has somebody who
 * takes approvals, else the user. Pure: no system call, no allocation. Runs in the server.
 *
 * An ancestor is a job, known by its number, or an id that is none. What takes approvals is bound to one of
 * them: processes of a job to that job, whatever they say; others to an id. So a job is never asked
 * about its own question, also where ids come twice on the way up.
 */
#ifndef SERVER_ESCALATION_H
#define SERVER_ESCALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ancestor {
	const char *id;
	int64_t job; /* 0: it is none */
};

/* Who takes approvals, or answers. */
struct taker {
	const char *id; /* for whom; NULL: for nobody in particular, which is the user */
	int64_t job;    /* whose processes these are; 0: of no job */
};

/* The ways of finding out what escalation_find() needs to know. */
struct escalation_world {
	bool (*is_there)(void *arg, int64_t job);              /* it has not ended */
	bool (*is_taken)(void *arg, const struct ancestor *a); /* somebody takes approvals for it */
	void *arg;
};

/* Whether t takes approvals for a. */
bool escalation_is_bound(const struct taker *t, const struct ancestor *a);

/* The place of the ancestor, nearest first, to whom a question is put; count: the user. */
size_t escalation_find(const struct ancestor *above, size_t count,
    const struct escalation_world *w);

/*
 * Whether t may answer a question that is put to `to` (NULL: the user): who is of no job speaks for the user, and
 * may always, unless he says that he is somebody else; who is of a job only what is put to that.
 */
bool escalation_may_answer(const struct taker *t, const struct ancestor *to);

#endif
