/*
 * tables: see tables.h. The simulator. Only reads.
 */
#include "tests/sim/tables.h"

#include "supervisor/brood.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stddef.h>

/* What the supervisor has open whatever it does: loop, signals, wire, server, cgroups, a pass over /proc. */
#define FILES_BESIDES 14
/* Output, pipe, report pipe, pidfd. */
#define FILES_A_JOB 4
/* Hunt, linger and its slices, sweep, and the keeper's and supervisor's own. */
#define TIMERS_BESIDES 7
/* Turns in a second: for nothing; for each thing that happens; while a job is being ended. */
#define TURNS_FREE 100
#define TURNS_A_HAPPENING 4
#define TURNS_ENDING 4000

static struct {
	struct slots *slots;
	uint64_t second_ns; /* when the one that is counted began */
	uint64_t turns;
	uint64_t happenings;
	bool has_ending; /* in this second */
} tables;

int __real_slots_init(struct slots *s, uint32_t count, struct loop *loop, struct brood *brood);
int __wrap_slots_init(struct slots *s, uint32_t count, struct loop *loop, struct brood *brood);
int
__wrap_slots_init(struct slots *s, uint32_t count, struct loop *loop, struct brood *brood)
{
	tables.slots = s;
	return __real_slots_init(s, count, loop, brood);
}

void
tables_init(void)
{
	tables.slots = NULL;
	tables.second_ns = world_now();
	tables.turns = 0;
	tables.happenings = 0;
	tables.has_ending = false;
}

enum child_state
tables_state(uint64_t job)
{
	const struct slot *slot = slots_find(tables.slots, job);

	return slot == NULL ? CHILD_FREE : slot->child.state;
}

bool
tables_is_over(uint64_t job)
{
	return !child_is_live(&(struct child){.state = tables_state(job)});
}

static void
slots_add_up(void)
{
	const struct job *job;
	struct slot *slot;
	uint32_t count = 0;

	for (slot = slots_next(tables.slots, NULL); slot != NULL;
	     slot = slots_next(tables.slots, slot)) {
		count++;
		job = children_find(slot->job);
		if (job == NULL || !job->is_taken || job->is_forgotten)
			world_broken(slot->job, "slots are those of jobs that are not forgotten",
			    "%s", child_state_name(slot->child.state));
	}
	if (count != tables.slots->used)
		world_broken(0, "slots in use add up", "%" PRIu32 ", but %" PRIu32 " are used",
		    count, tables.slots->used);
	for (job = children_next(NULL); job != NULL; job = children_next(job))
		if (job->is_taken && !job->is_forgotten && !job->told.was_refused &&
		    slots_find(tables.slots, job->id) == NULL)
			world_broken(job->id, "a job is kept until it is forgotten", "it is gone");
}

/* A slot that is free, or over, waits for nothing and holds nothing. */
static void
what_is_over_holds_nothing(void)
{
	const struct slot *slot;
	uint32_t i;

	for (i = 0; i < tables.slots->touched; i++) {
		slot = &tables.slots->slots[i];
		if (child_is_live(&slot->child))
			continue;
		if (slot->deadline.is_armed || slot->unmute.is_armed || slot->is_lingering ||
		    slot->hunted_by != 0 || slot->hunt_signal != 0)
			world_broken(slot->job, "nothing waits for a job that is over",
			    "timers %d %d, lingers %d, hunted %d %d", slot->deadline.is_armed,
			    slot->unmute.is_armed, slot->is_lingering, slot->hunted_by,
			    slot->hunt_signal);
		if (slot->beats_fd != -1 || slot->output_fd != -1 || slot->report_io.fd != -1 ||
		    slot->proc.pidfd != -1)
			world_broken(slot->job, "a job that is over holds nothing open",
			    "%d %d %d %d", slot->beats_fd, slot->output_fd, slot->report_io.fd,
			    slot->proc.pidfd);
	}
}

/* How many timers are below t; checks the order of the tree, and that none was passed over. */
static unsigned
count_timers(const struct timer *t, uint64_t low_ns, uint64_t high_ns)
{
	if (t == NULL)
		return 0;
	if (t->at_ns < low_ns || t->at_ns > high_ns)
		world_broken(0, "timers are in order",
		    "%" PRIu64 " is not in %" PRIu64 "..%" PRIu64, t->at_ns, low_ns, high_ns);
	return 1 + count_timers(RB_LEFT(t, entry), low_ns, t->at_ns) +
	    count_timers(RB_RIGHT(t, entry), t->at_ns, high_ns);
}

static void
tables_do_not_grow(void)
{
	const struct slot *slot;
	unsigned live = 0, timers;

	for (slot = slots_next(tables.slots, NULL); slot != NULL;
	     slot = slots_next(tables.slots, (struct slot *)slot)) {
		live += child_is_live(&slot->child);
		tables.has_ending |=
		    slot->child.state >= CHILD_LEAVING && slot->child.state != CHILD_OVER;
	}
	timers = count_timers(RB_ROOT(&tables.slots->loop->timers.tree), tables.slots->loop->now_ns,
	    UINT64_MAX);
	if (timers > 2 * live + TIMERS_BESIDES)
		world_broken(0, "no table grows", "%u timers for %u jobs", timers, live);
	if (kernel_open_count() > FILES_A_JOB * live + FILES_BESIDES)
		world_broken(0, "no table grows", "%u files for %u jobs", kernel_open_count(),
		    live);
}

static void
loop_does_not_spin(void)
{
	uint64_t happenings = world_happenings() - tables.happenings;
	uint64_t most =
	    TURNS_FREE + TURNS_A_HAPPENING * happenings + (tables.has_ending ? TURNS_ENDING : 0);

	tables.turns++;
	if (tables.turns > most + TURNS_ENDING)
		world_broken(0, "the loop never spins", "%" PRIu64 " turns, %" PRIu64 " happenings",
		    tables.turns, happenings);
	if (world_now() - tables.second_ns < NSEC_PER_SEC)
		return;
	if (tables.turns > most + most * ((world_now() - tables.second_ns) / NSEC_PER_SEC))
		world_broken(0, "who is quiet costs no turns",
		    "%" PRIu64 " turns, %" PRIu64 " happenings", tables.turns, happenings);
	tables.second_ns = world_now();
	tables.turns = 0;
	tables.happenings = world_happenings();
	tables.has_ending = false;
}

void
tables_check(void)
{
	if (tables.slots == NULL)
		return;
	slots_add_up();
	what_is_over_holds_nothing();
	tables_do_not_grow();
	loop_does_not_spin();
}
