/*
 * told: see told.h.
 */
#include "server/told.h"

#include "base/log.h"
#include "server/call.h"
#include "server/jobs.h"
#include "server/opener.h"
#include "server/recovery.h"
#include "server/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* A new supervisor, or a new server of the old one: from here on it tells all it has. */
static void
on_hello(struct server *s, const struct wire_hello *m)
{
	s->instance = m->instance;
	s->slot_count = m->slot_count;
	s->supervisor_pid = m->pid;
	s->mark_limit = m->mark_limit;
	s->counts_processes = m->counts_processes != 0;
	server_set_room(s);
	if (s->config.max_running > s->slot_count)
		log_line("max_running is %" PRIu32 ", but only %" PRIu32
			 " jobs fit under the limit "
			 "of open files; raise it (ulimit -Hn, LimitNOFILE=)",
		    s->config.max_running, s->slot_count);
}

static void
on_looked(struct server *s, const struct wire_looked *m)
{
	struct call *call, *next;

	jobs_looked(s, m);
	TAILQ_FOREACH_SAFE (call, &s->calls, entry, next) {
		if (call->looked != NULL)
			call->looked(call, m);
	}
}

static void
on_reload(struct server *s)
{
	char *faults = NULL;

	if (settings_load(s, &faults) == 0)
		log_line("%s: read again, in force", s->paths.config);
	else
		log_line("the configuration stays as it was: %s",
		    faults != NULL ? faults : "out of memory");
	free(faults);
}

/*
 * What could not be stored now stays in the supervisor's slots, and is asked for again. Who runs is
 * taken note of all the same.
 */
static bool
is_to_wait(struct server *s, const struct wire_message *m)
{
	if (m->type == WIRE_HELLO || m->type == WIRE_RELOAD)
		return false;
	if (s->store == NULL)
		return true;
	if (!s->is_store_down)
		return false;
	if (m->type == WIRE_STARTED)
		return queue_find(s->queue, (int64_t)m->started.job) == NULL;
	return m->type == WIRE_ENDED || m->type == WIRE_SYNCED;
}

void
told_message(struct server *s, const struct wire_message *m)
{
	if (m->type == WIRE_SYNCED && !server_is_synced_by(s))
		return;
	if (is_to_wait(s, m)) {
		opener_message(s, m);
		return;
	}
	switch ((enum wire_type)m->type) {
	case WIRE_HELLO:
		on_hello(s, &m->hello);
		break;
	case WIRE_STARTED:
		s->unstored_count += s->is_store_down;
		if (jobs_started(s, &m->started) == -ENOENT)
			recovery_meet_unknown(s, &m->started);
		break;
	case WIRE_ENDED:
		jobs_ended(s, &m->ended);
		feed_forget(s->feed, (int64_t)m->ended.job);
		break;
	case WIRE_SYNCED:
		recovery_synced(s);
		feed_sweep(s->feed);
		break;
	case WIRE_PROGRESS:
		feed_progress(s->feed, &m->progress);
		break;
	case WIRE_IDLE:
		feed_idle(s->feed, &m->idle);
		break;
	case WIRE_LOOKED:
		on_looked(s, &m->looked);
		break;
	case WIRE_RELOAD:
		on_reload(s);
		break;
	case WIRE_STOPPING:
		s->is_stopping = s->is_hurried = true;
		jobs_cancel_running(s);
		break;
	case WIRE_READY:
	case WIRE_SPAWN:
	case WIRE_ADOPT:
	case WIRE_CANCEL:
	case WIRE_LULL:
	case WIRE_PAUSE:
	case WIRE_UNPAUSE:
	case WIRE_FORGET:
	case WIRE_LOOK:
	case WIRE_REPORT:
	case WIRE_HOLD:
	case WIRE_RELEASE:
	case WIRE_QUIT:
	case WIRE_UPGRADE:
	case WIRE_RENEW:
	case WIRE_TYPE_COUNT:
		break; /* wire_receive() lets none of these through to the server */
	}
}
