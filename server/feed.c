/*
 * feed: see feed.h. New events are read from the store, after the commit, as many as were added: so
 * whoever adds an event need not know of the feed, and of a turn that was undone nothing is said.
 */
#include "server/feed.h"

#include "base/clock.h"
#include "base/id.h"
#include "server/event.h"
#include "server/kept.h"

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many events at once, and so many listeners that are behind, in a turn: others wait. */
#define BATCH 64
#define SERVED_PER_TURN 8

/* What is said of a job and not stored, on its way to those who are live. */
struct item {
	STAILQ_ENTRY(item) entry;
	int64_t job;
	int64_t after; /* the last event that came before it */
	char *line;
	char parent[ID_SIZE];
};

STAILQ_HEAD(items, item);

struct feed {
	struct store *const *store; /* NULL while there is none */
	struct queue *queue;
	feed_check_cb *checked;
	void *arg;
	struct kept *kept;
	struct listeners listeners;
	struct items items;
	int64_t told; /* the live ones were told everything up to here */
};

int
feed_new(struct store *const *store, struct queue *queue, feed_check_cb *checked, void *arg,
    struct feed **ret_feed)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f != NULL)
		f->kept = kept_new();
	if (f == NULL || f->kept == NULL) {
		free(f);
		return -ENOMEM;
	}
	f->store = store;
	f->queue = queue;
	f->checked = checked;
	f->arg = arg;
	listeners_init(&f->listeners);
	STAILQ_INIT(&f->items);
	*ret_feed = f;
	return 0;
}

static void
drop_item(struct feed *f)
{
	struct item *item = STAILQ_FIRST(&f->items);

	STAILQ_REMOVE_HEAD(&f->items, entry);
	free(item->line);
	free(item);
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	while (!STAILQ_EMPTY(&f->items))
		drop_item(f);
	kept_free(f->kept);
	free(f);
}

struct listener *
feed_subscribe(struct feed *f, const struct listener_request *request)
{
	bool is_first = TAILQ_EMPTY(&f->listeners.all);
	struct listener *l = listeners_add(&f->listeners, request);

	if (l == NULL)
		return NULL;
	/* Nobody has listened: nothing was counted. */
	if (is_first)
		f->told = store_last_seq(*f->store);
	l->goal = store_last_seq(*f->store);
	l->is_late = request->is_followed;
	l->has_begun = request->since >= 0 || request->is_followed;
	if (request->since >= 0)
		l->after = request->since;
	else if (request->is_followed)
		l->after = f->told;
	return l;
}

int64_t
feed_position(const struct feed *f, const struct listener *l)
{
	return l->state == LISTENER_LIVE ? f->told : l->after;
}

void
feed_resume(struct listener *l)
{
	if (l->state == LISTENER_BLOCKED && conn_pending(l->request.conn) <= LISTENER_LOW)
		listener_set(l, LISTENER_BEHIND);
}

/* To all who are live. line: taken. 0 or -errno. */
static int
tell(struct feed *f, char *line, int64_t seq, int64_t job, const char *parent)
{
	size_t len;
	char *text = line == NULL ? NULL : event_reply(line, seq != 0 ? seq : f->told, &len);
	int r = -ENOMEM;

	if (text != NULL)
		r = listeners_tell(&f->listeners, *f->store, text, len, seq, job, parent);
	free(line);
	free(text);
	return r;
}

/* What was said before the event that is told next; all of it, once everything is told. */
static int
tell_items(struct feed *f, bool is_all)
{
	struct item *item;
	int r = 0;

	while (r == 0 && (item = STAILQ_FIRST(&f->items)) != NULL &&
	    (is_all || item->after <= f->told)) {
		r = tell(f, item->line, 0, item->job, item->parent);
		item->line = NULL;
		drop_item(f);
	}
	return r;
}

