/*
 * leaders: see leaders.h. Runs in the server. Never signals anybody.
 */
#include "server/leaders.h"

#include "supervisor/proc.h"

#include <stdlib.h>

struct leader {
	RB_ENTRY(leader) entry;
	uint64_t job;
	struct proc proc;
};

static int
compare(const struct leader *a, const struct leader *b)
{
	return a->job < b->job ? -1 : a->job > b->job;
}

RB_GENERATE_INTERNAL(leader_tree, leader, entry, compare, static __attribute__((unused)))

void
leaders_init(struct leaders *l)
{
	RB_INIT(&l->tree);
}

void
leaders_keep(struct leaders *l, const struct standing *st)
{
	struct leader key = {.job = st->job}, *leader;

	if (st->pid <= 0 || RB_FIND(leader_tree, &l->tree, &key) != NULL)
		return;
	leader = malloc(sizeof(*leader));
	if (leader == NULL)
		return;
	leader->job = st->job;
	if (proc_find(st->pid, st->start_time, &leader->proc) == 0)
		RB_INSERT(leader_tree, &l->tree, leader);
	else
		free(leader);
}

static void
drop(struct leaders *l, struct leader *leader)
{
	RB_REMOVE(leader_tree, &l->tree, leader);
	proc_close(&leader->proc);
	free(leader);
}

void
leaders_drop(struct leaders *l, uint64_t job)
{
	struct leader key = {.job = job}, *leader = RB_FIND(leader_tree, &l->tree, &key);

	if (leader != NULL)
		drop(l, leader);
}

void
leaders_clear(struct leaders *l)
{
	struct leader *leader;

	while ((leader = RB_ROOT(&l->tree)) != NULL)
		drop(l, leader);
}

int
leaders_board(struct leaders *l, struct lifeboat *b)
{
	struct leader *leader;
	int error = 0;

	for (leader = RB_MIN(leader_tree, &l->tree); leader != NULL && error == 0;
	     leader = leader_tree_RB_NEXT(leader))
		error = lifeboat_add(b, LIFEBOAT_PIDFD, leader->job, leader->proc.pidfd);
	return error;
}
