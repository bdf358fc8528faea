/*
 * told: promises.h, what the supervisor is asked for and what it tells: exactly one end of each job, told
 * until it is forgotten, and true. The simulator.
 */
#include "tests/sim/promises.h"

#include "supervisor/report.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/tables.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Wall times are in milliseconds. */
#define COARSE_NS (3 * NSEC_PER_MSEC)
#define PATIENCE_NS (30 * NSEC_PER_SEC)

static void
asked_to_spawn(const struct wire_spawn *spawn)
{
	struct job *job = children_find(spawn->job);

	if (!job->is_taken)
		world_note(job->id, "SPAWN taken", 0, 0);
	job->is_taken = true;
}

static void
asked_to_cancel(const struct wire_cancel *cancel)
{
	struct job *job = children_find(cancel->job);
	enum child_state state = tables_state(cancel->job);

	if (job == NULL || !child_is_live(&(struct child){.state = state}) ||
	    (cancel->cause != WIRE_CAUSE_CANCEL && cancel->cause != WIRE_CAUSE_OUTPUT))
		return;
	/* Before it is known to run there is no output. */
	if (cancel->cause == WIRE_CAUSE_OUTPUT && job->settled_ns == 0)
		return;
	world_note(job->id, "CANCEL taken: cause", cancel->cause, 0);
	if (job->cancelled_ns == 0) {
		job->cancelled_ns = world_now();
		job->is_cancelled_early = job->settled_ns == 0;
	}
	if (job->sure_cause == WIRE_CAUSE_NONE && job->signalled_ns == 0 &&
	    job->leader_died_ns == 0)
		job->sure_cause = (enum wire_cause)cancel->cause;
}

static void
asked_to_pause(uint64_t id, bool is_paused)
{
	struct job *job = children_find(id);
	enum child_state state = tables_state(id);

	if (job == NULL || (state != CHILD_RUNNING && state != CHILD_PAUSED))
		return;
	world_note(id, is_paused ? "PAUSE taken" : "UNPAUSE taken", 0, 0);
	if (!is_paused) {
		children_unpause(job);
	} else if (!job->is_paused) {
		job->paused_ns = world_now();
		job->is_paused = true;
	}
}

static void
asked_to_lull(uint64_t id, bool is_lulled)
{
	struct job *job = children_find(id);

	if (job == NULL || job->executed_ns == 0 || job->settled_ns == 0 ||
	    !child_is_live(&(struct child){.state = tables_state(id)}))
		return;
	world_note(id, is_lulled ? "LULL taken" : "LULL taken: it goes on", 0, 0);
	if (!is_lulled) {
		children_stir(job);
	} else if (!job->is_lulled) {
		job->lull_ns = children_clock(job);
		job->is_lulled = true;
	}
}

static void
asked_to_forget(uint64_t id)
{
	struct job *job = children_find(id);

	if (job == NULL || tables_state(id) != CHILD_OVER)
		return;
	world_note(id, "FORGET taken", 0, 0);
	job->is_forgotten = true;
	children_let_go(job);
}

/* All is to be told again. */
static void
tell_again(void)
{
	struct job *job;

	for (job = children_next(NULL); job != NULL; job = children_next(job)) {
		job->told.is_started = false;
		job->told.is_ended = false;
	}
}

void
promises_asked(const struct wire_message *m)
{
	if (m->type == WIRE_SPAWN)
		asked_to_spawn(&m->spawn);
	else if (m->type == WIRE_CANCEL)
		asked_to_cancel(&m->cancel);
	else if (m->type == WIRE_PAUSE || m->type == WIRE_UNPAUSE)
		asked_to_pause(m->job.job, m->type == WIRE_PAUSE);
	else if (m->type == WIRE_LULL)
		asked_to_lull(m->lull.job, m->lull.is_lulled != 0);
	else if (m->type == WIRE_FORGET)
		asked_to_forget(m->job.job);
	else if (m->type == WIRE_REPORT)
		tell_again();
}

