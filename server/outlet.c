/*
 * outlet: see outlet.h.
 */
#include "server/outlet.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/path.h"
#include "server/fifo.h"
#include "server/record.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * IN_CLOSE_WRITE may be a reader who had it open for both, or the supervisor, letting go of an earlier server's
 * end.
 */
#define WATCH_EVENTS \
	(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF)
/* After these its path may name another file, or none; an open FIFO that is removed changes its link count. */
#define MOVED_EVENTS (IN_ATTRIB | IN_MOVE_SELF | IN_UNMOUNT)

/* After these somebody else may go on with what one has begun to read. */
#define READER_EVENTS (IN_OPEN | IN_CLOSE_NOWRITE | IN_CLOSE_WRITE)

/*
 * How long a record of which not one byte is left is not taken for read, where it may have been two who read it:
 * the kernel tells of a read after it has taken the bytes out, and who is put aside in between, because others
 * want the processor, was seen to be told of 10 ms late. Who opens the FIFO anew for each record, and so
 * quickly that nobody sees him away, is held up by that.
 */
#define DOUBT_NS (20 * NSEC_PER_MSEC)

/* Records looked at in one go for one that nobody holds. */
#define PENDING_BATCH 64

struct outlet *
outlet_new(const struct outlet_world *w, const char *parent)
{
	size_t size = strlen(parent) + 1;
	struct outlet *o = calloc(1, sizeof(*o) + size);

	if (o == NULL)
		return NULL;
	memcpy(o->parent, parent, size);
	o->world = w;
	o->fd = o->watch = -1;
	return o;
}

void
outlet_free(struct outlet *o)
{
	outlet_close(o);
	free(o->path);
	free(o);
}

/* By the descriptor: its path may name another file by now. */
static void
watch(struct outlet *o)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", o->fd);
	o->watch = inotify_add_watch(o->world->inotify_fd, link, WATCH_EVENTS);
}

static void
unwatch(struct outlet *o)
{
	if (o->watch >= 0)
		inotify_rm_watch(o->world->inotify_fd, o->watch);
	o->watch = -1;
}

/* The pipe is empty. */
static void
end_flight(struct outlet *o)
{
	const struct outlet_world *w = o->world;

	if (o->flight_seq != 0) {
		holds_remove(w->holds, o->flight_seq);
		w->settled(w->arg);
	}
	o->flight_len = 0;
	o->flight_seq = 0;
	o->doubt_ns = 0;
}

void
outlet_close(struct outlet *o)
{
	if (o->fd < 0)
		return;
	unwatch(o);
	/* One who is in the middle of a record gets the rest of it. */
	if (o->flight_len > 0 && fifo_unread(o->fd) == o->flight_len)
		fifo_drain(o->fd);
	fd_close(&o->fd);
	o->world->release(o->world->arg, o->index);
	end_flight(o);
	--*o->world->open_count;
	o->world->closed(o->world->deliver, o);
}

struct settings {
	char *path;
	bool is_tsv;
};

static int
copy_settings(void *arg, const struct store_parent *p)
{
	struct settings *s = arg;

	s->is_tsv = strcmp(p->format, "tsv") == 0;
	if (p->path != NULL)
		strlcpy(s->path, p->path, PATH_MAX);
	return 0;
}

int
outlet_settings(const struct outlet_world *w, const char *parent, char path[PATH_MAX],
    bool *ret_is_tsv)
{
	struct settings settings = {.path = path};
	int r = id_fault(parent) == NULL ? path_join(w->parents_dir, parent, path) : -EINVAL;

	if (r < 0)
		return r;
	r = store_read_parent(w->store, parent, copy_settings, &settings);
	*ret_is_tsv = settings.is_tsv;
	return r == -ENOENT ? 0 : r;
}

static void
trouble(struct outlet *o, const struct fault *f)
{
	if (!o->is_in_trouble)
		o->world->trouble(o->world->arg, f->text);
	o->is_in_trouble = true;
}

static int
open_fifo(struct outlet *o)
{
	char path[PATH_MAX];
	struct fault f = {""};
	int r = outlet_settings(o->world, o->parent, path, &o->is_tsv);

	if (r < 0)
		fault_set(&f, -r, "no FIFO for the parent of a record: %s", strerror(-r));
	free(o->path);
	o->path = r < 0 ? NULL : strdup(path);
	if (r == 0 && o->path == NULL)
		r = fault_set(&f, ENOMEM, "%s: out of memory", path);
	if (r == 0)
		r = fifo_make(path, &f);
	if (r == 0 && *o->world->open_count >= o->world->max_open)
		r = fault_set(&f, EMFILE,
		    "%s: %zu FIFOs are open, as many as the limit of open files allows", path,
		    o->world->max_open);
	if (r == 0)
		r = fifo_open(path, &f);
	if (r >= 0) {
		o->fd = r;
		fifo_identify(o->fd, &o->id);
	}
	if (r >= 0)
		r = o->world->opened(o->world->deliver, o, &f);
	if (r < 0) {
		fd_close(&o->fd);
		trouble(o, &f);
		return r;
	}
	o->is_in_trouble = false;
	++*o->world->open_count;
	watch(o);
	/* What an earlier server left in the pipe may be half read: its reader gets the rest. */
	o->flight_seq = 0;
	o->flight_len = fifo_unread(o->fd);
	o->is_begun = o->has_changed = o->is_torn = o->is_doubtful = false;
	o->world->hold(o->world->arg, o->index, o->fd);
	return 0;
}

