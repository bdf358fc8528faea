/*
 * promises: see promises.h. The simulator. What is promised of signals and deadlines; what is told is
 * judged in told.c, tables in tables.c. Must never take the supervisor's word for what it can reckon from
 * the world.
 */
#include "tests/sim/promises.h"

#include "supervisor/slots.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/server.h"
#include "tests/sim/tables.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>

/* Sums of times stop at "never". */
static uint64_t
later(uint64_t at_ns, uint64_t by_ns)
{
	return clock_add_ns(at_ns, by_ns);
}

/* Time within a turn is nobody's fault, and a pause or a lull begins and ends within one. */
static uint64_t
tolerance(const struct job *job)
{
	return kernel_longest_turn_ns() * (2 + 2 * (job->pause_count + job->lull_count)) + 50000;
}

static uint64_t
latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool
counts(const struct job *job, uint32_t activity)
{
	return (job->spawn.limits.activity & activity) != 0;
}

/* By the job's clock; 0: no sign that must have been seen. What came before this turn must have been. */
static uint64_t
last_sign(const struct job *job)
{
	uint64_t at_ns = 0, turn_ns = kernel_turn_ns() - job->pauses_ns;

	if (counts(job, ACTIVITY_HEARTBEAT)) {
		at_ns = latest(at_ns, job->read_ns);
		if (job->beat_ns <= turn_ns)
			at_ns = latest(at_ns, job->beat_ns);
	}
	if (counts(job, ACTIVITY_OUTPUT)) {
		at_ns = latest(at_ns, job->seen_ns);
		if (job->grown_ns <= turn_ns)
			at_ns = latest(at_ns, job->grown_ns);
	}
	return at_ns;
}

static bool
has_total_passed(const struct job *job)
{
	return job->executed_ns != 0 &&
	    later(job->executed_ns, later(job->spawn.limits.max_total_ns, job->granted_ns)) <=
	    children_clock(job) + tolerance(job);
}

static bool
has_idle_passed(const struct job *job)
{
	uint64_t sign_ns = last_sign(job);

	/* No output stands for the first beat. */
	if (job->executed_ns == 0 || job->is_lulled ||
	    (job->spawn.limits.idle_from == IDLE_FROM_FIRST_BEAT && job->read_ns == 0))
		return false;
	sign_ns = latest(sign_ns, job->quiet_ns);
	return later(latest(sign_ns, job->executed_ns), job->spawn.limits.max_idle_ns) <=
	    children_clock(job) + tolerance(job);
}

/* Its leader has ended, and what it left is not wanted. */
static bool
has_unwanted_leftovers(const struct job *job)
{
	return job->leader_died_ns != 0 &&
	    (job->executed_ns == 0 || job->spawn.limits.leftovers == LEFTOVERS_KILL);
}

static void
no_end_before_its_time(struct job *job, int signo)
{
	if (job->signalled_ns != 0 || job->cancelled_ns != 0 || has_unwanted_leftovers(job) ||
	    (!job->is_paused && (has_total_passed(job) || has_idle_passed(job))))
		return;
	world_broken(job->id, "no kill before the deadline",
	    "signal %d, clock %" PRIu64 " executed %" PRIu64 " sign %" PRIu64 " paused %d", signo,
	    children_clock(job), job->executed_ns, last_sign(job), job->is_paused);
}

static void
no_kill_before_grace(const struct job *job)
{
	const struct limits *limits = &job->spawn.limits;

	if (job->is_cancelled_early || limits->kill_signal == SIGKILL)
		return;
	if (job->signalled_ns == 0 ||
	    later(job->signalled_ns, limits->kill_grace_ns) > world_now() + tolerance(job))
		world_broken(job->id, "no SIGKILL before the grace period has passed",
		    "signalled at %" PRIu64 ", grace %" PRIu64, job->signalled_ns,
		    limits->kill_grace_ns);
}

static void
only_signals_that_are_meant(const struct job *job, int signo)
{
	if (signo == SIGSTOP && !job->is_paused)
		world_broken(job->id, "only what is paused is stopped", "signal %d", signo);
	if (signo != SIGSTOP && signo != SIGCONT && signo != SIGKILL &&
	    signo != job->spawn.limits.kill_signal)
		world_broken(job->id, "a job is asked to end as it wished", "signal %d", signo);
}