static int
tell_row(void *arg, const struct store_event *e)
{
	struct feed *f = arg;
	int r = tell_items(f, false);

	if (r == 0 && listeners_hear(&f->listeners, e->parent))
		r = tell(f, event_of_row(e), e->seq, e->job, e->parent);
	if (r == 0)
		f->told = e->seq;
	return r;
}

/* New events to those who are live. 0 or -errno. */
static int
tell_new(struct feed *f)
{
	int64_t last = store_last_seq(*f->store), until = last;
	int r = 0;

	if (until > f->told + BATCH)
		until = f->told + BATCH;
	if (until > f->told)
		r = store_each_event(*f->store, f->told, until, BATCH, tell_row, f);
	if (r == 0)
		f->told = until;
	return r == 0 ? tell_items(f, f->told == last) : r;
}

/* Sends a line, which it takes, to one. 0; 1: enough for now; -ENOMEM. */
static int
send_one(struct listener *l, char *line)
{
	size_t len;
	char *text;

	if (line != NULL && l->request.is_single) {
		l->line = line;
		return 1;
	}
	text = line == NULL ? NULL : event_reply(line, l->after, &len);
	free(line);
	if (text == NULL)
		return -ENOMEM;
	conn_send_text(l->request.conn, text, len);
	free(text);
	return conn_pending(l->request.conn) > LISTENER_HIGH;
}

/* A walk through what is stored, or kept, for one who is behind. */
struct batch {
	const struct feed *feed;
	struct listener *listener;
	size_t count;
};

static int
found(void *arg, const struct store_event *e)
{
	struct batch *batch = arg;
	struct listener *l = batch->listener;
	int r = listener_hears(l, *batch->feed->store, e->job, e->parent);

	if (r < 0)
		return r;
	batch->count++;
	l->after = e->seq;
	return r == 0 ? 0 : send_one(l, event_of_row(e));
}

/*
 * What it should be told next may not be kept, or never was: it is told where it goes on. Who asked for
 * what there is gets that, though some is missing.
 */
static int
tell_reset(struct store *store, struct listener *l)
{
	int64_t oldest;
	int r = store_oldest_seq(store, &oldest);

	if (r < 0)
		return r;
	if (l->after + 1 >= oldest && l->after <= store_last_seq(store))
		l->has_begun = true;
	else if (l->has_begun) {
		l->after = oldest - 1;
		return send_one(l, event_reset(oldest));
	}
	return 0;
}

/* The lines that are kept of jobs that live. */
static int
tell_kept(struct feed *f, struct listener *l)
{
	struct kept_line *line = NULL;
	struct kept_job *job = NULL;
	int r;

	while ((job = kept_next_job(f->kept, job)) != NULL) {
		r = listener_hears(l, *f->store, job->number, job->parent);
		if (r < 0)
			return r;
		job->is_wanted = r > 0;
	}
	while ((line = kept_next_line(f->kept, line)) != NULL) {
		if (!line->job->is_wanted)
			continue;
		r = send_one(l, event_progress(line->job, line, true));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Nothing of what is stored is left for it. */
static int
catch_up(struct feed *f, struct listener *l)
{
	int r = 0;

	if (!l->request.is_followed) {
		l->request.ended(l->request.arg, 0, NULL);
		return 0;
	}
	/* It is live when nothing is under way that it has been told, or would be told as kept. */
	if (l->after > f->told || !STAILQ_EMPTY(&f->items)) {
		listener_set(l, LISTENER_BEHIND);
		return 0;
	}
	l->after = f->told;
	if (l->is_late)
		r = tell_kept(f, l);
	l->is_late = false;
	listener_set(l, LISTENER_LIVE);
	return r;
}

/* One batch from the store for one who is behind. 0 or -errno. */
static int
serve(struct feed *f, struct listener *l)
{
	struct batch batch = {.feed = f, .listener = l};
	int64_t last = l->request.is_followed ? f->told : l->goal;
	int r = tell_reset(*f->store, l);

	if (r == 0)
		r = store_each_event(*f->store, l->after, last, BATCH, found, &batch);
	if (r < 0)
		return r;
	if (l->line != NULL)
		l->request.ended(l->request.arg, 0, l->line);
	else if (r > 0)
		listener_set(l, LISTENER_BLOCKED);
	else if (batch.count == BATCH)
		listener_set(l, LISTENER_BEHIND); /* at the end of the line */
	else
		return catch_up(f, l);
	return 0;
}

/* Nobody is told anything that may not be so: they ask again. */
static void
fail_all(struct feed *f, int result)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(&f->listeners.all)) != NULL)
		l->request.ended(l->request.arg, result, NULL);
}

