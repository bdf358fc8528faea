/*
 * recovery: see recovery.h. Must never start anything: what may have run is adopted or lost, never run again.
 */
#include "server/recovery.h"

#include "base/fd.h"
#include "base/log.h"
#include "server/jobs.h"
#include "server/starter.h"
#include "server/stranger.h"
#include "server/suspension.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What the store knows of a job that may run. */
struct past {
	enum status status;
	uint64_t supervisor;
	bool is_of_this_boot;
	struct limits limits;
	struct standing standing;
	const char *boot_id; /* of this machine now */
};

static int
copy_past(void *arg, const struct store_job *j)
{
	struct past *p = arg;

	p->status = j->status;
	p->supervisor = j->supervisor;
	p->is_of_this_boot = j->boot_id != NULL && strcmp(j->boot_id, p->boot_id) == 0;
	p->limits = j->limits;
	p->standing = j->standing;
	/* Of one that was resumed it says when it was started before. */
	if (j->status == STATUS_STARTING)
		p->standing.started_wall_ms = 0;
	return 0;
}

static void
lose(struct server *s, const struct queue_job *j, const char *why)
{
	const struct ending e = {.status = STATUS_LOST, .error = why};

	log_line("job %" PRId64 " (%s) is %s", j->number, j->child, why);
	jobs_end(s, j->number, &e);
}

static void
adopt(struct server *s, struct queue_job *j, const struct past *p)
{
	struct wire_adopt m = {.standing = p->standing, .limits = p->limits};
	int fds[WIRE_ADOPT_FD_COUNT];
	bool is_deaf;
	struct fault f;

	if (starter_reopen(&s->paths, &p->standing, fds, &is_deaf, &f) < 0) {
		log_line("job %" PRId64 " (%s) cannot be watched yet: %s", j->number, j->child,
		    f.text);
		s->has_unwatched = true;
		server_back_off(s);
		return;
	}
	/* Who cannot be heard is not idle. */
	if (is_deaf) {
		log_line("job %" PRId64
			 " (%s): its heartbeat pipe was removed, and what it has open "
			 "cannot be seen: its idle limit is off",
		    j->number, j->child);
		m.limits.max_idle_ns = WATCHDOG_OFF;
	}
	log_line("job %" PRId64 " (%s) is adopted", j->number, j->child);
	link_adopt(s->link, &m, fds);
}

/* It never was; and if somebody asked for its end meanwhile, it never will be. */
static void
put_back(struct server *s, struct queue_job *j)
{
	queue_put_back(s->queue, j, 0);
	if (j->is_cancelled)
		jobs_cancel(s, j);
}

static void
settle(struct server *s, struct queue_job *j)
{
	struct past p = {.boot_id = s->boot_id};

	if (server_check(s, store_read_job(s->store, j->number, copy_past, &p)) < 0)
		return;
	if (p.status == STATUS_STARTING && p.supervisor == s->instance) {
		if (server_check(s, store_set_queued(s->store, j->number)) == 0)
			put_back(s, j);
	} else if (!p.is_of_this_boot && j->is_suspending && !j->is_cancelled) {
		suspension_enter(s, j, &p.limits);
	} else if (!p.is_of_this_boot) {
		lose(s, j, "lost: the machine was restarted while it ran");
	} else {
		adopt(s, j, &p);
	}
}

void
recovery_synced(struct server *s)
{
	struct queue_job *j, *next;

	s->has_unwatched = false;
	for (j = queue_next_job(s->queue, NULL); j != NULL; j = next) {
		next = queue_next_job(s->queue, j);
		if (queue_is_live(j) && !j->is_told)
			settle(s, j);
	}
	s->is_synced = true;
	s->is_paused = false;
	s->has_news = true;
}

void
recovery_meet_unknown(struct server *s, const struct standing *st)
{
	if (stranger_meet(s, st))
		jobs_started(s, st);
}