static struct job *
told_of(uint64_t id, const char *what)
{
	struct job *job = children_find(id);

	world_note(id, what, 0, 0);
	if (job == NULL || !job->is_taken || job->is_forgotten)
		world_broken(id, "only jobs are told of that are not forgotten", "%s", what);
	return job;
}

/* Its last may have died during a pause. */
static bool
is_pausing(const struct job *job)
{
	return job->is_paused && !tables_is_over(job->id);
}

static void
told_started(const struct standing *s)
{
	struct job *job = told_of(s->job, "STARTED told");
	struct told *t = &job->told;
	if (t->is_ended)
		world_broken(s->job, "STARTED never comes after ENDED", "it did");
	if (job->executed_ns == 0)
		world_broken(s->job, "who never ran is never told to have started", "stage %u",
		    job->habits.exec_stage);
	if (s->pid != job->pid || s->mark != job->mark || s->containment == WIRE_CONTAIN_AUTO)
		world_broken(s->job, "STARTED tells who it is", "%d for %d", s->pid, job->pid);
	if ((s->paused_ns != 0) != is_pausing(job))
		world_broken(s->job, "a pause is told", "%d, not %u", s->paused_ns != 0,
		    job->is_paused);
	if ((s->lull_ns != 0) != job->is_lulled)
		world_broken(s->job, "a lull is told", "%d, not %d", s->lull_ns != 0,
		    job->is_lulled);
	if (s->revision < t->started.revision)
		world_broken(s->job, "a standing is never older than what was told", "%u after %u",
		    s->revision, t->started.revision);
	/* Of one that is over the clocks have stopped: its end is about to be told. */
	if (t->was_started && !tables_is_over(s->job) && s->revision == t->started.revision &&
	    (s->paused_ns != t->started.paused_ns || s->lull_ns != t->started.lull_ns ||
		s->granted_ns != t->started.granted_ns || s->ending_ns != t->started.ending_ns ||
		s->cause != t->started.cause))
		world_broken(s->job, "a change of a standing has a revision", "%u", s->revision);
	if ((s->cause != WIRE_CAUSE_NONE || job->signalled_ns != 0) && s->ending_ns == 0)
		world_broken(s->job, "who is being ended has that in his standing", "cause %u",
		    s->cause);
	t->started = *s;
	t->is_started = true;
	t->was_started = true;
}

static void
nobody_is_left(const struct job *job, const struct wire_ended *e)
{
	const struct process *p;

	if (job->spawn.limits.leftovers == LEFTOVERS_LEAVE && job->executed_ns != 0 &&
	    !job->is_ended_by_us)
		return;
	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (p->job == job->id && !p->is_zombie &&
		    (e->containment != WIRE_CONTAIN_GROUP || p->group == job->leader))
			world_broken(job->id, "after its end nothing of a job lives",
			    "%d does, containment %u, parent %" PRIu64 ", mark %" PRIx64,
			    (int)p->pid, e->containment, p->parent, p->mark);
}

static void
cause_is_the_first(const struct job *job, const struct wire_ended *e)
{
	uint64_t slack_ns = 2 * kernel_longest_turn_ns() * (1 + job->pause_count);

	if (job->sure_cause != WIRE_CAUSE_NONE && e->cause != (uint32_t)job->sure_cause)
		world_broken(job->id, "the cause is the first that was", "%u, not %u", e->cause,
		    job->sure_cause);
	if (job->is_ended_by_us && e->cause == WIRE_CAUSE_NONE)
		world_broken(job->id, "who was ended has a cause", "none");
	if ((e->cause == WIRE_CAUSE_CANCEL || e->cause == WIRE_CAUSE_OUTPUT) &&
	    job->cancelled_ns == 0)
		world_broken(job->id, "who was not cancelled is not told to be", "%u", e->cause);
	if ((e->cause == WIRE_CAUSE_TOTAL || e->cause == WIRE_CAUSE_IDLE) && job->signalled_ns == 0)
		world_broken(job->id, "who was told to have passed a limit was ended", "not yet");
	if (e->cause == WIRE_CAUSE_TOTAL &&
	    e->verdict_ns + slack_ns < job->spawn.limits.max_total_ns + job->granted_ns)
		world_broken(job->id, "a limit that has passed is what passed", "total");
	if (e->cause == WIRE_CAUSE_IDLE && e->idle_ns + slack_ns < job->spawn.limits.max_idle_ns)
		world_broken(job->id, "a limit that has passed is what passed", "idle");
}