void
feed_flush(struct feed *f)
{
	struct listeners *ls = &f->listeners;
	struct listener *l;
	int r;

	/* Nobody listens, for no call is served, as long as there is no store. */
	if (TAILQ_EMPTY(&ls->all) || *f->store == NULL) {
		while (!STAILQ_EMPTY(&f->items))
			drop_item(f);
		return;
	}
	r = f->checked(f->arg, tell_new(f));
	for (int i = 0; i < SERVED_PER_TURN && r == 0 && (l = TAILQ_FIRST(&ls->behind)) != NULL;
	     i++)
		r = f->checked(f->arg, serve(f, l));
	if (r < 0)
		fail_all(f, r);
}

bool
feed_is_heard(const struct feed *f)
{
	return !TAILQ_EMPTY(&f->listeners.all);
}

bool
feed_has_more(const struct feed *f)
{
	if (*f->store == NULL)
		return false;
	return !TAILQ_EMPTY(&f->listeners.behind) ||
	    (!TAILQ_EMPTY(&f->listeners.all) && f->told < store_last_seq(*f->store));
}

/* line: taken. Where memory is short it is not told: nothing depends on it. */
static void
add_item(struct feed *f, const struct kept_job *job, char *line)
{
	struct item *item = calloc(1, sizeof(*item));

	if (item == NULL || line == NULL) {
		free(item);
		free(line);
		return;
	}
	item->job = job->number;
	item->after = store_added_seq(*f->store);
	item->line = line;
	strlcpy(item->parent, job->parent, sizeof(item->parent));
	STAILQ_INSERT_TAIL(&f->items, item, entry);
}

static struct kept_job *
find_job(struct feed *f, uint64_t number)
{
	const struct queue_job *j = queue_find(f->queue, (int64_t)number);

	return j == NULL ? NULL : kept_job(f->kept, j->number, j->parent->name, j->child);
}

void
feed_progress(struct feed *f, const struct wire_progress *m)
{
	struct kept_job *job = m->last.len == 0 ? NULL : find_job(f, m->job);
	struct kept_line *line = job == NULL ? NULL : kept_add(f->kept, job, m);

	if (line != NULL && listeners_hear(&f->listeners, job->parent))
		add_item(f, job, event_progress(job, line, false));
}

void
feed_idle(struct feed *f, const struct wire_idle *m)
{
	struct kept_job *job = find_job(f, m->job);
	bool is_idle = m->is_idle != 0;

	if (job == NULL || job->is_idle == is_idle)
		return;
	job->is_idle = is_idle;
	if (listeners_hear(&f->listeners, job->parent))
		add_item(f, job,
		    event_idle(job, clock_wall_ms(), is_idle,
			(int64_t)(m->idle_ns / NSEC_PER_MSEC)));
}

void
feed_forget(struct feed *f, int64_t job)
{
	if (queue_find(f->queue, job) == NULL)
		kept_forget(f->kept, job);
}

void
feed_sweep(struct feed *f)
{
	struct kept_job *job, *next = kept_next_job(f->kept, NULL);

	while ((job = next) != NULL) {
		next = kept_next_job(f->kept, job);
		feed_forget(f, job->number);
	}
}
