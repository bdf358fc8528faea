/*
 * turn: see turn.h.
 */
#include "server/turn.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/approvals.h"
#include "server/call.h"
#include "server/cancel.h"
#include "server/defer.h"
#include "server/due.h"
#include "server/jobs.h"
#include "server/load.h"
#include "server/opener.h"
#include "server/prune.h"
#include "server/settle.h"
#include "server/suspension.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

/* How long a daemon that stops waits for those who are reading records. */
#define FAREWELL_NS (5 * NSEC_PER_SEC)

#define EFFECT "new work is refused, and what runs is watched on"

/* The store failed with that error; its words stay until it works again. */
static void
take_trouble(struct server *s, int error)
{
	const char *words = error == -ENOMEM ? strerror(ENOMEM) : store_fault(s->store);

	trouble_begin(&s->trouble, s->loop.now_ns, s->paths.database, error, words, EFFECT);
	s->is_store_down = true;
}

static int
probe(struct server *s)
{
	int r = store_probe(s->store);

	if (r == 0)
		r = store_commit(s->store);
	if (r < 0)
		store_rollback(s->store);
	return r;
}

/* Whether the store takes writes again; else it is tried later. */
static bool
is_writable(struct server *s)
{
	int r = probe(s);

	if (r < 0)
		take_trouble(s, r);
	/* It may be the store's own log that fills the disk. */
	if (r == -ENOSPC && store_tidy(s->store) == 0)
		r = probe(s);
	return r == 0;
}

static void
leave_trouble(struct server *s)
{
	s->is_store_down = false;
	if (s->has_let_go) {
		log_line(
		    "the store works again, but not all ends were kept: another server begins");
		s->exit_code = EX_IOERR;
		s->is_over = true;
	}
	server_doubt(s);
	trouble_end(&s->trouble);
	prune_look(s);
}

/* After a pause: the supervisor is asked for all that could not be stored, then starts go on. */
static void
retry_expired(void *arg)
{
	struct server *s = arg;

	if (s->store == NULL)
		return;
	/* What this turn has written already finds out as well. */
	if (s->is_store_down && (store_is_dirty(s->store) || !is_writable(s))) {
		server_back_off(s);
		if (s->is_hurried)
			opener_ask(s);
		return;
	}
	if (s->is_store_down)
		leave_trouble(s);
	/* Whoever could not be adopted is tried again when all is told. */
	if (s->is_synced && !s->has_unwatched)
		s->is_paused = false;
	else
		server_ask_all(s);
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
		    api_error("StoreFailed", json_pack("{s:s}", "reason", s->trouble.fault.text)));
}

/* The next server checks the file, and sets it aside if need be: keeper.c knows by the exit code. */
static void
end_damaged(struct server *s)
{
	log_line("the server ends, so that another checks the store");
	s->exit_code = EX_DATAERR;
	s->is_over = true;
}

/*
 * The store refused: everything is as after the last commit, and what the supervisor told since,
 * it is asked for again.
 */
static void
undo_turn(struct server *s)
{
	int error = s->store_error;

	take_trouble(s, error);
	conns_take_back(s->conns, take_back_reply, s);
	store_rollback(s->store);
	s->to_start.count = s->to_forget.count = s->orphaned.count = 0;
	link_drop_spawns(s->link);
	s->store_error = 0;
	if (error == -EBADMSG) {
		end_damaged(s);
		return;
	}
	if (load_all(s) < 0) {
		log_line("the store cannot be read: %s; the server ends, and another begins",
		    store_fault(s->store));
		s->exit_code = EX_IOERR;
		s->is_over = true;
		return;
	}
	/* Who runs is to be known meanwhile: they may be cancelled. */
	server_doubt(s);
	server_ask_all(s);
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

	if (s->store != NULL && !store_is_dirty(s->store))
		store_tidy(s->store);
}

/* Everything that this turn wrote becomes durable at once, or none of it. */
static void
commit_turn(struct server *s)
{
	if (s->store_error == 0 && store_is_dirty(s->store)) {
		server_check(s, store_commit(s->store));
		server_tidy_later(s);
		if (s->store_error == 0)
			prune_look(s);
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
	suspension_flush(s);
	jobs_launch(s);
	if (!store_is_dirty(s->store) && s->store_error == 0 && !s->is_store_down)
		deliver_flush(s->deliver);
	if (!store_is_dirty(s->store) && s->store_error == 0)
		feed_flush(s->feed);
	if (!store_is_dirty(s->store) && s->store_error == 0) {
		s->has_more = conns_flush(s->conns);
		s->has_more |= feed_has_more(s->feed);
	}
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
	if (s->store == NULL) {
		s->has_more = conns_flush(s->conns);
		return;
	}
	do {
		s->has_news = false;
		if (store_is_dirty(s->store))
			defer_end(s);
		approvals_turn(s);
		/* Who wants back the room that he has lent says so before it is given away. */
		calls_pump(s);
		settle_waits(s);
		cancel_orphans(s);
		jobs_schedule(s);
		commit_turn(s);
		flush_turn(s);
	} while (!s->is_over && (s->has_news || store_is_dirty(s->store) || s->store_error != 0));
	due_arm(s);
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
