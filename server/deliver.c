/*
 * deliver: see deliver.h. Which parents have an outlet, which of them are to be looked at, and
 * inotify.
 */
#include "server/deliver.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/path.h"
#include "server/fifo.h"
#include "server/outlet.h"
#include "server/rival.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * A reader that takes a record byte by byte, as the shell's read does, is not looked at for each
 * of them.
 */
#define MUTE_NS NSEC_PER_MSEC

/* How long to wait before FIFOs that could not be opened are tried again; doubles from attempt to attempt. */
#define SHUT_FIRST_NS (100 * NSEC_PER_MSEC)
#define SHUT_LAST_NS (5 * NSEC_PER_SEC)

#define INDEX_STEP 64

RB_HEAD(outlet_tree, outlet);
TAILQ_HEAD(outlet_list, outlet);

struct deliver {
	struct outlet_world world;
	struct loop *loop;
	struct loop_io io; /* inotify */
	struct timer mute;
	struct timer again; /* FIFOs that are shut are tried */
	uint64_t again_ns;  /* how long that waits the next time */
	struct outlet_tree tree;
	struct outlet_list dirty;
	size_t open_count;
	struct outlet **outlets; /* the open ones by index; NULL where free */
	size_t outlet_size;
};

static int
compare_outlets(const struct outlet *a, const struct outlet *b)
{
	return strcmp(a->parent, b->parent);
}

RB_GENERATE_INTERNAL(outlet_tree, outlet, by_parent, compare_outlets,
    static __attribute__((unused)))

static struct outlet *
find_outlet(struct deliver *d, const char *parent)
{
	struct outlet *o = RB_ROOT(&d->tree);
	int order;

	while (o != NULL && (order = strcmp(parent, o->parent)) != 0)
		o = order < 0 ? RB_LEFT(o, by_parent) : RB_RIGHT(o, by_parent);
	return o;
}

static void
mark_dirty(struct deliver *d, struct outlet *o)
{
	if (o->is_dirty)
		return;
	o->is_dirty = true;
	TAILQ_INSERT_TAIL(&d->dirty, o, dirty_entry);
}

/* The open outlet of another parent that has this FIFO, by whatever path; or NULL. */
static const struct outlet *
find_rival(const struct deliver *d, const char *parent, const struct fifo_id *id)
{
	for (size_t i = 0; i < d->outlet_size; i++) {
		const struct outlet *o = d->outlets[i];

		if (o != NULL && o->id.device == id->device && o->id.inode == id->inode &&
		    strcmp(o->parent, parent) != 0)
			return o;
	}
	return NULL;
}

/*
 * Gives it the lowest free index, so that the supervisor's table stays dense. Of two that have one FIFO,
 * each would take back the other's record and count it as read.
 */
static int
outlet_opened(void *deliver, struct outlet *o, struct fault *f)
{
	struct deliver *d = deliver;
	const struct outlet *rival = find_rival(d, o->parent, &o->id);
	struct outlet **outlets;
	size_t i = 0;

	if (rival != NULL)
		return rival_fault(o->path, rival->parent, f);
	while (i < d->outlet_size && d->outlets[i] != NULL)
		i++;
	if (i == d->outlet_size) {
		outlets = recallocarray(d->outlets, d->outlet_size, d->outlet_size + INDEX_STEP,
		    sizeof(struct outlet *));
		if (outlets == NULL)
			return fault_set(f, ENOMEM, "%s: out of memory", o->path);
		d->outlets = outlets;
		d->outlet_size += INDEX_STEP;
	}
	d->outlets[i] = o;
	o->index = i;
	d->again_ns = SHUT_FIRST_NS;
	return 0;
}

static struct outlet *
add_outlet(struct deliver *d, const char *parent)
{
	struct outlet *o = outlet_new(&d->world, parent);

	if (o != NULL)
		RB_INSERT(outlet_tree, &d->tree, o);
	return o;
}

static void
drop_outlet(struct deliver *d, struct outlet *o)
{
	if (o->is_dirty)
		TAILQ_REMOVE(&d->dirty, o, dirty_entry);
	RB_REMOVE(outlet_tree, &d->tree, o);
	outlet_free(o);
}

/* There is room for one more: whoever could not be opened tries again. */
static void
outlet_closed(void *deliver, struct outlet *closed)
{
	struct deliver *d = deliver;
	struct outlet *o;

	d->outlets[closed->index] = NULL;
	RB_FOREACH (o, outlet_tree, &d->tree) {
		if (!o->is_in_trouble || o->fd >= 0)
			continue;
		mark_dirty(d, o);
		d->world.settled(d->world.arg);
	}
}

