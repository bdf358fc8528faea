/*
 * family: who is below whom, among jobs that have not ended. Pure: no system call, no store, no clock. The
 * server fills it from the store and asks it; queue/queue.h has everything else about these jobs.
 *
 * A job that has ended stays as long as one that has not is below it, so that the way up from that one is
 * whole, and a cancel finds its way down. Only the way that each job has with it, its ancestry, is stored:
 *
 *     X/12=M/15=G     below job 15, child G, which is below job 12, child M, whose parent X is no job
 *
 * Jobs at depth 0 have none (NULL), and are here only while there is somebody below them.
 *
 * Invariant: each node has been added, or has somebody below it.
 */
#ifndef QUEUE_FAMILY_H
#define QUEUE_FAMILY_H

#include "base/id.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read its fields freely; only the functions below write them. */
struct family_node {
	RB_ENTRY(family_node) by_number;
	TAILQ_ENTRY(family_node) beside;
	TAILQ_HEAD(family_below, family_node) below; /* in the order in which they came */
	struct family_node *above;                   /* or NULL */
	int64_t number;
	bool is_member; /* added, and not removed since */
	char *parent;   /* ids */
	char child[];
};

struct family;

struct family *family_new(void); /* NULL: memory is short */
void family_free(struct family *f);
void family_clear(struct family *f);

/*
 * Adds a job below those whom its ancestry names; nothing happens if that is NULL. 0; -EEXIST; -ENOMEM;
 * -EINVAL: that is no ancestry; then nothing has changed.
 */
int family_add(struct family *f, int64_t number, const char *parent, const char *child,
    const char *ancestry);

/* It has ended. The job may be unknown. */
void family_remove(struct family *f, int64_t number);

/* NULL: it has nobody above or below it. */
struct family_node *family_find(struct family *f, int64_t number);

/* All of them, by number: family_next(f, NULL) is the first; NULL ends. */
struct family_node *family_next(struct family *f, struct family_node *n);

/*
 * All that is below top, from above: family_walk(top, top) is the first, NULL ends. Who is above comes
 * before who is below him.
 */
struct family_node *family_walk(const struct family_node *top, struct family_node *n);

/* Whether the job is below the other. */
bool family_is_below(struct family *f, int64_t number, int64_t top);

/*
 * What is stored of the children of a job: its own ancestry (NULL: none), or else its parent, and the job. The
 * caller frees it; NULL: memory is short.
 */
char *family_extend(const char *ancestry, const char *parent, int64_t number, const char *child);

/*
 * Goes over the numbers in an ancestry, from the top: *rest is the ancestry at first. Returns 0 at the end, and
 * where it is none.
 */
int64_t family_step(const char **rest);

#endif
