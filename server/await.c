/*
 * await: see await.h.
 */
#include "server/await.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[AWAIT_COUNT] = {
    [AWAIT_ALL] = "all",
    [AWAIT_ANY] = "any",
    [AWAIT_FIRST_ERROR] = "first_error",
};

const char *
await_policy_name(enum await_policy policy)
{
	return names[policy];
}

int
await_policy_parse(const char *name)
{
	for (int i = 0; i < AWAIT_COUNT; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	/* As the option of `wait` is spelled. */
	return strcmp(name, "first-error") == 0 ? AWAIT_FIRST_ERROR : -1;
}

void
await_fini(struct await *w)
{
	free(w->jobs.items);
	json_decref(w->record);
}

static bool
has_completed(const json_t *record)
{
	const char *status = json_string_value(json_object_get(record, "status"));

	return status != NULL && strcmp(status, status_name(STATUS_COMPLETED)) == 0;
}

/*
 * Sends the record that was found before, now that it is not the last, and keeps this one.
 * Returns 1 to stop.
 */
static int
found(struct call *call, const struct store_record *r)
{
	struct await *w = call->own;

	if (w->record != NULL)
		call_reply_more(call, json_pack("{s:o}", "record", w->record));
	w->record = json_loads(r->body, 0, NULL);
	w->is_over =
	    w->policy == AWAIT_ANY || (w->policy == AWAIT_FIRST_ERROR && !has_completed(w->record));
	return w->is_over || !call->api.is_more || conn_pending(call->conn) > CONN_OUTPUT_HIGH;
}

/* Whether the record may be given to this client, who holds it then. */
static bool
may_take(struct call *call, const struct store_record *r)
{
	struct server *s = call->server;
	const struct await *w = call->own;

	if (w->is_peek)
		return true;
	deliver_yield(s->deliver, r->seq, r->parent);
	return holds_add(s->holds, r->seq, r->parent, call->conn);
}

/* A job that has ended, and the record that says so. */
struct ended {
	int64_t seq;
	int64_t job;
};

static int
compare_ended(const void *a, const void *b)
{
	const struct ended *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int
copy_seq(void *arg, const struct store_job *j)
{
	struct ended *ended = arg;

	ended->seq = j->record_seq;
	ended->job = j->job;
	return 0;
}

static int
found_of_job(void *arg, const struct store_record *r)
{
	struct call *call = arg;

	/* Who waits for a job is told of its end, whoever else has been. */
	may_take(call, r);
	return found(call, r);
}

/* Moves the jobs that have ended out of w->jobs into ended. Returns how many, or -errno. */
static ssize_t
take_ended(struct call *call, struct ended *ended)
{
	struct server *s = call->server;
	struct await *w = call->own;
	size_t kept = 0, count = 0;
	int r;

	for (size_t i = 0; i < w->jobs.count; i++) {
		int64_t number = w->jobs.items[i];

		if (queue_find(s->queue, number) != NULL) {
			w->jobs.items[kept++] = number;
			continue;
		}
		r = server_check(s, store_read_job(s->store, number, copy_seq, &ended[count]));
		if (r < 0 && r != -ENOENT)
			return r;
		count += r == 0;
	}
	w->jobs.count = kept;
	qsort(ended, count, sizeof(*ended), compare_ended);
	return (ssize_t)count;
}

/*
 * Returns 1 if it stopped early, 0 if all that is there was found, in the order in which it came.
 */
static int
find_of_jobs(struct call *call)
{
	struct server *s = call->server;
	struct await *w = call->own;
	struct ended *ended = calloc(w->jobs.count + 1, sizeof(*ended));
	ssize_t count = ended == NULL ? -ENOMEM : take_ended(call, ended), i;
	int r = 0;

	for (i = 0; i < count && r == 0; i++) {
		r = server_check(s, store_read_record(s->store, ended[i].job, found_of_job, call));
		if (r == -ENOENT)
			r = 0;
	}
	/* What there was no room for in the client's buffer comes next time. */
	for (; i < count; i++)
		w->jobs.items[w->jobs.count++] = ended[i].job;
	free(ended);
	return count < 0 ? (int)count : r;
}

struct scan {
	struct call *call;
	int64_t after;
	size_t count;
	bool has_others; /* records that somebody else holds */
};

static int
found_of_parent(void *arg, const struct store_record *r)
{
	struct scan *scan = arg;
	struct call *call = scan->call;
	struct await *w = call->own;
	bool is_sent = holds_owner(call->server->holds, r->seq) == call->conn;

	scan->after = r->seq;
	scan->count++;
	if (!is_sent && !may_take(call, r)) {
		scan->has_others = true;
		return 0;
	}
	if (!scan->has_others)
		w->after = r->seq;
	return is_sent ? 0 : found(call, r);
}

#define SCAN_BATCH 64

/* The same for the records of a parent; *ret_has_others: some are in other hands. */
static int
find_of_parent(struct call *call, bool *ret_has_others)
{
	struct await *w = call->own;
	struct scan scan = {.call = call, .after = w->after};
	int r;

	do {
		scan.count = 0;
		r = server_check(call->server,
		    store_each_pending(call->server->store, w->parent, scan.after, SCAN_BATCH,
			found_of_parent, &scan));
	} while (r == 0 && scan.count == SCAN_BATCH);
	*ret_has_others = scan.has_others;
	return r;
}

bool
await_is_hopeless(const struct call *call)
{
	struct server *s = call->server;
	const struct await *w = call->own;
	struct queue_parent *p;

	if (!s->is_stopping)
		return false;
	if (w->parent != NULL) {
		p = queue_find_parent(s->queue, w->parent);
		return p != NULL && p->running == 0;
	}
	for (size_t i = 0; i < w->jobs.count; i++) {
		struct queue_job *j = queue_find(s->queue, w->jobs.items[i]);

		if (j == NULL || queue_is_live(j))
			return false;
	}
	return true;
}

int
await_find(struct call *call)
{
	struct await *w = call->own;
	bool has_others = false;
	int r;

	if (w->is_over)
		return 1;
	if (w->parent == NULL)
		r = find_of_jobs(call);
	else
		r = find_of_parent(call, &has_others);
	if (r != 0)
		return r < 0 ? r : w->is_over;
	if (w->parent == NULL)
		return w->jobs.count == 0;
	return server_unfinished(call->server, w->parent) == 0 && !has_others;
}

static int
copy_status(void *arg, const struct store_job *j)
{
	*(enum status *)arg = j->status;
	return 0;
}

/* Whether one of the jobs has ended otherwise than completed; those that have not come first from then on. */
static int
has_failed_job(struct call *call)
{
	struct server *s = call->server;
	struct await *w = call->own;
	enum status status;
	int64_t number;
	int r;

	for (size_t i = w->looked_jobs; i < w->jobs.count; i++) {
		number = w->jobs.items[i];
		if (queue_find(s->queue, number) != NULL)
			continue;
		status = STATUS_COMPLETED; /* of one that is not kept any more */
		r = server_check(s, store_read_job(s->store, number, copy_status, &status));
		if (r < 0 && r != -ENOENT)
			return r;
		if (status != STATUS_COMPLETED)
			return 1;
		w->jobs.items[i] = w->jobs.items[w->looked_jobs];
		w->jobs.items[w->looked_jobs++] = number;
	}
	return 0;
}

static int
look_at_record(void *arg, const struct store_record *r)
{
	struct await *w = arg;
	json_t *record = json_loads(r->body, 0, NULL);
	bool is_failure = !has_completed(record);

	json_decref(record);
	if (!is_failure)
		w->looked_seq = r->seq;
	return is_failure;
}

/* Whether all that is waited for has ended. */
static bool
is_all_there(const struct call *call)
{
	struct server *s = call->server;
	const struct await *w = call->own;

	if (w->parent != NULL)
		return server_unfinished(s, w->parent) == 0;
	for (size_t i = w->looked_jobs; i < w->jobs.count; i++) {
		if (queue_find(s->queue, w->jobs.items[i]) != NULL)
			return false;
	}
	return true;
}

int
await_is_met(struct call *call)
{
	struct server *s = call->server;
	struct await *w = call->own;
	int r;

	if (w->is_over || is_all_there(call))
		return 1;
	if (w->policy == AWAIT_ALL)
		return 0;
	/* The first is found at once, and held, before somebody else takes it. */
	if (w->policy == AWAIT_ANY)
		return await_find(call);
	if (w->parent == NULL)
		return has_failed_job(call);
	r = server_check(s,
	    store_each_pending(s->store, w->parent, w->looked_seq, -1, look_at_record, w));
	return r < 0 ? r : r != 0;
}
