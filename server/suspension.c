/*
 * suspension: see suspension.h.
 */
#include "server/suspension.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/results.h"
#include "server/starter.h"
#include "server/waiting.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

/* A file of results that could not be made is tried again after this. */
#define RETRY_NS NSEC_PER_SEC

/* The children that a job is to wait for. */
struct children {
	int64_t own; /* the job's number: an id may be its own parent */
	struct waits_edge *edges;
	size_t count, size;
};

static int
add_child(struct children *c, int64_t job, enum status status)
{
	struct waits_edge *edges = c->edges;

	if (job == c->own)
		return 0;
	if (c->count == c->size) {
		edges = reallocarray(edges, c->size * 2 + 8, sizeof(*edges));
		if (edges == NULL)
			return -ENOMEM;
		c->edges = edges;
		c->size = c->size * 2 + 8;
	}
	edges[c->count++] = (struct waits_edge){job, false, status};
	return 0;
}

static int
add_ended(void *arg, const struct store_record *r)
{
	json_t *record = json_loads(r->body, 0, NULL);
	const char *name = json_string_value(json_object_get(record, "status"));
	int status = name == NULL ? STATUS_LOST : status_parse(name);

	json_decref(record);
	return add_child(arg, r->job, status < 0 ? STATUS_LOST : (enum status)status);
}

/*
 * Those that have not ended, and those whose records nobody has taken; but none whose record is older
 * than `since`. 0 or -errno.
 */
static int
find_children(struct server *s, const struct queue_job *j, int64_t since, struct children *c)
{
	struct queue_parent *p = queue_find_parent(s->queue, j->child);
	struct queue_job *child;
	int r = 0;

	c->own = j->number;
	for (child = p == NULL ? NULL : TAILQ_FIRST(&p->jobs); child != NULL && r == 0;
	     child = TAILQ_NEXT(child, in_parent))
		r = add_child(c, child->number, child->status);
	if (r == 0)
		r = store_each_pending(s->store, j->child, since, -1, add_ended, c);
	return server_check(s, r);
}

/* Where the records of its children begin that it was not resumed with. 0 or -errno. */
static int
find_since(struct server *s, const struct queue_job *j, int64_t *ret_since)
{
	struct waiters_row row;

	if (!j->is_resumed)
		return server_check(s, waiters_first_seq(s->store, j->child, j->number, ret_since));
	*ret_since = 0;
	if (server_check(s, waiters_read(s->store, j->number, &row)) == 0)
		*ret_since = row.last;
	return s->store_error;
}

/* -ELOOP where one of them waits for the job. */
static int
check_circle(struct server *s, const struct queue_job *j, const struct children *c,
    const char **ret_child)
{
	int64_t *numbers = reallocarray(NULL, c->count, sizeof(*numbers)), found = 0;
	const struct queue_job *child;
	int r;

	if (numbers == NULL)
		return server_check(s, -ENOMEM);
	for (size_t i = 0; i < c->count; i++)
		numbers[i] = c->edges[i].after;
	r = waits_find_circle(s->waits, j->number, numbers, c->count, &found);
	free(numbers);
	if (r <= 0)
		return server_check(s, r);
	child = queue_find(s->queue, found);
	*ret_child = child != NULL ? child->child : "";
	return -ELOOP;
}

int
suspension_begin(struct server *s, struct queue_job *j, enum waits_policy policy, size_t *ret_count,
    const char **ret_child)
{
	struct waiters_row row = {.job = j->number, .kind = WAITERS_SUSPENDING, .policy = policy};
	struct children c = {.edges = NULL};
	int64_t first;
	int r;

	if (j->is_suspending) {
		*ret_count = waits_open(s->waits, j->number, &first);
		return 0;
	}
	r = find_since(s, j, &row.since);
	if (r == 0)
		r = find_children(s, j, row.since, &c);
	if (r == 0)
		r = c.count == 0 ? -ENOENT : check_circle(s, j, &c, ret_child);
	if (r == 0)
		r = waiting_add(s, j, &row, c.edges, c.count);
	if (r == 0) {
		j->is_suspending = true;
		j->is_resumed = false;
		server_note(s, &s->to_suspend, j->number);
		*ret_count = c.count;
	}
	free(c.edges);
	return r;
}

void
suspension_flush(struct server *s)
{
	for (size_t i = 0; i < s->to_suspend.count; i++) {
		struct queue_job *j = queue_find(s->queue, s->to_suspend.items[i]);

		if (j != NULL && j->is_suspending && j->is_told)
			link_cancel(s->link, (uint64_t)j->number, WIRE_CAUSE_CANCEL);
	}
	s->to_suspend.count = 0;
}

bool
suspension_is_due(const struct queue_job *j, const struct wire_ended *m)
{
	return j->is_suspending && !j->is_cancelled && m->stage == WIRE_STAGE_NONE &&
	    (m->cause == WIRE_CAUSE_NONE || m->cause == WIRE_CAUSE_CANCEL);
}