void
deliver_open_all(struct deliver *d)
{
	struct outlet *o;

	RB_FOREACH (o, outlet_tree, &d->tree) {
		if (o->fd >= 0 && o->watch >= 0)
			continue;
		mark_dirty(d, o);
		d->world.settled(d->world.arg);
	}
}

void
deliver_touch(struct deliver *d, const char *parent)
{
	struct outlet *o = find_outlet(d, parent);

	if (o == NULL)
		o = add_outlet(d, parent);
	if (o != NULL)
		mark_dirty(d, o);
}

/* Not heard for a moment; then those that have a record in flight are looked at. */
static void
mute(struct deliver *d)
{
	loop_change(d->loop, &d->io, 0);
	timer_arm(&d->loop->timers, &d->mute, clock_add_ns(d->loop->now_ns, MUTE_NS));
}

static void
try_later(struct deliver *d)
{
	if (d->again.is_armed)
		return;
	timer_arm(&d->loop->timers, &d->again, clock_add_ns(d->loop->now_ns, d->again_ns));
	d->again_ns = d->again_ns * 2 < SHUT_LAST_NS ? d->again_ns * 2 : SHUT_LAST_NS;
}

static void
again_expired(void *arg)
{
	deliver_open_all(arg);
}

void
deliver_flush(struct deliver *d)
{
	struct outlet_list list = TAILQ_HEAD_INITIALIZER(list);
	struct outlet *o;

	TAILQ_CONCAT(&list, &d->dirty, dirty_entry);
	while ((o = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, o, dirty_entry);
		o->is_dirty = false;
		switch (outlet_pump(o)) {
		case OUTLET_OPEN:
			break;
		case OUTLET_BLIND:
			d->again_ns = SHUT_FIRST_NS;
			try_later(d);
			break;
		case OUTLET_SHUT:
			try_later(d);
			break;
		case OUTLET_HALF_READ:
			mute(d);
			break;
		case OUTLET_AGAIN:
			mark_dirty(d, o);
			break;
		case OUTLET_DONE:
			drop_outlet(d, o);
			break;
		}
	}
}

/* The events that are there, up to a buffer full. Whether there were any. */
static bool
hear_some(struct deliver *d)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(d->io.fd, buffer, sizeof(buffer));
	const struct inotify_event *event;
	struct outlet *o;

	for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)(buffer + at);
		RB_FOREACH (o, outlet_tree, &d->tree) {
			/* So many events that some were lost: whatever it was, it may have been this one's. */
			if (o->watch != event->wd && !(event->mask & IN_Q_OVERFLOW))
				continue;
			outlet_note(o, event->mask & IN_Q_OVERFLOW ? UINT32_MAX : event->mask);
			mark_dirty(d, o);
		}
	}
	return n > 0;
}

static void
inotify_ready(void *arg, uint32_t events)
{
	(void)events;
	hear_some(arg);
}

/* In the middle of a flush. Those that it concerns are looked at when the ear opens again. */
static void
hear(void *deliver)
{
	struct deliver *d = deliver;

	while (hear_some(d)) {
		if (!d->mute.is_armed)
			mute(d);
	}
}

static void
mute_expired(void *arg)
{
	struct deliver *d = arg;
	struct outlet *o;

	loop_change(d->loop, &d->io, EPOLLIN);
	RB_FOREACH (o, outlet_tree, &d->tree) {
		if (o->flight_len > 0)
			mark_dirty(d, o);
	}
}

int
deliver_new(struct loop *l, struct store *s, struct holds *holds, const char *parents_dir,
    size_t max_open, const struct deliver_handlers *h, struct deliver **ret_deliver)
{
	struct deliver *d = calloc(1, sizeof(*d));
	int fd, r;

	if (d == NULL)
		return -ENOMEM;
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	d->world = (struct outlet_world){.store = s,
	    .holds = holds,
	    .inotify_fd = fd,
	    .unfinished = h->unfinished,
	    .hold = h->hold,
	    .release = h->release,
	    .settled = h->settled,
	    .trouble = h->trouble,
	    .check = h->check,
	    .max_open = max_open,
	    .open_count = &d->open_count,
	    .opened = outlet_opened,
	    .closed = outlet_closed,
	    .arg = h->arg,
	    .hear = hear,
	    .deliver = d};
	strlcpy(d->world.parents_dir, parents_dir, sizeof(d->world.parents_dir));
	d->loop = l;
	RB_INIT(&d->tree);
	TAILQ_INIT(&d->dirty);
	timer_init(&d->mute, mute_expired, d);
	timer_init(&d->again, again_expired, d);
	d->again_ns = SHUT_FIRST_NS;
	r = fd < 0 ? -errno : loop_add(l, &d->io, fd, EPOLLIN, inotify_ready, d);
	if (r < 0) {
		fd_close(&fd);
		free(d);
		return r;
	}
	*ret_deliver = d;
	return 0;
}

