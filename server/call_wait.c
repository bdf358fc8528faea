/*
 * call_wait: see call_wait.h. A record handed out is held for the client until it says that it
 * has it, or goes away.
 */
#include "server/call_wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct parameters {
	json_t *children, *jobs, *seqs;
	const char *parent;
	int64_t timeout_ms;
	bool is_peek;
};

#define AT(member) offsetof(struct parameters, member)

static const struct api_field wait_fields[] = {
    {"children", API_STRINGS, AT(children), false},
    {"jobs", API_NUMBERS, AT(jobs), false},
    {"parent", API_STRING, AT(parent), false},
    {"timeout_ms", API_INTEGER, AT(timeout_ms), false},
    {"peek", API_BOOLEAN, AT(is_peek), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field next_fields[] = {
    {"parent", API_STRING, AT(parent), true},
    {"timeout_ms", API_INTEGER, AT(timeout_ms), false},
    {NULL, API_STRING, 0, false},
};

static const struct api_field acknowledge_fields[] = {
    {"seqs", API_NUMBERS, AT(seqs), true},
    {NULL, API_STRING, 0, false},
};

struct wait {
	struct parameters p;
	struct numbers jobs; /* whose records are still to come; unused with a parent */
	int64_t after;       /* up to here all records of the parent were sent */
	json_t *record;      /* found, not yet sent: it may be the last one */
};

static void
wait_fini(struct call *call)
{
	struct wait *w = call->own;

	free(w->jobs.items);
	json_decref(w->record);
}

static json_t *
reply_of(json_t *record)
{
	return json_pack("{s:o}", "record", record != NULL ? record : json_null());
}

/*
 * Sends the record that was found before, now that it is not the last, and keeps this one.
 * Returns 1 to stop.
 */
static int
found(struct call *call, const struct store_record *r)
{
	struct wait *w = call->own;

	if (w->record != NULL)
		call_reply_more(call, reply_of(w->record));
	w->record = json_loads(r->body, 0, NULL);
	return !call->api.is_more || conn_pending(call->conn) > CONN_OUTPUT_HIGH;
}

/* Whether the record may be given to this client, who holds it then. */
static bool
may_take(struct call *call, const struct store_record *r)
{
	struct server *s = call->server;
	const struct wait *w = call->own;

	if (w->p.is_peek)
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
	struct wait *w = call->own;
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
	struct wait *w = call->own;
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
	struct wait *w = call->own;
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
	struct wait *w = call->own;
	struct scan scan = {.call = call, .after = w->after};
	int r;

	do {
		scan.count = 0;
		r = server_check(call->server,
		    store_each_pending(call->server->store, w->p.parent, scan.after, SCAN_BATCH,
			found_of_parent, &scan));
	} while (r == 0 && scan.count == SCAN_BATCH);
	*ret_has_others = scan.has_others;
	return r;
}

/*
 * Whether the daemon ends before what is waited for can happen: nothing of it runs, and nothing
 * will be started.
 */
static bool
is_hopeless(const struct call *call)
{
	struct server *s = call->server;
	const struct wait *w = call->own;
	struct queue_parent *p;

	if (!s->is_stopping)
		return false;
	if (w->p.parent != NULL) {
		p = queue_find_parent(s->queue, w->p.parent);
		return p != NULL && p->running == 0;
	}
	for (size_t i = 0; i < w->jobs.count; i++) {
		struct queue_job *j = queue_find(s->queue, w->jobs.items[i]);

		if (j == NULL || queue_is_live(j))
			return false;
	}
	return true;
}

static void
wait_pump(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = call->own;
	bool is_of_parent = w->p.parent != NULL, has_others = false, is_done;
	int r;
	json_t *record;

	if (conn_pending(call->conn) > CONN_OUTPUT_HIGH)
		return;
	r = is_of_parent ? find_of_parent(call, &has_others) : find_of_jobs(call);
	is_done = is_of_parent ? server_unfinished(s, w->p.parent) == 0 && !has_others
			       : w->jobs.count == 0;
	record = w->record;
	w->record = NULL;
	if (r < 0) {
		json_decref(record);
		call_fail_store(call);
	} else if ((r == 0 && is_done) || (record != NULL && !call->api.is_more)) {
		call_reply(call, reply_of(record));
	} else if (record != NULL) {
		call_reply_more(call, reply_of(record));
	} else if (is_hopeless(call)) {
		call_fail(call, "ShuttingDown", NULL);
	}
}

static int
note_job(void *arg, const struct store_job *j)
{
	struct call *call = arg;
	struct wait *w = call->own;

	server_note(call->server, &w->jobs, j->job);
	return 0;
}

/*
 * The jobs that are meant, looked up once. Returns false where one does not exist: the call is
 * answered.
 */
static bool
look_up_jobs(struct call *call)
{
	struct wait *w = call->own;
	struct store *store = call->server->store;
	size_t i;
	json_t *value;
	char number[32];

	json_array_foreach (w->p.children, i, value) {
		if (server_find_child(call->server, json_string_value(value), note_job, call) < 0) {
			call_fail_not_found(call, json_string_value(value));
			return false;
		}
	}
	json_array_foreach (w->p.jobs, i, value) {
		if (store_read_job(store, json_integer_value(value), note_job, call) < 0) {
			snprintf(number, sizeof(number), "job %lld",
			    (long long)json_integer_value(value));
			call_fail_not_found(call, number);
			return false;
		}
	}
	return true;
}

/* Makes the call's state; NULL where a parameter is wrong: the call is answered. */
static struct wait *
begin(struct call *call, const struct api_field *fields)
{
	struct wait *w = calloc(1, sizeof(*w));
	const char *field;
	struct fault f;

	if (w == NULL) {
		conn_drop(call->conn);
		return NULL;
	}
	call->own = w;
	call->fini = wait_fini;
	w->p.timeout_ms = -1;
	field = api_read(&call->api, fields, &w->p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return NULL;
	}
	return w;
}

static int
stop_at_first(void *arg, const struct store_job *j)
{
	(void)arg;
	(void)j;
	return 1;
}

void
call_wait(struct call *call)
{
	struct wait *w = begin(call, wait_fields);

	if (w == NULL)
		return;
	if ((w->p.parent != NULL) == (w->p.children != NULL || w->p.jobs != NULL)) {
		call_fail_argument(call, "children", "name either children or jobs, or a parent");
		return;
	}
	if (w->p.parent != NULL &&
	    store_each_job(call->server->store, w->p.parent, -1, 0, 1, stop_at_first, NULL) == 0) {
		call_fail_not_found(call, w->p.parent);
		return;
	}
	if (!look_up_jobs(call))
		return;
	call_set_timeout(call, w->p.timeout_ms);
	call->pump = call->stream = wait_pump;
	wait_pump(call);
}

void
call_next(struct call *call)
{
	struct wait *w = begin(call, next_fields);

	if (w == NULL)
		return;
	/* One reply, whatever was asked for. */
	call->api.is_more = false;
	call_set_timeout(call, w->p.timeout_ms);
	call->pump = wait_pump;
	wait_pump(call);
}

static int
touch_parent(void *arg, const struct store_record *r)
{
	server_touch_parent(arg, r->parent);
	return 0;
}

void
call_acknowledge(struct call *call)
{
	struct server *s = call->server;
	struct wait *w = begin(call, acknowledge_fields);
	size_t i;
	json_t *value;

	if (w == NULL)
		return;
	json_array_foreach (w->p.seqs, i, value) {
		int64_t seq = json_integer_value(value);
		bool was_pending;

		if (server_check(s, store_acknowledge(s->store, seq, &was_pending)) < 0) {
			call_fail_store(call);
			return;
		}
		deliver_forget(s->deliver, seq);
		holds_remove(s->holds, seq);
		/* It may have been the last: then the FIFO's reader gets the end of the file. */
		if (was_pending)
			store_each_record(s->store, NULL, seq - 1, 1, touch_parent, s);
	}
	s->has_news = true;
	call_reply(call, NULL);
}
