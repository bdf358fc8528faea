/*
 * approval: one question of a job, in memory: as the store has it, with whom the job is below. Runs in the
 * server.
 */
#ifndef SERVER_APPROVAL_H
#define SERVER_APPROVAL_H

#include "base/id.h"
#include "server/escalation.h"
#include "store/approvals.h"

#include <bsd/sys/queue.h>
#include <jansson.h>

struct approval {
	TAILQ_ENTRY(approval) entry; /* the caller's */
	struct store_approval row;   /* its strings are the approval's own */
	struct ancestor *above;      /* nearest first; owned, with its ids */
	size_t above_count;
	char *token, *question;
	char id[APPROVAL_ID_SIZE];
	char put_to[ID_SIZE];
	char parent[ID_SIZE], child[ID_SIZE];
};

/* A copy of row, without parent, child and those above. NULL: ENOMEM. */
struct approval *approval_new(const struct store_approval *row);
void approval_free(struct approval *a);

/* One more whom the job is below, farther than those before: a copy. 0 or -ENOMEM. */
int approval_add_above(struct approval *a, const char *id, int64_t job);

/* It is put to `to` (NULL: the user), by the event of that number. */
void approval_set_put(struct approval *a, int64_t seq, const struct ancestor *to);

/* To whom it is put; NULL: the user. */
const struct ancestor *approval_put_to(const struct approval *a);

/* Whether t takes, or took, what is put to that. */
bool approval_is_put_to(const struct approval *a, const struct taker *t);

/* As `spawnd approvals --json` shows it. */
json_t *approval_describe(const struct approval *a);

/* The bodies of its events. */
json_t *approval_requested(const struct approval *a, const struct ancestor *to);
json_t *approval_decided(const struct store_approval *row);

#endif
