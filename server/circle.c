/*
 * circle: see circle.h.
 */
#include "server/circle.h"

#include <stdio.h>

/* So many of a long chain are named. */
#define NAMED_MOST 4

static const char *
name_of(struct server *s, int64_t job)
{
	const struct queue_job *j = queue_find(s->queue, job);

	return j == NULL ? "another" : j->child;
}

/* From the one that is waited for, by those that it waits for, to the job. */
static void
describe(struct server *s, int64_t from, int64_t job, char text[CIRCLE_TEXT_SIZE])
{
	int64_t via = from;
	int used = snprintf(text, CIRCLE_TEXT_SIZE, "'%s'", name_of(s, from));

	for (int i = 0; i < NAMED_MOST && via != job && waits_is_behind(s->waits, via, &via); i++)
		used += snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used, "%s waits for '%s'",
		    i == 0 ? "" : ", which", name_of(s, via));
	if (via != job)
		used += snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used,
		    ", and that, by way of others, for '%s'", name_of(s, job));
	snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used,
	    ", the job that waits: neither would ever go on; cancel '%s', or do not wait for it",
	    name_of(s, from));
}

bool
circle_of_jobs(struct server *s, int64_t job, const struct numbers *awaited, bool is_all,
    char text[CIRCLE_TEXT_SIZE])
{
	int64_t via, first = 0;

	if (!waits_has_waiters(s->waits, job))
		return false;
	waits_search(s->waits, job);
	for (size_t i = 0; i < awaited->count; i++) {
		if (waits_is_behind(s->waits, awaited->items[i], &via))
			first = first == 0 ? awaited->items[i] : first;
		else if (!is_all)
			return false;
	}
	if (first != 0)
		describe(s, first, job, text);
	return first != 0;
}

bool
circle_of_parent(struct server *s, int64_t job, const char *parent, char text[CIRCLE_TEXT_SIZE])
{
	const struct queue_parent *p = queue_find_parent(s->queue, parent);
	const struct queue_job *j;
	int64_t via;

	if (p == NULL || !waits_has_waiters(s->waits, job))
		return false;
	waits_search(s->waits, job);
	TAILQ_FOREACH (j, &p->jobs, in_parent) {
		if (!waits_is_behind(s->waits, j->number, &via))
			continue;
		describe(s, j->number, job, text);
		return true;
	}
	return false;
}
