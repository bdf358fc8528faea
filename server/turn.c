/*
 * turn: see turn.h.
 */
#include "server/turn.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/call.h"
#include "server/jobs.h"

/* How long a daemon that stops waits for those who are reading records. */
#define FAREWELL_NS (5 * NSEC_PER_SEC)

/* When nothing has been written for this long, the store overwrites what was deleted. */
#define TIDY_NS NSEC_PER_SEC

/* After a pause: the supervisor is asked for all that could not be stored, then starts go on. */
static void
retry_expired(void *arg)
{
	struct server *s = arg;

	s->is_store_down = false;
	if (s->is_synced)
		s->is_paused = false;
	else
		link_send(s->link, WIRE_REPORT);
	s->has_news = true;
}

/* A client that was answered in a turn that did not come to be: nothing of that answer is true. */
static void
take_back_reply(void *arg, struct conn *c)
{
	struct server *s = arg;

	holds_release(s->holds, c, server_touch_parent, s);
	if (conn_state(c) != NULL)
		conn_drop(c); /* in the middle of a stream: it has to ask again */
	else
		conn_send(c,
		    api_error("StoreFailed", json_pack("{s:s}", "reason", store_fault(s->store))));
}

/*
 * The store refused: everything is as after the last commit, and what the supervisor told since,
 * it is asked for again.
 */
static void
undo_turn(struct server *s)
{
	log_line("the store failed: %s; going on without it, trying again", store_fault(s->store));
	conns_take_back(s->conns, take_back_reply, s);
	store_rollback(s->store);
	s->to_start.count = s->to_forget.count = 0;
	link_drop_spawns(s->link);
	s->store_error = 0;
	s->is_store_down = true;
	if (jobs_load(s) < 0) {
		log_line("the store cannot be read: %s; ending", store_fault(s->store));
		s->is_over = true;
	}
	server_back_off(s);
}

static void
send_forgets(struct server *s)
{
	/*
	 * QUIT is refused while the supervisor remembers a job: after these it may be said again.
	 */
	if (s->to_forget.count > 0)
		s->is_quitting = false;
	for (size_t i = 0; i < s->to_forget.count; i++)
		link_send_job(s->link, WIRE_FORGET, (uint64_t)s->to_forget.items[i]);
	s->to_forget.count = 0;
}

static void
tidy_expired(void *arg)
{
	struct server *s = arg;

	if (!store_is_dirty(s->store))
		store_tidy(s->store);
}

/* Everything that this turn wrote becomes durable at once, or none of it. */
static void
commit_turn(struct server *s)
{
	if (s->store_error == 0 && store_is_dirty(s->store)) {
		server_check(s, store_commit(s->store));
		timer_arm(&s->loop.timers, &s->tidy, clock_add_ns(s->loop.now_ns, TIDY_NS));
	}
	if (s->store_error != 0)
		undo_turn(s);
}

/*
 * What leaves after the commit. A start that fails, a record that was read, write to the store
 * again: then the rest waits.
 */
static void
flush_turn(struct server *s)
{
	send_forgets(s);
	jobs_launch(s);
	if (!store_is_dirty(s->store) && s->store_error == 0 && !s->is_store_down)
		deliver_flush(s->deliver);
	if (!store_is_dirty(s->store) && s->store_error == 0)
		s->has_more = conns_flush(s->conns);
}

static void
farewell_expired(void *arg)
{
	((struct server *)arg)->is_leaving = true;
}

/*
 * Nothing runs any more. Whoever reads a FIFO, or was given a record, gets a moment to take it;
 * then the daemon ends.
 */
static void
leave(struct server *s)
{
	if (holds_are_none(s->holds) && !deliver_is_busy(s->deliver))
		s->is_leaving = true;
	if (!s->is_leaving) {
		if (!s->farewell.is_armed)
			timer_arm(&s->loop.timers, &s->farewell,
			    clock_add_ns(s->loop.now_ns, FAREWELL_NS));
		return;
	}
	if (s->is_quitting)
		return;
	calls_end(s);
	conns_flush(s->conns);
	link_send(s->link, WIRE_QUIT);
	s->is_quitting = true;
}

/* Once every start is settled the supervisor may give way; it waits itself until all ends are stored. */
static void
give_way(struct server *s)
{
	struct queue_job *j;

	for (j = queue_next_job(s->queue, NULL); j != NULL; j = queue_next_job(s->queue, j)) {
		if (j->status == STATUS_STARTING)
			return;
	}
	if (!s->has_yielded)
		link_send(s->link, WIRE_UPGRADE);
	s->has_yielded = true;
}

void
turn_end(struct server *s)
{
	do {
		s->has_news = false;
		jobs_schedule(s);
		calls_pump(s);
		commit_turn(s);
		flush_turn(s);
	} while (!s->is_over && (s->has_news || store_is_dirty(s->store) || s->store_error != 0));
	/*
	 * Only now are the FIFOs open again: the supervisor may let go of what an earlier server
	 * had it hold.
	 */
	if (s->is_synced && !s->is_ready) {
		link_send(s->link, WIRE_READY);
		s->is_ready = true;
	}
	if (s->is_upgrading && !s->is_over)
		give_way(s);
	if (s->is_stopping && s->is_synced && queue_running(s->queue) == 0 && !s->is_over)
		leave(s);
}

void
turn_init(struct server *s)
{
	timer_init(&s->retry, retry_expired, s);
	timer_init(&s->tidy, tidy_expired, s);
	timer_init(&s->farewell, farewell_expired, s);
}