static void
figures_are_true(const struct job *job, const struct wire_ended *e)
{
	uint64_t wall_ns = (uint64_t)(e->ended_wall_ms - e->started_wall_ms) * NSEC_PER_MSEC;
	uint64_t ended_ns = (uint64_t)e->ended_wall_ms * NSEC_PER_MSEC - KERNEL_WALL_AHEAD_NS;
	uint64_t pauses_ns = job->pauses_ns + (job->is_paused ? ended_ns - job->paused_ns : 0);
	int64_t difference_ns = (int64_t)(wall_ns - pauses_ns - e->elapsed_ns);

	if (e->wait_status != job->leader_status || e->pid != job->pid)
		world_broken(job->id, "the status is the first process's", "%d, not %d",
		    e->wait_status, job->leader_status);
	if ((e->was_killed != 0) != (job->killed_ns != 0) &&
	    job->spawn.limits.kill_signal != SIGKILL)
		world_broken(job->id, "SIGKILL is told", "%u", e->was_killed);
	if (llabs(difference_ns) >
	    (int64_t)(COARSE_NS + kernel_longest_turn_ns() * (1 + 2 * job->pause_count)))
		world_broken(job->id, "the clocks stand still during a pause",
		    "elapsed is wrong by %" PRId64 " ns", difference_ns);
	if (e->last.len != job->lines.last_len || e->last.is_cut != job->lines.is_last_cut ||
	    memcmp(e->last.text, job->lines.last, e->last.len) != 0)
		world_broken(job->id, "the last line is the last line", "%u bytes, not %u",
		    e->last.len, job->lines.last_len);
}

static void
no_more_is_granted(const struct job *job, uint64_t max_total_ns)
{
	const struct limits *l = &job->spawn.limits;

	if (max_total_ns > l->max_total_ns &&
	    (l->max_total_ns == WATCHDOG_OFF || max_total_ns - l->max_total_ns > l->max_extend_ns))
		world_broken(job->id, "no more is granted than max_extend", "%" PRIu64,
		    max_total_ns);
}

static void
told_stuck(struct job *job, const struct wire_ended *e)
{
	const struct process *p;
	uint32_t i;

	/* Told again it is the same, whoever has gone since. */
	if (job->told.was_stuck)
		return;
	job->told.was_stuck = true;
	if (job->killed_ns == 0 ||
	    job->killed_ns + PATIENCE_NS > world_now() + kernel_longest_turn_ns())
		world_broken(job->id, "30 s of SIGKILL come before despair", "killed at %" PRIu64,
		    job->killed_ns);
	for (i = 0; i < e->survivor_count && i < WIRE_SURVIVORS_MAX; i++) {
		/* Without a mark nobody can be named but the leader. */
		if (e->survivors[i] == 0 && job->mark == 0)
			continue;
		p = processes_find_pid(e->survivors[i]);
		/* It may have gone since the supervisor has seen it. */
		if ((p == NULL || p->job != job->id) &&
		    job->last_death_ns + NSEC_PER_SEC < world_now())
			world_broken(job->id, "who survives SIGKILL is named", "%d, containment %u",
			    e->survivors[i], e->containment);
	}
}

static void
told_ended(const struct wire_ended *e)
{
	struct job *job = told_of(e->job, "ENDED told");
	struct told *t = &job->told;

	if (e->survivor_count > 0) {
		told_stuck(job, e);
		return;
	}
	if (t->was_ended && memcmp(e, &t->ended, sizeof(*e)) != 0)
		world_broken(e->job, "what is told again is the same", "ENDED");
	t->ended = *e;
	t->is_ended = true;
	t->was_refused |= e->stage == WIRE_STAGE_SLOT;
	if (t->was_ended)
		return;
	t->was_ended = true;
	if (e->stage != WIRE_STAGE_NONE && t->was_started)
		world_broken(e->job, "who has started is not told never to have run", "stage %u",
		    e->stage);
	if (e->stage == WIRE_STAGE_NONE && !t->was_started)
		world_broken(e->job, "STARTED comes before ENDED", "it did not");
	if (job->is_cloned)
		nobody_is_left(job, e);
	if (e->stage == WIRE_STAGE_NONE) {
		no_more_is_granted(job, e->max_total_ns);
		cause_is_the_first(job, e);
		figures_are_true(job, e);
	}
}