/*
 * Takes the record out of the pipe, of which `unread` bytes were there, to be written anew. Our own
 * reading must not be seen as a reader's. One who came at this very moment may have some of them.
 */
static void
take_back(struct outlet *o, size_t unread)
{
	size_t drained;

	unwatch(o);
	drained = fifo_drain(o->fd);
	watch(o);
	/* What became of the FIFO meanwhile was told of a watch that is no more. */
	o->is_doubtful = true;
	if (drained > 0 && drained < unread)
		o->is_ragged = true;
	end_flight(o);
}

bool
outlet_yield(struct outlet *o)
{
	if (o->fd < 0 || o->flight_len == 0)
		return true;
	if (fifo_unread(o->fd) < o->flight_len)
		return false;
	take_back(o, o->flight_len);
	return true;
}

/* Whether somebody has read of the record that is in the pipe, or was. */
static bool
is_read_of(const struct outlet *o)
{
	return o->flight_len > 0 && fifo_unread(o->fd) < o->flight_len;
}

void
outlet_note(struct outlet *o, uint32_t mask)
{
	if (mask & MOVED_EVENTS)
		o->is_doubtful = true;
	/* Whatever was lost may have been that one went and another read on. */
	if (mask & IN_Q_OVERFLOW && is_read_of(o))
		o->is_torn = true;
	if (mask & IN_ACCESS && o->has_changed)
		o->is_torn = true;
	if (mask & IN_ACCESS)
		o->is_begun = true;
	if (mask & READER_EVENTS && o->is_begun && is_read_of(o))
		o->has_changed = true;
}

/*
 * The store may refuse: then the record is found again as one that was taken, and this is done
 * again.
 */
static void
acknowledge(struct outlet *o)
{
	const struct outlet_world *w = o->world;
	bool was_pending;

	w->check(w->arg, store_acknowledge(w->store, o->taken_seq, &was_pending));
}

/*
 * Of a record of which nothing is left: whether all is told of who read it, so that is_torn is true or not.
 * Where readers came or went in the middle, the one who read the rest may be here, and his last read not told.
 */
static bool
is_clear(struct outlet *o)
{
	const struct outlet_world *w = o->world;
	uint64_t now_ns;

	if (o->flight_seq == 0 || o->is_torn || !o->has_changed)
		return true;
	/* All have gone: that is told after what they have read. */
	if (!fifo_has_reader(o->fd)) {
		w->hear(w->deliver);
		return true;
	}
	now_ns = clock_mono_ns();
	if (o->doubt_ns == 0)
		o->doubt_ns = now_ns + DOUBT_NS;
	return now_ns >= o->doubt_ns;
}

/* Whether the pipe is empty: all was read, or is taken back because its reader went away. */
static bool
settle_flight(struct outlet *o)
{
	size_t unread = fifo_unread(o->fd);

	if (o->flight_len == 0)
		return true;
	/* Whatever was done to make it so is told by now, but for the last read: is_clear(). */
	o->world->hear(o->world->deliver);
	if (unread == 0) {
		if (!is_clear(o))
			return false;
		if (o->flight_seq != 0 && !o->is_torn) {
			o->taken_seq = o->flight_seq;
			acknowledge(o);
		}
		end_flight(o);
		return true;
	}
	/*
	 * Where one of several has gone, another may be in the middle of it: the rest is his. What is torn
	 * is written anew when it has been read.
	 */
	if (fifo_has_reader(o->fd))
		return false;
	take_back(o, unread);
	return true;
}

struct next_record {
	struct holds *holds;
	int64_t last_seq; /* of those looked at */
	size_t count;
	int64_t seq; /* of the one found, 0: none */
	char *body;
};

static int
take_unheld(void *arg, const struct store_record *r)
{
	struct next_record *next = arg;

	next->last_seq = r->seq;
	next->count++;
	if (holds_owner(next->holds, r->seq) != NULL)
		return 0;
	next->seq = r->seq;
	next->body = strdup(r->body);
	return next->body != NULL ? 1 : -ENOMEM;
}

