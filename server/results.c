/*
 * results: see results.h.
 */
#include "server/results.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/id.h"
#include "server/inlined.h"
#include "server/regular.h"
#include "server/starter.h"

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a turn is spent on it at the most, and how much is read before the clock is looked at. */
#define TURN_NS NSEC_PER_MSEC
#define PIECE (64 * 1024)

/* So many are made by turns, which bounds descriptors; the others wait. */
#define OPEN_MAX 8

/* One file that is being made. */
struct work {
	TAILQ_ENTRY(work) entry;
	int64_t job, after, last; /* records up to `after` are in it */
	bool is_waiting;          /* in which list it is */
	char parent[ID_SIZE];
	char path[PATH_MAX], part[PATH_MAX]; /* where it is to stand, and where it is written */
	int fd;
	json_t *record; /* of the child whose result is being read, or NULL */
	int result_fd;  /* that result, or -1 */
	int64_t left;   /* how much of it is to be read: what it had when it was opened */
	struct inlined result;
};

TAILQ_HEAD(work_list, work);

struct results {
	struct loop *loop;
	const struct paths *paths;
	struct store *const *store;
	struct results_handlers handlers;
	struct work_list works; /* the first is the next to be worked on; OPEN_MAX at the most */
	size_t count;
	struct work_list waiting;
	struct timer turn;
};

static void
drop(struct results *all, struct work *w)
{
	TAILQ_REMOVE(w->is_waiting ? &all->waiting : &all->works, w, entry);
	all->count -= !w->is_waiting;
	json_decref(w->record);
	fd_close(&w->result_fd);
	if (w->fd >= 0)
		unlink(w->part);
	fd_close(&w->fd);
	free(w);
}

/* The order is done, or has failed; error is 0 or -errno. */
static void
finish(struct results *all, struct work *w, int error)
{
	const struct results_handlers *h = &all->handlers;
	int64_t job = w->job;
	struct fault f;

	if (error == 0 && rename(w->part, w->path) < 0)
		error = -errno;
	if (error == 0) {
		strlcpy(f.text, w->path, sizeof(f.text));
		fd_close(&w->fd);
	} else {
		fault_set(&f, -error, "results file %s: %s", w->path, strerror(-error));
	}
	drop(all, w);
	h->done(h->arg, job, error, f.text);
}