void
deliver_free(struct deliver *d)
{
	struct outlet *o;

	if (d == NULL)
		return;
	while ((o = RB_MIN(outlet_tree, &d->tree)) != NULL)
		drop_outlet(d, o);
	timer_disarm(&d->loop->timers, &d->mute);
	timer_disarm(&d->loop->timers, &d->again);
	loop_remove(d->loop, &d->io);
	fd_close(&d->world.inotify_fd);
	free(d->outlets);
	free(d);
}

int
deliver_prepare(struct deliver *d, const char *parent, char path[PATH_MAX], struct fault *f)
{
	struct outlet *o = find_outlet(d, parent);
	bool is_tsv;
	int r = outlet_settings(&d->world, parent, path, &is_tsv);

	if (r < 0)
		return fault_set(f, -r, "the FIFO of parent %s: %s", parent, strerror(-r));
	r = fifo_make(path, f);
	if (r < 0)
		return r;
	/* Another path: the old FIFO is let go of. Another FIFO at the same one: when nobody reads the old one. */
	if (o != NULL && o->fd >= 0 && strcmp(o->path, path) != 0)
		outlet_close(o);
	if (o != NULL)
		o->is_doubtful = true;
	if (o != NULL) {
		o->is_tsv = is_tsv;
		mark_dirty(d, o);
	}
	return 0;
}

static int
copy_known(void *arg, const struct store_parent *p)
{
	struct store_parent *known = arg;

	known->path = p->path == NULL ? NULL : strdup(p->path);
	known->format = strcmp(p->format, "tsv") == 0 ? "tsv" : "json";
	return 0;
}

/* Whether path, NULL for where it is now, is free of other parents' FIFOs. 0 or -errno. */
static int
check_rivals(struct deliver *d, const char *parent, const char *path, struct fault *f)
{
	char current[PATH_MAX], own[PATH_MAX];
	const struct outlet *rival;
	struct fifo_id id;
	bool is_tsv;
	int r = outlet_settings(&d->world, parent, current, &is_tsv);

	if (path == NULL)
		path = current;
	if (r == 0)
		r = path_join(d->world.parents_dir, parent, own);
	if (r < 0)
		return fault_set(f, -r, "the FIFO of parent %s: %s", parent, strerror(-r));
	if (fifo_identify_at(path, &id) && (rival = find_rival(d, parent, &id)) != NULL)
		return rival_fault(path, rival->parent, f);
	return strcmp(path, own) == 0
	    ? 0
	    : rival_check(d->world.store, d->world.parents_dir, parent, path, f);
}

int
deliver_configure(struct deliver *d, const char *parent, const char *new_path,
    const char *new_format, char path[PATH_MAX], struct fault *f)
{
	struct store_parent known = {.name = parent, .format = "json"};
	char *old_path;
	int r = check_rivals(d, parent, new_path, f);

	if (r == 0 && new_path != NULL)
		r = fifo_make(new_path, f);
	if (r < 0)
		return r;
	if (new_path == NULL && new_format == NULL)
		return deliver_prepare(d, parent, path, f);
	store_read_parent(d->world.store, parent, copy_known, &known);
	old_path = (char *)known.path;
	if (new_path != NULL)
		known.path = new_path;
	if (new_format != NULL)
		known.format = new_format;
	r = store_set_parent(d->world.store, &known);
	free(old_path);
	if (r < 0)
		return fault_set(f, -r, "%s", store_fault(d->world.store));
	return deliver_prepare(d, parent, path, f);
}

bool
deliver_yield(struct deliver *d, int64_t seq, const char *parent)
{
	struct outlet *o = find_outlet(d, parent);

	if (o == NULL || o->flight_seq != seq)
		return true;
	mark_dirty(d, o);
	return outlet_yield(o);
}

bool
deliver_is_busy(struct deliver *d)
{
	struct outlet *o;

	RB_FOREACH (o, outlet_tree, &d->tree) {
		if (outlet_is_busy(o))
			return true;
	}
	return false;
}

void
deliver_forget(struct deliver *d, int64_t seq)
{
	struct outlet *o;

	RB_FOREACH (o, outlet_tree, &d->tree) {
		if (o->flight_seq != seq || seq == 0)
			continue;
		mark_dirty(d, o);
		outlet_yield(o);
	}
}

int
deliver_board(const struct deliver *d, size_t count, struct lifeboat *b)
{
	int error = 0;

	for (size_t i = 0; i < d->outlet_size && i < count && error == 0; i++)
		if (d->outlets[i] != NULL)
			error = lifeboat_add(b, LIFEBOAT_WRITER, i, d->outlets[i]->fd);
	return error;
}
