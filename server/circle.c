/*
 * circle: see circle.h. From the job to those that wait for it, and on to those that wait for these: waits_search()
 * goes along stored waits, and what it finds is looked for in the calls, until neither finds more.
 */
#include "server/circle.h"

#include "server/call.h"
#include "server/captive.h"
#include "server/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many of a long chain are named. */
#define NAMED_MOST 4

/* So many calls of others are followed; with more of them, a circle may not be seen. */
#define LINKS_MOST 64

/* A job that cannot end before the one that was searched from has, because of its call. */
struct link {
	int64_t job;
	int64_t via;
};

struct search {
	struct server *server;
	int64_t job;
	struct link links[LINKS_MOST];
	size_t count;
	bool
	    is_doubtful; /* there are records to be had, or a job that could do more may come to wait */
};

/* Whether a job is the one that was searched from, or cannot end before that. */
static bool
is_behind(const struct search *q, int64_t job, int64_t *ret_via)
{
	if (job == q->job)
		return true;
	for (size_t i = 0; i < q->count; i++) {
		if (q->links[i].job != job)
			continue;
		*ret_via = q->links[i].via;
		return true;
	}
	return waits_is_behind(q->server->waits, job, ret_via);
}

/* As leads_back(), of jobs. */
static bool
jobs_lead_back(const struct search *q, const struct await *a, int64_t *ret_first)
{
	int64_t via, first = 0;

	for (size_t i = 0; i < a->jobs.count; i++) {
		if (is_behind(q, a->jobs.items[i], &via))
			first = first == 0 ? a->jobs.items[i] : first;
		else if (a->policy != AWAIT_ALL)
			return false;
	}
	*ret_first = first;
	return first != 0;
}

static int
stop_at_first(void *arg, const struct store_record *r)
{
	(void)arg;
	(void)r;
	return 1;
}

/* As leads_back(), of a parent's children. One end is enough for some waits, and may be there already. */
static bool
children_lead_back(struct search *q, int64_t job, const struct await *a, int64_t *ret_first)
{
	const struct queue_parent *p = queue_find_parent(q->server->queue, a->parent);
	const struct queue_job *j;
	int64_t via, first = 0;

	if (p == NULL)
		return false;
	TAILQ_FOREACH (j, &p->jobs, in_parent) {
		if (is_behind(q, j->number, &via))
			first = first == 0 ? j->number : first;
		else if (a->policy != AWAIT_ALL && j->number != job)
			return false;
		if (first != 0 && a->policy == AWAIT_ALL)
			break;
	}
	if (first == 0)
		return false;
	if (a->policy != AWAIT_ALL &&
	    server_check(q->server,
		store_each_pending(q->server->store, a->parent, 0, 1, stop_at_first, NULL)) != 0) {
		q->is_doubtful = true;
		return false;
	}
	*ret_first = first;
	return true;
}

/*
 * Whether what the job waits for cannot come before the one that was searched from has ended, nor before it has
 * itself; then *ret_first is the first of those that cannot end.
 */
static bool
leads_back(struct search *q, int64_t job, const struct await *a, int64_t *ret_first)
{
	return a->parent != NULL ? children_lead_back(q, job, a, ret_first)
				 : jobs_lead_back(q, a, ret_first);
}

static bool
is_captive(struct server *s, const struct call *call)
{
	struct row row;

	return server_check(s, store_read_job(s->store, call->waiting_job, row_copy, &row)) == 0 &&
	    captive_is(row.job.standing.pid, conn_pid(call->conn));
}

/* Finds one more job that is behind by its call. */
static bool
follow_call(struct search *q)
{
	const struct call *call;
	int64_t via;

	if (q->count == LINKS_MOST)
		return false;
	TAILQ_FOREACH (call, &q->server->calls, entry) {
		if (call->awaits == NULL || is_behind(q, call->waiting_job, &via) ||
		    !leads_back(q, call->waiting_job, call->awaits, &via))
			continue;
		if (!is_captive(q->server, call)) {
			q->is_doubtful = true;
			continue;
		}
		q->links[q->count++] = (struct link){call->waiting_job, via};
		waits_search_on(q->server->waits, call->waiting_job);
		return true;
	}
	return false;
}

static const char *
name_of(const struct search *q, int64_t job)
{
	const struct queue_job *j = queue_find(q->server->queue, job);

	return j == NULL ? "another" : j->child;
}

/* From the one that is waited for, by those that it waits for, to the job. */
static void
describe(const struct search *q, int64_t from, char text[CIRCLE_TEXT_SIZE])
{
	int64_t via = from;
	int used = snprintf(text, CIRCLE_TEXT_SIZE, "'%s'", name_of(q, from));

	for (int i = 0; i < NAMED_MOST && via != q->job && is_behind(q, via, &via); i++)
		used += snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used, "%s waits for '%s'",
		    i == 0 ? "" : ", which", name_of(q, via));
	if (via != q->job)
		used += snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used,
		    ", and that, by way of others, for '%s'", name_of(q, q->job));
	snprintf(text + used, CIRCLE_TEXT_SIZE - (size_t)used,
	    ", the job that waits: neither would ever go on; cancel '%s', or do not wait for it",
	    name_of(q, from));
}

/* Whether the call's answer may depend on the end of the job itself. */
static bool
is_among(const struct await *a, const struct queue_job *j)
{
	if (a->parent != NULL)
		return strcmp(a->parent, j->parent->name) == 0;
	for (size_t i = 0; i < a->jobs.count; i++) {
		if (a->jobs.items[i] == j->number)
			return true;
	}
	return false;
}

/* Most jobs are waited for by nobody who is a job: there is nothing to be searched, then. */
static bool
is_awaited(const struct server *s, const struct queue_job *j)
{
	const struct call *call;

	if (waits_has_waiters(s->waits, j->number))
		return true;
	TAILQ_FOREACH (call, &s->calls, entry) {
		if (call->awaits != NULL && is_among(call->awaits, j))
			return true;
	}
	return false;
}

enum circle
circle_look(struct server *s, int64_t job, const struct await *a, char text[CIRCLE_TEXT_SIZE])
{
	struct search q = {.server = s, .job = job};
	const struct queue_job *j = queue_find(s->queue, job);
	int64_t first = 0;

	if (j == NULL || (!is_among(a, j) && !is_awaited(s, j)))
		return CIRCLE_OPEN;
	waits_search(s->waits, job);
	while (follow_call(&q))
		;
	if (!leads_back(&q, job, a, &first))
		return q.is_doubtful ? CIRCLE_DOUBTFUL : CIRCLE_OPEN;
	if (first != job)
		describe(&q, first, text);
	else
		snprintf(text, CIRCLE_TEXT_SIZE,
		    "of all that it would wait for, nothing is left but '%s', the job that waits, and what "
		    "waits for that: it would wait for its own end",
		    name_of(&q, job));
	return CIRCLE_CLOSED;
}
