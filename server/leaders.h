/*
 * leaders: handles for the first processes of the jobs that run. Kept by the server in case the
 * supervisor dies: a pidfd that was open before its process was reaped is how the kernel tells, later, how
 * that ended (PIDFD_GET_INFO, Linux 6.15).
 */
#ifndef SERVER_LEADERS_H
#define SERVER_LEADERS_H

#include "wire/lifeboat.h"
#include "wire/standing.h"

#include <bsd/sys/tree.h>

struct leader;
RB_HEAD(leader_tree, leader);

struct leaders {
	struct leader_tree tree;
};

void leaders_init(struct leaders *l);

/*
 * Keeps a handle for the leader of a job, unless there is one; it is not an error if that has gone, or if there
 * is no descriptor left.
 */
void leaders_keep(struct leaders *l, const struct standing *st);

/* The job has ended, or there was none. */
void leaders_drop(struct leaders *l, uint64_t job);

void leaders_clear(struct leaders *l);

/* Adds all handles to the lifeboat; they stay here. 0 or -ENOMEM. */
int leaders_board(struct leaders *l, struct lifeboat *b);

#endif