void
promises_tried(uint64_t id, int signo)
{
	struct job *job = children_find(id);

	world_note(id, "tries to signal", signo, 0);
	if (job == NULL)
		return;
	only_signals_that_are_meant(job, signo);
	if (signo == SIGSTOP || signo == SIGCONT)
		return;
	no_end_before_its_time(job, signo);
	if (signo == SIGKILL)
		no_kill_before_grace(job);
	children_unpause(job);
	if (job->signalled_ns == 0) {
		job->signalled_ns = world_now();
		job->is_ended_by_us = job->leader_died_ns == 0;
	}
	if (signo == SIGKILL && job->killed_ns == 0)
		job->killed_ns = world_now();
}

void
promises_signalled(const struct process *p, int signo)
{
	struct job *job = children_find(p->job);

	if (p->is_server) {
		if (server_is_heard())
			world_broken(0, "no server is killed that is heard", "signal %d", signo);
		return;
	}
	if (p->job == 0)
		world_broken(0, "no signal reaches a stranger", "signal %d to %d", signo,
		    (int)p->pid);
	if (job == NULL || job->is_forgotten || (job->told.was_ended && !p->is_zombie))
		world_broken(p->job, "no signal reaches what is left of a job that is over",
		    "signal %d to %d", signo, (int)p->pid);
	only_signals_that_are_meant(job, signo);
	if (signo != SIGSTOP && signo != SIGCONT && job->signalled_ns == 0)
		world_broken(p->job, "no signal reaches another job's process", "signal %d to %d",
		    signo, (int)p->pid);
}

void
promises_exit_known(uint64_t id)
{
	struct job *job = children_find(id);

	if (job == NULL || job->left_ns != 0)
		return;
	world_note(id, "its leader's end is known", job->leader_status, 0);
	job->left_ns = world_now();
	children_unpause(job);
}

void
promises_settled(uint64_t id)
{
	struct job *job = children_find(id);

	world_note(id, "settled", 0, 0);
	job->settled_ns = world_now();
}

/* When the supervisor must have ended it, by the job's clock, for the times it can have taken for true. */
static uint64_t
deadline(const struct job *job)
{
	const struct limits *l = &job->spawn.limits;
	uint64_t total_ns = later(job->settled_ns, later(l->max_total_ns, job->granted_ns));
	uint64_t idle_ns = UINT64_MAX;
	uint64_t sign_ns = 0;

	/* The first beat counts where the idle clock waits for it; any later one is later still. */
	if (counts(job, ACTIVITY_HEARTBEAT) || l->idle_from == IDLE_FROM_FIRST_BEAT)
		sign_ns = latest(sign_ns, latest(job->read_ns, job->beat_ns));
	if (counts(job, ACTIVITY_OUTPUT))
		sign_ns = latest(sign_ns, job->grown_ns);
	sign_ns = latest(sign_ns, job->quiet_ns);
	if (!job->is_lulled && (l->idle_from == IDLE_FROM_START || job->read_ns != 0))
		idle_ns = later(latest(job->settled_ns, sign_ns), l->max_idle_ns);
	return total_ns < idle_ns ? total_ns : idle_ns;
}

static void
no_deadline_passes_unseen(const struct job *job)
{
	uint64_t interval_ns = job->spawn.limits.check_interval_ns, at_ns = deadline(job);

	if (job->settled_ns == 0 || job->signalled_ns != 0 || job->is_paused ||
	    job->leader_died_ns != 0)
		return;
	at_ns = later(at_ns, job->pauses_ns + tolerance(job));
	if (interval_ns != 0 && at_ns % interval_ns != 0)
		at_ns = later(at_ns, interval_ns - at_ns % interval_ns);
	if (at_ns < kernel_turn_ns())
		world_broken(job->id, "no kill later than the deadline and one turn of the loop",
		    "it was due at %" PRIu64 ", settled %" PRIu64, at_ns, job->settled_ns);
}

static void
no_grace_without_end(const struct job *job)
{
	uint64_t at_ns = later(job->signalled_ns, job->spawn.limits.kill_grace_ns);

	if (job->signalled_ns == 0 || job->killed_ns != 0 ||
	    later(at_ns, tolerance(job)) >= kernel_turn_ns() || tables_is_over(job->id))
		return;
	world_broken(job->id, "SIGKILL comes when the grace period has passed",
	    "signalled at %" PRIu64, job->signalled_ns);
}

