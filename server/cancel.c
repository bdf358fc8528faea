/*
 * cancel: see cancel.h.
 */
#include "server/cancel.h"

#include "server/jobs.h"

#include <stdlib.h>
#include <string.h>

/* The job, and all below it, as far as they have not ended. Must not call itself: trees may be deep. */
static void
collect(struct server *s, int64_t job, struct numbers *list)
{
	struct family_node *top = family_find(s->family, job), *n;

	if (queue_find(s->queue, job) != NULL)
		server_note(s, list, job);
	for (n = top; n != NULL && (n = family_walk(top, n)) != NULL;) {
		if (n->is_member)
			server_note(s, list, n->number);
	}
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Who is below another has the higher number. */
static void
sort(struct numbers *list)
{
	size_t count = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(list->items[0]), compare);
	for (size_t i = 1; i < list->count; i++) {
		if (list->items[i] != list->items[count])
			list->items[++count] = list->items[i];
	}
	list->count = count + 1;
}

static size_t
cancel_one(struct server *s, int64_t job, bool has_process)
{
	struct queue_job *j = queue_find(s->queue, job);

	return j == NULL || queue_is_live(j) != has_process ? 0 : jobs_cancel(s, j);
}

/* Ends what was collected, and frees the list. */
static size_t
cancel_all(struct server *s, struct numbers *list)
{
	size_t count = 0, i;

	sort(list);
	for (i = list->count; i > 0; i--)
		count += cancel_one(s, list->items[i - 1], false);
	for (i = 0; i < list->count; i++)
		count += cancel_one(s, list->items[i], true);
	free(list->items);
	return count;
}

size_t
cancel_job(struct server *s, int64_t job)
{
	struct numbers list = {0};

	collect(s, job, &list);
	return cancel_all(s, &list);
}

size_t
cancel_parent(struct server *s, const char *parent)
{
	struct queue_parent *p = queue_find_parent(s->queue, parent);
	struct family_node *n = NULL;
	struct numbers list = {0};
	struct queue_job *j;

	if (p != NULL) {
		TAILQ_FOREACH (j, &p->jobs, in_parent)
			collect(s, j->number, &list);
	}
	/* Children that have ended may have left somebody. */
	while ((n = family_next(s->family, n)) != NULL) {
		if (!n->is_member && strcmp(n->parent, parent) == 0)
			collect(s, n->number, &list);
	}
	return cancel_all(s, &list);
}

void
cancel_orphans(struct server *s)
{
	struct numbers ended = s->orphaned, list = {0};

	memset(&s->orphaned, 0, sizeof(s->orphaned));
	for (size_t i = 0; i < ended.count; i++)
		collect(s, ended.items[i], &list);
	free(ended.items);
	cancel_all(s, &list);
}
