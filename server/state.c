/*
 * state: see state.h.
 */
#include "server/state.h"

#include "base/clock.h"
#include "config/pool.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdlib.h>

#define RETRY_FIRST_NS (100 * NSEC_PER_MSEC)
#define RETRY_LAST_NS (5 * NSEC_PER_SEC)

/* When nothing has been written for this long, the store overwrites what was deleted. */
#define TIDY_NS NSEC_PER_SEC

void
server_note(struct server *s, struct numbers *n, int64_t number)
{
	if (n->count == n->size) {
		size_t size = n->size == 0 ? 64 : n->size * 2;
		int64_t *items = reallocarray(n->items, size, sizeof(*items));

		if (items == NULL) {
			server_check(s, -ENOMEM);
			return;
		}
		n->items = items;
		n->size = size;
	}
	n->items[n->count++] = number;
}

int
server_check(struct server *s, int r)
{
	if (r < 0 && r != -ENOENT && r != -EEXIST && r != -EINVAL && s->store_error == 0)
		s->store_error = r;
	return r;
}

void
server_back_off(struct server *s)
{
	s->retry_ns = s->retry_ns == 0 ? RETRY_FIRST_NS : s->retry_ns * 2;
	if (s->retry_ns > RETRY_LAST_NS)
		s->retry_ns = RETRY_LAST_NS;
	s->is_paused = true;
	timer_arm(&s->loop.timers, &s->retry, clock_add_ns(s->loop.now_ns, s->retry_ns));
}

void
server_tidy_later(struct server *s)
{
	timer_arm(&s->loop.timers, &s->tidy, clock_add_ns(s->loop.now_ns, TIDY_NS));
}

void
server_ask_all(struct server *s)
{
	link_send(s->link, WIRE_REPORT);
	s->syncs_owed++;
}

void
server_doubt(struct server *s)
{
	s->syncs_stale = s->syncs_owed;
}

bool
server_is_synced_by(struct server *s)
{
	if (s->syncs_owed > 0)
		s->syncs_owed--;
	if (s->syncs_stale == 0)
		return true;
	s->syncs_stale--;
	server_ask_all(s);
	return false;
}

int
server_set_pools(struct server *s)
{
	size_t count = 0, all = s->sections == NULL ? 0 : s->sections->count;
	struct queue_pool *pools = calloc(all + 1, sizeof(*pools));
	int r;

	if (pools == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all; i++) {
		const struct section *section = s->sections->items[i];

		if (section->kind == SECTION_POOL)
			pools[count++] =
			    (struct queue_pool){section->name, pool_max_running(section)};
	}
	r = queue_set_pools(s->queue, pools, count);
	free(pools);
	return r;
}

void
server_set_room(struct server *s)
{
	struct queue_room room = {.max_running = s->config.max_running,
	    .max_running_per_parent = s->config.max_running_per_parent,
	    .queue_limit = s->config.queue_limit};

	if (s->slot_count > 0 && room.max_running > s->slot_count)
		room.max_running = s->slot_count;
	room.max_running -=
	    s->stuck.count < room.max_running ? (uint32_t)s->stuck.count : room.max_running;
	queue_set_room(s->queue, &room);
}

void
server_set_stuck(struct server *s, int64_t job, bool is_stuck)
{
	struct numbers *n = &s->stuck;
	size_t i;

	for (i = 0; i < n->count && n->items[i] != job; i++)
		continue;
	if (is_stuck == (i < n->count))
		return;
	if (is_stuck)
		server_note(s, n, job);
	else
		n->items[i] = n->items[--n->count];
	server_set_room(s);
}

int
server_find_child(struct server *s, const char *child, store_job_cb *cb, void *arg)
{
	int r = server_check(s, store_read_child(s->store, child, cb, arg));
	const char *fault;
	int64_t number;

	if (r != -ENOENT)
		return r;
	number = strtonum(child, 1, INT64_MAX, &fault);
	return fault != NULL ? r : server_check(s, store_read_job(s->store, number, cb, arg));
}

size_t
server_unfinished(void *server, const char *parent)
{
	struct server *s = server;
	struct queue_parent *p = queue_find_parent(s->queue, parent);

	return p == NULL ? 0 : p->unfinished;
}

void
server_touch_parent(void *server, const char *parent)
{
	struct server *s = server;

	deliver_touch(s->deliver, parent);
	s->has_news = true;
}