/* Whether the supervisor knows this process for one of the job: by its mark, or as a member of its group. */
static bool
is_reached(const struct job *job, const struct process *p)
{
	return p->job == job->id && !p->is_zombie &&
	    (p->group == job->leader ||
		(job->mark != 0 && job->told.was_started &&
		    job->told.started.containment != WIRE_CONTAIN_GROUP));
}

/* Once its leader has died the tree is looked at, at least each 100 ms; some looks fail. */
static void
no_one_is_forgotten_by_sigkill(const struct job *job)
{
	const struct process *p;

	if (job->leader_died_ns == 0 || tables_state(job->id) != CHILD_KILLING)
		return;
	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (is_reached(job, p) && !p->is_dying && !p->is_missed &&
		    p->busy_until_ns < world_now() &&
		    latest(p->born_ns, latest(job->killed_ns, job->leader_died_ns)) +
			    3 * NSEC_PER_SEC <
			world_now())
			world_broken(job->id, "SIGKILL comes to who has missed it",
			    "%d, born %" PRIu64, (int)p->pid, p->born_ns);
}

/* Where it had its whole grace period, and then SIGKILL. */
static void
no_patience_without_end(const struct job *job)
{
	uint64_t from_ns = job->killed_ns;

	if (job->spawn.limits.kill_signal == SIGKILL)
		from_ns = later(from_ns, job->spawn.limits.kill_grace_ns);
	if (job->killed_ns != 0 && tables_state(job->id) == CHILD_KILLING &&
	    later(from_ns, 32 * NSEC_PER_SEC) < world_now())
		world_broken(job->id, "after 30 s of SIGKILL the end is told", "killed at %" PRIu64,
		    job->killed_ns);
}

static void
no_one_stays_stopped(const struct job *job)
{
	const struct process *p;

	if (job->is_paused || job->unpaused_ns == 0 ||
	    job->unpaused_ns + 3 * NSEC_PER_SEC > world_now())
		return;
	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (is_reached(job, p) && p->is_stopped && p->is_stopped_by_us && !p->is_dying &&
		    !p->is_missed)
			world_broken(job->id, "who was stopped for a pause goes on after it", "%d",
			    (int)p->pid);
}

static void
no_start_after_cancel(const struct job *job)
{
	if (job->is_cancelled_early && job->killed_ns == 0 && job->leader_died_ns == 0)
		world_broken(job->id, "who is cancelled before its exec is killed at once",
		    "cancelled at %" PRIu64, job->cancelled_ns);
}

/* So long after it has nobody any more a job may seem to live: looks back off to 100 ms, some fail. */
static void
no_end_unseen(const struct job *job)
{
	if (job->leader_died_ns == 0 || tables_is_over(job->id) ||
	    job->leader_died_ns + 5 * NSEC_PER_SEC > world_now() || processes_living(job->id) > 0)
		return;
	if (job->last_death_ns + 2 * NSEC_PER_SEC < world_now())
		world_broken(job->id, "the end of a tree is seen", "since %" PRIu64,
		    job->last_death_ns);
}

static void
no_cgroup_is_left(const struct job *job)
{
	if (job->has_cgroup && job->last_death_ns + 5 * NSEC_PER_SEC < world_now() &&
	    processes_living(job->id) == 0)
		world_broken(job->id, "no cgroup is left behind", "since %" PRIu64,
		    job->last_death_ns);
}

void
promises_after_turn(void)
{
	const struct job *job;

	for (job = children_next(NULL); job != NULL; job = children_next(job)) {
		if (job->is_forgotten && kernel_turns() % 64 == 0)
			no_cgroup_is_left(job);
		if (kernel_turns() % 64 == 0)
			no_one_stays_stopped(job);
		if (!job->is_taken || job->is_forgotten)
			continue;
		no_deadline_passes_unseen(job);
		no_grace_without_end(job);
		no_start_after_cancel(job);
		if (kernel_turns() % 64 != 0)
			continue;
		no_end_unseen(job);
		no_one_is_forgotten_by_sigkill(job);
		no_patience_without_end(job);
	}
	tables_check();
}
