/*
 * call_tree: see call_tree.h. What is above is found by the family of those that live; what is below a job, ended or
 * not, by its children in the store, as far as these were kept. Must not call itself from job to job, nor
 * read more than a batch at a time: trees may be deep, and large.
 */
#include "server/call_tree.h"

#include "base/id.h"
#include "server/call_query.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 100

struct parameters {
	const char *of;
};

static const struct api_field fields[] = {
    {"of", API_STRING, offsetof(struct parameters, of), false},
    {NULL, API_STRING, 0, false},
};

struct tree {
	struct parameters p;
	struct call *call;
	struct numbers
	    todo;          /* jobs that are still to be shown, with all below them, from the end */
	int64_t top_depth; /* of the family that is being shown */
	char child[ID_SIZE]; /* of the job that was shown last */
	json_t *found;       /* the one to be sent next: it may be the last */
};

static void
tree_fini(struct call *call)
{
	struct tree *t = call->own;

	free(t->todo.items);
	json_decref(t->found);
}

/* The number of the job that it is right below; 0: none. */
static int64_t
read_above(struct server *s, int64_t job)
{
	char *ancestry = NULL;
	const char *rest;
	int64_t above = 0, number;

	if (server_check(s, store_read_ancestry(s->store, job, &ancestry)) < 0 || ancestry == NULL)
		return 0;
	rest = ancestry;
	while ((number = family_step(&rest)) != 0)
		above = number;
	free(ancestry);
	return above;
}

static int
show(void *arg, const struct store_job *j)
{
	struct tree *t = arg;
	int64_t above = j->depth == 0 ? 0 : read_above(t->call->server, j->job);

	if (t->top_depth < 0)
		t->top_depth = j->depth;
	if (t->found != NULL)
		call_reply_more(t->call, t->found);
	strlcpy(t->child, j->child, sizeof(t->child));
	t->found = json_pack("{s:o, s:o, s:I}", "job", query_job(t->call->server, j), "above",
	    above != 0 ? json_integer(above) : json_null(), "level",
	    (json_int_t)(j->depth - t->top_depth));
	return 0;
}

/* A child of that id; of this run of it? */
struct below {
	struct tree *tree;
	int64_t above;
};

static int
note_if_below(void *arg, const struct store_job *j)
{
	struct below *b = arg;

	if (j->depth > 0 && read_above(b->tree->call->server, j->job) == b->above)
		server_note(b->tree->call->server, &b->tree->todo, j->job);
	return 0;
}

static void
reverse(int64_t *items, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		int64_t kept = items[i];

		items[i] = items[count - 1 - i];
		items[count - 1 - i] = kept;
	}
}

/* Shows the next job, and puts its children first on the list. A top is noted as a negative number. 0 or -errno. */
static int
show_next(struct tree *t)
{
	struct server *s = t->call->server;
	int64_t number = t->todo.items[--t->todo.count];
	struct below below = {t, number < 0 ? -number : number};
	size_t before = t->todo.count;
	int r;

	if (number < 0)
		t->top_depth = -1;
	r = server_check(s, store_read_job(s->store, below.above, show, t));
	if (r == 0)
		r = server_check(s,
		    store_each_job(s->store, t->child, -1, below.above, -1, note_if_below, &below));
	if (t->todo.count > before)
		reverse(t->todo.items + before, t->todo.count - before);
	return r == -ENOENT ? 0 : r; /* not kept any more */
}

static void
tree_stream(struct call *call)
{
	struct tree *t = call->own;
	json_t *last;
	int r = 0;

	for (int i = 0; r == 0 && i < BATCH && t->todo.count > 0; i++)
		r = show_next(t);
	if (r < 0 || call->server->store_error != 0) {
		call_fail_store(call);
	} else if (t->todo.count == 0 || !call->api.is_more) {
		last = t->found;
		t->found = NULL;
		call_reply(call,
		    last != NULL ? last : json_pack("{s:n, s:n, s:i}", "job", "above", "level", 0));
	}
}

static int
compare_from_end(const void *a, const void *b)
{
	int64_t x = -*(const int64_t *)a, y = -*(const int64_t *)b;

	return (x < y) - (x > y);
}

/* Each top once, the oldest to be shown first. */
static void
sort_tops(struct numbers *tops)
{
	size_t count = 0;

	if (tops->count == 0)
		return;
	qsort(tops->items, tops->count, sizeof(tops->items[0]), compare_from_end);
	for (size_t i = 1; i < tops->count; i++) {
		if (tops->items[i] != tops->items[count])
			tops->items[++count] = tops->items[i];
	}
	tops->count = count + 1;
}

/* All families of which anybody lives. */
static void
note_all(struct tree *t)
{
	struct server *s = t->call->server;
	struct queue_job *j;

	for (j = queue_next_job(s->queue, NULL); j != NULL; j = queue_next_job(s->queue, j)) {
		const struct family_node *n = family_find(s->family, j->number);

		while (n != NULL && n->above != NULL)
			n = n->above;
		server_note(s, &t->todo, n != NULL ? -n->number : -j->number);
	}
}

static int
stop_at_first(void *arg, const struct store_job *j)
{
	(void)arg;
	(void)j;
	return 1;
}

/* The children of a parent that live, or have somebody below them who does. Returns whether it ever had any. */
static bool
note_children(struct tree *t, const char *parent)
{
	struct server *s = t->call->server;
	struct queue_parent *p = queue_find_parent(s->queue, parent);
	struct family_node *n = NULL;
	struct queue_job *j;

	if (p != NULL) {
		TAILQ_FOREACH (j, &p->jobs, in_parent)
			server_note(s, &t->todo, -j->number);
	}
	while ((n = family_next(s->family, n)) != NULL) {
		if (strcmp(n->parent, parent) == 0)
			server_note(s, &t->todo, -n->number);
	}
	return t->todo.count > 0 ||
	    store_each_job(s->store, parent, -1, 0, 1, stop_at_first, NULL) != 0;
}

static int
note_top(void *arg, const struct store_job *j)
{
	struct tree *t = arg;

	server_note(t->call->server, &t->todo, -j->job);
	return 0;
}

void
call_tree(struct call *call)
{
	struct tree *t = calloc(1, sizeof(*t));
	const char *field;
	struct fault f;

	if (t == NULL) {
		conn_drop(call->conn);
		return;
	}
	call->own = t;
	call->fini = tree_fini;
	t->call = call;
	field = api_read(&call->api, fields, &t->p, &f);
	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	if (t->p.of == NULL) {
		note_all(t);
	} else if (server_find_child(call->server, t->p.of, note_top, t) < 0 &&
	    !note_children(t, t->p.of)) {
		call_fail_no_child(call, t->p.of);
		return;
	}
	sort_tops(&t->todo);
	call->stream = tree_stream;
	tree_stream(call);
}