/* The oldest record that nobody holds. Returns 1, 0 if all are held or there is none, or -errno. */
static int
find_record(struct outlet *o, struct next_record *next)
{
	int r;

	memset(next, 0, sizeof(*next));
	next->holds = o->world->holds;
	do {
		next->count = 0;
		r = store_each_pending(o->world->store, o->parent, next->last_seq, PENDING_BATCH,
		    take_unheld, next);
	} while (r == 0 && next->count == PENDING_BATCH);
	return r;
}

static int
stop_at_first(void *arg, const struct store_record *r)
{
	(void)arg;
	(void)r;
	return 1;
}

static bool
has_pending(const struct outlet *o)
{
	return store_each_pending(o->world->store, o->parent, 0, 1, stop_at_first, NULL) != 0;
}

bool
outlet_is_busy(const struct outlet *o)
{
	return o->fd >= 0 && fifo_has_reader(o->fd) && (o->flight_len > 0 || has_pending(o));
}

/* Whether there is anything to deliver or to wait for. */
static bool
is_needed(const struct outlet *o)
{
	const struct outlet_world *w = o->world;

	return w->unfinished(w->arg, o->parent) > 0 || has_pending(o);
}

static void
write_record(struct outlet *o, int64_t seq, const char *body)
{
	char *line = o->is_tsv ? record_to_tsv(body) : strdup(body);
	size_t len = line == NULL ? 0 : strlen(line);

	/* What is told so far is about the record before. */
	o->world->hear(o->world->deliver);
	if (line == NULL || !holds_add(o->world->holds, seq, o->parent, o)) {
		free(line);
		return;
	}
	line[len] = '\n'; /* in place of its NUL: written as one piece */
	o->flight_seq = seq;
	o->flight_len = len + 1;
	/* The piece that somebody has is to be a line of its own. */
	if (o->is_ragged && write(o->fd, "\n", 1) == 1)
		o->flight_len++;
	o->is_ragged = false;
	o->unread = o->flight_len;
	o->is_begun = o->has_changed = o->is_torn = false;
	/*
	 * Fails where the reader has just gone, or somebody filled the pipe: their next step
	 * wakes us.
	 */
	if (write(o->fd, line, len + 1) < 0)
		end_flight(o);
	free(line);
}

/* A record is in the pipe, and somebody reads it: whether he is getting on. Or it is not clear who has. */
static enum outlet_state
look_at_reader(struct outlet *o)
{
	size_t before = o->unread;

	o->unread = fifo_unread(o->fd);
	return o->unread < before || o->doubt_ns != 0 ? OUTLET_HALF_READ : OUTLET_OPEN;
}

/*
 * Whether something else is where the FIFO was, and nobody reads what was there. Who does is served
 * to his end: to him the end of the file would say that all work is done.
 */
static bool
is_replaced(struct outlet *o)
{
	if (!o->is_doubtful || fifo_has_reader(o->fd))
		return false;
	o->is_doubtful = false;
	return !fifo_is_same(o->fd, o->path);
}

static enum outlet_state
pump(struct outlet *o)
{
	int64_t taken_seq = o->taken_seq;
	struct next_record next;
	int r;

	if (o->fd >= 0 && !settle_flight(o))
		return look_at_reader(o);
	if (o->taken_seq != taken_seq)
		return OUTLET_AGAIN;
	if (!is_needed(o))
		return OUTLET_DONE;
	if (o->fd >= 0 && is_replaced(o)) {
		outlet_close(o);
		return OUTLET_SHUT;
	}
	if (o->fd < 0 && open_fifo(o) < 0)
		return OUTLET_SHUT;
	if (!settle_flight(o))
		return OUTLET_OPEN;
	if (!fifo_has_reader(o->fd))
		return OUTLET_OPEN;
	r = find_record(o, &next);
	if (r != 1) {
		o->world->check(o->world->arg, r);
		return OUTLET_OPEN;
	}
	if (next.seq != o->taken_seq)
		write_record(o, next.seq, next.body);
	else
		acknowledge(o);
	free(next.body);
	return next.seq != o->taken_seq ? OUTLET_OPEN : OUTLET_AGAIN;
}

/* Whether it goes on, and nobody would tell. */
static bool
is_blind(const struct outlet *o, enum outlet_state state)
{
	return o->fd >= 0 && o->watch < 0 && state != OUTLET_DONE && state != OUTLET_AGAIN;
}

enum outlet_state
outlet_pump(struct outlet *o)
{
	enum outlet_state state = pump(o);

	if (!is_blind(o, state))
		return state;
	/* There was no room for another watch: there may be now, and what came in between is looked at. */
	watch(o);
	if (o->watch < 0)
		return OUTLET_BLIND;
	if (is_read_of(o))
		o->is_torn = true;
	state = pump(o);
	return is_blind(o, state) ? OUTLET_BLIND : state;
}