void
suspension_enter(struct server *s, struct queue_job *j, const struct limits *limits)
{
	char beats[PATH_MAX];

	if (server_check(s, waiters_suspend(s->store, j->number)) < 0)
		return;
	outputs_finish(s->outputs, j->number, limits);
	if (starter_beats_path(&s->paths, j->number, beats) == 0)
		unlink(beats);
	leaders_drop(&s->leaders, (uint64_t)j->number);
	j->is_suspending = j->is_told = j->is_paused = j->is_asked = false;
	queue_suspend(s->queue, j);
	/* Its wait may have been over before there was anybody to be told. */
	waits_remind(s->waits, j->number);
	s->has_news = true;
}

/* The records of a parent that its next run finds in its file. */
struct taken {
	struct numbers seqs;
	int64_t last;
	struct server *server;
};

static int
note_taken(void *arg, const struct store_record *r)
{
	struct taken *t = arg;

	if (r->seq > t->last)
		return 1;
	server_note(t->server, &t->seqs, r->seq);
	return t->server->store_error;
}

/* What stands in the file has been delivered by it. 0 or -errno. */
static int
take_records(struct server *s, const struct queue_job *j, const struct waiters_row *row)
{
	struct taken t = {.last = row->last, .server = s};
	bool was_pending;
	int r =
	    server_check(s, store_each_pending(s->store, j->child, row->since, -1, note_taken, &t));

	for (size_t i = 0; r >= 0 && i < t.seqs.count; i++) {
		r = server_check(s, store_acknowledge(s->store, t.seqs.items[i], &was_pending));
		deliver_forget(s->deliver, t.seqs.items[i]);
		holds_remove(s->holds, t.seqs.items[i]);
	}
	free(t.seqs.items);
	server_touch_parent(s, j->child);
	return r < 0 ? r : 0;
}

/* The job stays held until the file stands. */
static int
make_file(struct server *s, const struct queue_job *j, const struct waiters_row *row)
{
	const struct results_order order = {.job = j->number,
	    .parent = j->child,
	    .since = row->since,
	    .last = row->last};

	return results_begin(s->results, &order);
}

void
suspension_leave(struct server *s, struct queue_job *j)
{
	struct waiters_row row;

	if (server_check(s, waiters_read(s->store, j->number, &row)) < 0)
		return;
	row.last = store_added_seq(s->store);
	if (take_records(s, j, &row) < 0 ||
	    server_check(s, waiters_resume(s->store, j->number, row.last)) < 0)
		return;
	waits_remove(s->waits, j->number);
	queue_put_back(s->queue, j, QUEUE_HOLD_WAIT);
	j->is_resumed = true;
	server_check(s, make_file(s, j, &row));
	s->has_news = true;
}

static int
load_resumed(struct server *s, struct queue_job *j, const struct waiters_row *row)
{
	j->is_resumed = true;
	if (j->status != STATUS_QUEUED)
		return 0;
	queue_hold(s->queue, j, QUEUE_HOLD_WAIT);
	return make_file(s, j, row);
}

static int
load_waiter(void *arg, const struct waiters_row *row, const struct waits_edge *edges, size_t count)
{
	struct server *s = arg;
	struct queue_job *j = queue_find(s->queue, row->job);

	if (j == NULL)
		return 0;
	switch (row->kind) {
	case WAITERS_AFTER:
		queue_hold(s->queue, j, QUEUE_HOLD_WAIT);
		break;
	case WAITERS_SUSPENDING:
		j->is_suspending = j->status != STATUS_SUSPENDED;
		break;
	case WAITERS_RESUMED:
		return load_resumed(s, j, row);
	case WAITERS_KIND_COUNT:
		return 0;
	}
	return waits_add(s->waits, row->job, row->policy, edges, count);
}

int
suspension_load(struct server *s)
{
	waits_clear(s->waits);
	s->to_suspend.count = s->unmade.count = 0;
	results_clear(s->results);
	return waiters_each(s->store, load_waiter, s);
}

static void
retry_expired(void *arg)
{
	struct server *s = arg;
	struct numbers list = s->unmade;

	s->unmade = (struct numbers){NULL, 0, 0};
	for (size_t i = 0; i < list.count && s->store != NULL; i++) {
		struct queue_job *j = queue_find(s->queue, list.items[i]);
		struct waiters_row row;

		if (j == NULL || !j->is_resumed || j->status != STATUS_QUEUED)
			continue;
		if (server_check(s, waiters_read(s->store, j->number, &row)) == 0)
			server_check(s, make_file(s, j, &row));
	}
	free(list.items);
}

static void
file_done(void *arg, int64_t job, int error, const char *text)
{
	struct server *s = arg;
	struct queue_job *j = queue_find(s->queue, job);

	if (j == NULL || !j->is_resumed || j->status != STATUS_QUEUED)
		return;
	s->has_news = true;
	if (error == 0) {
		queue_release(s->queue, j, QUEUE_HOLD_WAIT);
		return;
	}
	log_line("job %" PRId64 " (%s) cannot be resumed yet: %s; trying again", job, j->child,
	    text);
	server_note(s, &s->unmade, job);
	timer_arm(&s->loop.timers, &s->remake, clock_add_ns(s->loop.now_ns, RETRY_NS));
}

static void
store_failed(void *arg, int error)
{
	server_check(arg, error);
}

int
suspension_init(struct server *s)
{
	const struct results_handlers h = {file_done, store_failed, s};

	timer_init(&s->remake, retry_expired, s);
	return results_new(&s->loop, &s->paths, &s->store, &h, &s->results);
}