static void
told_looked(const struct wire_looked *l)
{
	const struct job *job = told_of(l->job, "LOOKED told");

	if (job->executed_ns != 0)
		no_more_is_granted(job, l->max_total_ns);
	if ((l->is_paused != 0) != is_pausing(job))
		world_broken(l->job, "a look shows a pause", "%u, not %u", l->is_paused,
		    job->is_paused);
}

static void
told_progress(const struct wire_progress *p)
{
	struct job *job = told_of(p->job, "PROGRESS told");

	if (!job->told.was_started || job->told.is_ended)
		world_broken(p->job, "lines are told between start and end", "they were not");
	if (p->last.len == 0)
		world_broken(p->job, "lines without text are not told", "skipped %u", p->skipped);
	/* One may have waited for room on the wire, up to the next. */
	if (job->progress_ns[0] != 0 && tables_state(p->job) == CHILD_RUNNING &&
	    world_now() - job->progress_ns[0] < REPORT_NEWS_NS)
		world_broken(p->job, "lines are told one at a time", "three within %" PRIu64 " ns",
		    world_now() - job->progress_ns[0]);
	job->progress_ns[0] = job->progress_ns[1];
	job->progress_ns[1] = world_now();
}

static void
told_idle(const struct wire_idle *i)
{
	const struct job *job = told_of(i->job, "IDLE told");

	if (!job->told.was_started || job->told.is_ended)
		world_broken(i->job, "silence is told between start and end", "it was not");
	if (i->is_idle != 0 && i->idle_ns < job->spawn.limits.max_idle_ns / 2)
		world_broken(i->job, "silence is told when half of max_idle has passed",
		    "%" PRIu64 " of %" PRIu64 " ns", i->idle_ns, job->spawn.limits.max_idle_ns);
}

static void
told_synced(void)
{
	const struct job *job;
	enum child_state state;

	for (job = children_next(NULL); job != NULL; job = children_next(job)) {
		state = tables_state(job->id);
		if (!job->is_taken || job->is_forgotten || state == CHILD_FREE)
			continue;
		if ((state == CHILD_OVER && !job->told.is_ended) ||
		    (state != CHILD_OVER && state != CHILD_STARTING && job->told.was_started &&
			!job->told.is_started))
			world_broken(job->id, "SYNCED comes when all was told", "%s was not",
			    child_state_name(state));
	}
}

void
promises_told(const struct wire_message *m)
{
	if (m->type == WIRE_STARTED)
		told_started(&m->started);
	else if (m->type == WIRE_ENDED)
		told_ended(&m->ended);
	else if (m->type == WIRE_LOOKED)
		told_looked(&m->looked);
	else if (m->type == WIRE_PROGRESS)
		told_progress(&m->progress);
	else if (m->type == WIRE_IDLE)
		told_idle(&m->idle);
	else if (m->type == WIRE_SYNCED)
		told_synced();
	else if (m->type == WIRE_HELLO)
		tell_again();
}

bool
promises_has_open_job(void)
{
	const struct job *job;

	for (job = children_next(NULL); job != NULL; job = children_next(job))
		if (job->is_taken && !job->is_forgotten && !job->told.was_refused)
			return true;
	return false;
}

void
promises_at_end(void)
{
	const struct job *job;

	for (job = children_next(NULL); job != NULL; job = children_next(job))
		if (job->is_taken && !job->is_forgotten && !job->told.was_refused)
			world_broken(job->id, "every job ends and is told", "at the end of all");
	if (kernel_open_count() != 0)
		world_broken(0, "no descriptor is lost", "%u are open at the end",
		    kernel_open_count());
}