/* What an earlier server left unfinished there is begun anew. 0 or -errno. */
static int
open_part(struct results *all, struct work *w)
{
	int r = starter_results_path(all->paths, w->job, w->path);

	if (r == 0)
		r = starter_results_part(all->paths, w->job, w->part);
	if (r < 0)
		return r;
	unlink(w->part);
	w->fd = open(w->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return w->fd < 0 ? -errno : 0;
}

/* Of one that is too long to be digested the end alone is read. 0 or -errno. */
static int
skip_to_tail(struct work *w)
{
	if (lseek(w->result_fd, w->left - INLINED_TAIL, SEEK_SET) < 0)
		return -errno;
	inlined_skip(&w->result, (uint64_t)w->left - INLINED_TAIL);
	w->left = INLINED_TAIL;
	return 0;
}

/* The child's result is behind its record, if it has one. 0 or -ENOMEM. */
static int
open_result(struct results *all, struct work *w, int64_t job)
{
	char path[PATH_MAX];
	int r = starter_result_path(all->paths, job, path);

	if (r == 0)
		r = w->result_fd = regular_open(path, &w->left);
	inlined_begin(&w->result);
	if (r >= 0 && w->left > INLINED_DIGESTED_MAX)
		r = skip_to_tail(w);
	if (r >= 0)
		return 0;
	fd_close(&w->result_fd);
	w->left = 0;
	return inlined_describe_none(w->record, inlined_reason(-r));
}

struct next {
	struct work *work;
	int64_t job; /* 0: there is none left */
};

static int
take_record(void *arg, const struct store_record *r)
{
	struct next *n = arg;

	if (r->seq > n->work->last)
		return 0;
	n->job = r->job;
	n->work->after = r->seq;
	n->work->record = json_loads(r->body, 0, NULL);
	return 0;
}

static int
write_record(struct work *w)
{
	char *line = json_dumps(w->record, JSON_COMPACT);
	int r = line == NULL ? -ENOMEM : fd_write_all(w->fd, line, strlen(line));

	if (r == 0)
		r = fd_write_all(w->fd, "\n", 1);
	free(line);
	json_decref(w->record);
	w->record = NULL;
	return r;
}

/* Reads the next piece of the result, and closes it at its end. 0 or -ENOMEM. */
static int
read_piece(struct work *w)
{
	char piece[PIECE];
	size_t want = w->left < PIECE ? (size_t)w->left : PIECE;
	ssize_t n = fd_read_all(w->result_fd, piece, want);

	if (n > 0) {
		inlined_add(&w->result, piece, (size_t)n);
		w->left -= n;
	}
	/* It may have become shorter, if somebody still writes to it. */
	if (n == (ssize_t)want && w->left > 0)
		return 0;
	fd_close(&w->result_fd);
	if (n < 0)
		return inlined_describe_none(w->record, inlined_reason((int)-n));
	if (w->result.is_skipped && w->left > 0)
		return inlined_describe_none(w->record, "it became shorter while it was read");
	return inlined_describe(&w->result, w->record);
}

/* Goes on with the result that is being read, or to the next record. May end the order. */
static void
step(struct results *all, struct work *w)
{
	struct next next = {.work = w};
	int r;

	if (w->fd < 0) {
		r = open_part(all, w);
	} else if (w->result_fd >= 0) {
		r = read_piece(w);
	} else {
		r = store_each_record(*all->store, w->parent, w->after, 1, take_record, &next);
		if (r < 0) {
			drop(all, w);
			all->handlers.store_failed(all->handlers.arg, r);
			return;
		}
		if (next.job == 0) {
			finish(all, w, 0);
			return;
		}
		r = w->record == NULL ? -ENOMEM : open_result(all, w, next.job);
	}
	if (r == 0 && w->record != NULL && w->result_fd < 0)
		r = write_record(w);
	if (r < 0)
		finish(all, w, r);
}

/* Those for which there is room are waited for no more. Returns whose turn it is, or NULL. */
static struct work *
next_work(struct results *all)
{
	struct work *w;

	while (all->count < OPEN_MAX && (w = TAILQ_FIRST(&all->waiting)) != NULL) {
		TAILQ_REMOVE(&all->waiting, w, entry);
		TAILQ_INSERT_TAIL(&all->works, w, entry);
		w->is_waiting = false;
		all->count++;
	}
	return TAILQ_FIRST(&all->works);
}

static void
turn(void *arg)
{
	struct results *all = arg;
	uint64_t begun_ns = clock_mono_ns();
	struct work *w;

	if (*all->store == NULL)
		results_clear(all);
	while ((w = next_work(all)) != NULL && clock_mono_ns() - begun_ns < TURN_NS) {
		TAILQ_REMOVE(&all->works, w, entry);
		TAILQ_INSERT_TAIL(&all->works, w, entry);
		step(all, w);
	}
	/* Not for now: that would be within this turn. */
	if (w != NULL)
		timer_arm(&all->loop->timers, &all->turn, all->loop->now_ns + 1);
}

int
results_new(struct loop *l, const struct paths *p, struct store *const *store,
    const struct results_handlers *h, struct results **ret_results)
{
	struct results *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return -ENOMEM;
	all->loop = l;
	all->paths = p;
	all->store = store;
	all->handlers = *h;
	TAILQ_INIT(&all->works);
	TAILQ_INIT(&all->waiting);
	timer_init(&all->turn, turn, all);
	*ret_results = all;
	return 0;
}

void
results_free(struct results *all)
{
	if (all == NULL)
		return;
	results_clear(all);
	free(all);
}

static struct work *
find(const struct results *all, int64_t job)
{
	struct work *w;

	TAILQ_FOREACH (w, &all->works, entry) {
		if (w->job == job)
			return w;
	}
	TAILQ_FOREACH (w, &all->waiting, entry) {
		if (w->job == job)
			return w;
	}
	return NULL;
}

void
results_forget(struct results *all, int64_t job)
{
	struct work *w = find(all, job);

	if (w != NULL)
		drop(all, w);
}

void
results_clear(struct results *all)
{
	struct work *w;

	while ((w = next_work(all)) != NULL)
		drop(all, w);
	timer_disarm(&all->loop->timers, &all->turn);
}

int
results_begin(struct results *all, const struct results_order *o)
{
	struct work *w;

	results_forget(all, o->job);
	w = malloc(sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->job = o->job;
	w->after = o->since;
	w->last = o->last;
	w->record = NULL;
	w->fd = w->result_fd = -1;
	w->is_waiting = true;
	strlcpy(w->parent, o->parent, sizeof(w->parent));
	TAILQ_INSERT_TAIL(&all->waiting, w, entry);
	if (!all->turn.is_armed)
		timer_arm(&all->loop->timers, &all->turn, all->loop->now_ns + 1);
	return 0;
}
