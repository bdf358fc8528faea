/*
 * roster: see roster.h. Runs in the server. Two trees find jobs, one finds parents. Makes no system call.
 */
#include "queue/roster.h"

#include <stdlib.h>
#include <string.h>

static int
compare_numbers(const struct queue_job *a, const struct queue_job *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare_children(const struct queue_job *a, const struct queue_job *b)
{
	return strcmp(a->child, b->child);
}

static int
compare_parents(const struct queue_parent *a, const struct queue_parent *b)
{
	return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(roster_numbers, queue_job, by_number, compare_numbers,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(roster_children, queue_job, by_child, compare_children,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(roster_parents, queue_parent, by_name, compare_parents,
    static __attribute__((unused)))

struct queue_job *
roster_find(const struct roster *r, int64_t number)
{
	struct queue_job *j = RB_ROOT(&r->numbers);

	while (j != NULL && j->number != number)
		j = number < j->number ? RB_LEFT(j, by_number) : RB_RIGHT(j, by_number);
	return j;
}

struct queue_job *
roster_find_child(const struct roster *r, const char *child)
{
	struct queue_job *j = RB_ROOT(&r->children);
	int order;

	while (j != NULL && (order = strcmp(child, j->child)) != 0)
		j = order < 0 ? RB_LEFT(j, by_child) : RB_RIGHT(j, by_child);
	return j;
}

struct queue_parent *
roster_find_parent(const struct roster *r, const char *name)
{
	struct queue_parent *p = RB_ROOT(&r->parents);
	int order;

	while (p != NULL && (order = strcmp(name, p->name)) != 0)
		p = order < 0 ? RB_LEFT(p, by_name) : RB_RIGHT(p, by_name);
	return p;
}

struct queue_job *
roster_next(const struct roster *r, struct queue_job *j)
{
	if (j != NULL)
		return RB_NEXT(roster_numbers, &r->numbers, j);
	for (j = RB_ROOT(&r->numbers); j != NULL && RB_LEFT(j, by_number) != NULL;)
		j = RB_LEFT(j, by_number);
	return j;
}

struct queue_parent *
roster_next_parent(const struct roster *r, struct queue_parent *p)
{
	if (p != NULL)
		return RB_NEXT(roster_parents, &r->parents, p);
	for (p = RB_ROOT(&r->parents); p != NULL && RB_LEFT(p, by_name) != NULL;)
		p = RB_LEFT(p, by_name);
	return p;
}

struct queue_parent *
roster_make_parent(struct roster *r, const char *name)
{
	struct queue_parent *p = roster_find_parent(r, name);
	size_t size = strlen(name) + 1;

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p) + size);
	if (p == NULL)
		return NULL;
	memcpy(p->name, name, size);
	TAILQ_INIT(&p->jobs);
	RB_INIT(&p->owner.lines);
	RB_INSERT(roster_parents, &r->parents, p);
	return p;
}

void
roster_drop_parent(struct roster *r, struct queue_parent *p)
{
	if (!TAILQ_EMPTY(&p->jobs))
		return;
	RB_REMOVE(roster_parents, &r->parents, p);
	free(p);
}

void
roster_add(struct roster *r, struct queue_job *j)
{
	RB_INSERT(roster_numbers, &r->numbers, j);
	RB_INSERT(roster_children, &r->children, j);
	TAILQ_INSERT_TAIL(&j->parent->jobs, j, in_parent);
	j->parent->unfinished++;
}

void
roster_remove(struct roster *r, struct queue_job *j)
{
	RB_REMOVE(roster_numbers, &r->numbers, j);
	RB_REMOVE(roster_children, &r->children, j);
	TAILQ_REMOVE(&j->parent->jobs, j, in_parent);
	j->parent->unfinished--;
	roster_drop_parent(r, j->parent);
}
