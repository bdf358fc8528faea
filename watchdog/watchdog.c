/*
 * watchdog: see watchdog.h. Supervisor. Pure: never looks at a clock, never allocates, never fails.
 */
#include "watchdog/watchdog.h"

#include <signal.h>

#define SECONDS UINT64_C(1000000000)

/* Sums of times stop at WATCHDOG_OFF, which is never. */
static uint64_t
add(uint64_t a, uint64_t b)
{
	return b > WATCHDOG_OFF - a ? WATCHDOG_OFF : a + b;
}

static uint64_t
since(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

static uint64_t
round_up(uint64_t at, uint64_t interval)
{
	uint64_t beyond = interval == 0 ? 0 : at % interval;

	return beyond == 0 ? at : add(at, interval - beyond);
}

static bool
has_total_limit(const struct watchdog *w)
{
	return w->limits.max_total_ns != WATCHDOG_OFF;
}

/* The clocks' time: it stands still during a pause. */
static uint64_t
clock_of(const struct watchdog *w, uint64_t now_ns)
{
	return w->is_paused && now_ns > w->paused_ns ? w->paused_ns : now_ns;
}

/* The idle clock's time: it stands still during a lull as well. */
static uint64_t
idle_clock_of(const struct watchdog *w, uint64_t now_ns)
{
	now_ns = clock_of(w, now_ns);
	return w->is_lulled && now_ns > w->lull_ns ? w->lull_ns : now_ns;
}

/* Whether the idle clock runs at all. */
static bool
is_idle_counted(const struct watchdog *w)
{
	return w->has_beaten || w->limits.idle_from != IDLE_FROM_FIRST_BEAT;
}

static bool
has_idle_limit(const struct watchdog *w)
{
	return w->limits.max_idle_ns != WATCHDOG_OFF && is_idle_counted(w);
}

void
limits_default(struct limits *limits)
{
	*limits = (struct limits){
	    .max_total_ns = 60 * 60 * SECONDS,
	    .max_idle_ns = 15 * 60 * SECONDS,
	    .check_interval_ns = 0,
	    .kill_grace_ns = 10 * SECONDS,
	    .kill_signal = SIGTERM,
	    .activity = ACTIVITY_HEARTBEAT | ACTIVITY_OUTPUT,
	    .idle_from = IDLE_FROM_START,
	    .max_memory = WATCHDOG_OFF,
	    .max_processes = WATCHDOG_OFF,
	    .max_open_files = WATCHDOG_OFF,
	    .max_cpu_ns = WATCHDOG_OFF,
	    .max_output = UINT64_C(64) << 20,
	    .nice = LIMITS_NICE_INHERIT,
	    .leftovers = LEFTOVERS_KILL,
	    .on_output_limit = ON_OUTPUT_TRIM,
	};
}

void
watchdog_start(struct watchdog *w, const struct limits *limits, uint64_t now_ns)
{
	*w = (struct watchdog){.limits = *limits, .started_ns = now_ns, .last_sign_ns = now_ns};
}

void
watchdog_restore(struct watchdog *w, const struct limits *limits, const struct watchdog_past *past)
{
	watchdog_start(w, limits, past->started_ns);
	if (past->last_sign_ns > w->last_sign_ns)
		w->last_sign_ns = past->last_sign_ns;
	w->granted_ns =
	    past->granted_ns < limits->max_extend_ns ? past->granted_ns : limits->max_extend_ns;
	w->has_beaten = past->has_beaten;
	if (past->paused_ns != 0)
		watchdog_pause(w, past->paused_ns);
	if (past->lull_ns != 0)
		watchdog_lull(w, past->lull_ns);
}

void
watchdog_sign(struct watchdog *w, uint32_t activity, uint64_t at_ns)
{
	bool is_beat = activity == ACTIVITY_HEARTBEAT;

	/* The beat that an idle clock waits for starts it, whatever counts from then on. */
	if ((w->limits.activity & activity) == 0 && (!is_beat || is_idle_counted(w)))
		return;
	w->has_beaten |= is_beat;
	at_ns = idle_clock_of(w, at_ns);
	if (at_ns > w->last_sign_ns)
		w->last_sign_ns = at_ns;
}

void
watchdog_pause(struct watchdog *w, uint64_t now_ns)
{
	if (w->is_paused)
		return;
	w->is_paused = true;
	w->paused_ns = now_ns;
}

void
watchdog_resume(struct watchdog *w, uint64_t now_ns)
{
	uint64_t length_ns = since(w->paused_ns, now_ns);

	if (!w->is_paused)
		return;
	w->is_paused = false;
	w->started_ns = add(w->started_ns, length_ns);
	/* A lull began before the pause, or with it, and moves the sign on for both. */
	if (!w->is_lulled)
		w->last_sign_ns = add(w->last_sign_ns, length_ns);
}

void
watchdog_lull(struct watchdog *w, uint64_t now_ns)
{
	if (w->is_lulled)
		return;
	w->is_lulled = true;
	w->lull_ns = clock_of(w, now_ns);
}

void
watchdog_stir(struct watchdog *w, uint64_t now_ns)
{
	if (!w->is_lulled)
		return;
	w->is_lulled = false;
	w->last_sign_ns = add(w->last_sign_ns, since(w->lull_ns, clock_of(w, now_ns)));
}

bool
watchdog_extend(struct watchdog *w, uint64_t by_ns, uint64_t now_ns)
{
	uint64_t wanted_ns, granted_ns;

	if (!has_total_limit(w))
		return false;
	wanted_ns = add(watchdog_elapsed_ns(w, now_ns), by_ns);
	granted_ns = since(w->limits.max_total_ns, wanted_ns);
	if (granted_ns > w->limits.max_extend_ns)
		granted_ns = w->limits.max_extend_ns;
	if (granted_ns <= w->granted_ns)
		return false;
	w->granted_ns = granted_ns;
	return true;
}

uint64_t
watchdog_max_total_ns(const struct watchdog *w)
{
	return add(w->limits.max_total_ns, w->granted_ns);
}

uint64_t
watchdog_elapsed_ns(const struct watchdog *w, uint64_t now_ns)
{
	return since(w->started_ns, clock_of(w, now_ns));
}

uint64_t
watchdog_deadline(const struct watchdog *w)
{
	uint64_t total = WATCHDOG_OFF, idle = WATCHDOG_OFF;

	if (w->is_paused)
		return WATCHDOG_OFF;
	if (has_total_limit(w))
		total = add(w->started_ns, watchdog_max_total_ns(w));
	if (has_idle_limit(w) && !w->is_lulled)
		idle = add(w->last_sign_ns, w->limits.max_idle_ns);
	return round_up(total < idle ? total : idle, w->limits.check_interval_ns);
}

uint64_t
watchdog_wake(const struct watchdog *w)
{
	uint64_t deadline = watchdog_deadline(w), mark;

	if (w->is_paused || w->is_lulled || w->is_quiet || !has_idle_limit(w))
		return deadline;
	mark =
	    round_up(add(w->last_sign_ns, w->limits.max_idle_ns / 2), w->limits.check_interval_ns);
	return mark < deadline ? mark : deadline;
}

bool
watchdog_is_quiet(const struct watchdog *w, uint64_t now_ns)
{
	return has_idle_limit(w) &&
	    since(w->last_sign_ns, idle_clock_of(w, now_ns)) >= w->limits.max_idle_ns / 2;
}

bool
watchdog_mark_quiet(struct watchdog *w, uint64_t now_ns)
{
	bool was_quiet = w->is_quiet;

	w->is_quiet = watchdog_is_quiet(w, now_ns);
	return w->is_quiet != was_quiet;
}

enum watchdog_verdict
watchdog_judge(const struct watchdog *w, uint64_t now_ns)
{
	uint64_t at_ns = clock_of(w, now_ns);

	if (has_total_limit(w) && since(w->started_ns, at_ns) >= watchdog_max_total_ns(w))
		return WATCHDOG_TOTAL;
	/* What stands still passes nothing. */
	if (has_idle_limit(w) && !w->is_lulled &&
	    since(w->last_sign_ns, at_ns) >= w->limits.max_idle_ns)
		return WATCHDOG_IDLE;
	return WATCHDOG_ALIVE;
}

uint64_t
watchdog_idle_ns(const struct watchdog *w, uint64_t now_ns)
{
	return is_idle_counted(w) ? since(w->last_sign_ns, idle_clock_of(w, now_ns)) : 0;
}
