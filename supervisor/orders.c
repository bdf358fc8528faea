/*
 * orders: see orders.h. Run by the supervisor, which believes nothing of the server: an order that makes no
 * sense is dropped and logged.
 */
#include "supervisor/orders.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/beats.h"

#include <inttypes.h>

/* NULL, and a line in the log, if there is no such job. */
static struct slot *
find(struct brood *b, uint64_t job, const char *request)
{
	struct slot *slot = slots_find(&b->slots, job);

	if (slot == NULL)
		log_line("job %" PRIu64 ": ignored %s: there is no such job", job, request);
	return slot;
}

void
orders_cancel(struct brood *b, const struct wire_cancel *cancel)
{
	struct slot *slot = find(b, cancel->job, "CANCEL");

	if (slot == NULL)
		return;
	if (cancel->cause == WIRE_CAUSE_CANCEL)
		brood_event(slot, CHILD_CANCEL);
	else if (cancel->cause == WIRE_CAUSE_OUTPUT)
		brood_event(slot, CHILD_OUTPUT_PASSED);
	else
		log_line("job %" PRIu64 ": ignored CANCEL: no cause %" PRIu32, cancel->job,
		    cancel->cause);
}

void
orders_pause(struct brood *b, uint64_t job, bool is_paused)
{
	struct slot *slot = find(b, job, is_paused ? "PAUSE" : "UNPAUSE");

	if (slot != NULL)
		brood_event(slot, is_paused ? CHILD_PAUSE : CHILD_UNPAUSE);
}

void
orders_lull(struct brood *b, uint64_t job, bool is_lulled)
{
	struct slot *slot = find(b, job, "LULL");
	uint64_t now_ns = clock_mono_ns();

	if (slot == NULL || slot->watchdog.is_lulled == is_lulled)
		return;
	/* It is told again when the program is known to have been executed. */
	if (slot->started_wall_ms == 0 || !child_is_live(&slot->child))
		return;
	/* A sign of life that is found later cannot be dated by a clock that stood still. */
	beats_look(slot, now_ns);
	if (is_lulled)
		watchdog_lull(&slot->watchdog, now_ns);
	else
		watchdog_stir(&slot->watchdog, now_ns);
	if (slot->child.state == CHILD_RUNNING)
		timer_arm(&b->loop->timers, &slot->deadline, watchdog_wake(&slot->watchdog));
	report_standing(slot);
}

void
orders_forget(struct brood *b, uint64_t job)
{
	struct slot *slot = find(b, job, "FORGET");

	if (slot != NULL)
		brood_event(slot, CHILD_FORGET);
}

void
orders_look(struct brood *b, uint64_t job)
{
	struct slot *slot = find(b, job, "LOOK");

	if (slot == NULL)
		return;
	if (child_is_live(&slot->child) && slot->started_wall_ms != 0)
		beats_look(slot, clock_mono_ns());
	report_slot(&b->report, slot, SLOT_TELL_LOOKED);
}
