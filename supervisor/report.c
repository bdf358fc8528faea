/*
 * report: see report.h. Run by the supervisor. Sends; never waits, never allocates.
 */
#include "supervisor/report.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* report_news() is called in each turn: to wake up is enough. */
static void
wake(void *arg)
{
	(void)arg;
}

int
report_init(struct report *r, uint32_t slot_count)
{
	*r = (struct report){.slot_count = slot_count};
	TAILQ_INIT(&r->telling);
	timer_init(&r->tick, wake, NULL);
	/* Not arc4random(3): where libbsd has no memory for it, it ends the process without a word. */
	while (r->instance == 0)
		if (getrandom(&r->instance, sizeof(r->instance), 0) == -1 && errno != EINTR)
			return -errno;
	return 0;
}

void
report_slot(struct report *r, struct slot *slot, unsigned what)
{
	/* What a job has said comes before its end. */
	if ((what & SLOT_TELL_ENDED) != 0)
		what |= slots_take_news(slot->slots, slot);
	if (slot->to_tell == 0 && what != 0)
		TAILQ_INSERT_TAIL(&r->telling, slot, telling);
	slot->to_tell |= (uint8_t)what;
}

void
report_news(struct report *r, struct slots *slots)
{
	struct loop *loop = slots->loop;
	struct slot *slot;

	if (TAILQ_EMPTY(&slots->news))
		return;
	if (loop->now_ns < r->news_ns) {
		if (!r->tick.is_armed)
			timer_arm(&loop->timers, &r->tick, r->news_ns);
		return;
	}
	while ((slot = TAILQ_FIRST(&slots->news)) != NULL)
		report_slot(r, slot, slots_take_news(slots, slot));
	r->news_ns = clock_add_ns(loop->now_ns, REPORT_NEWS_NS);
}

void
report_all(struct report *r, struct slots *slots)
{
	struct slot *slot;

	for (slot = slots_next(slots, NULL); slot != NULL; slot = slots_next(slots, slot)) {
		if (slot->started_wall_ms != 0)
			report_slot(r, slot, SLOT_TELL_STANDING);
		if (slot->watchdog.is_quiet)
			report_slot(r, slot, SLOT_TELL_IDLE);
		if (slot->child.state == CHILD_OVER || slot->child.state == CHILD_STUCK)
			report_slot(r, slot, SLOT_TELL_ENDED);
		/* The server takes what was not told before SYNCED as never started. */
		if (slot->report_io.fd != -1 && !slot->is_awaited) {
			slot->is_awaited = true;
			r->awaited++;
		}
	}
	r->has_synced = true;
}

void
report_new_server(struct report *r, struct slots *slots)
{
	struct slot *slot, *next;

	TAILQ_FOREACH_SAFE (slot, &r->telling, telling, next) {
		/* The lines that nobody was told. */
		slot->to_tell &= SLOT_TELL_PROGRESS;
		if (slot->to_tell == 0)
			TAILQ_REMOVE(&r->telling, slot, telling);
	}
	r->has_hello = true;
	r->has_reload = false;
	r->has_stopping = r->is_stopping;
	report_all(r, slots);
}

void
report_standing(struct slot *slot)
{
	/* Nobody knows that its program was executed. */
	if (slot->started_wall_ms == 0)
		return;
	slot->revision++;
	report_slot(slot->slots->report, slot, SLOT_TELL_STANDING);
}

void
report_settled(struct report *r, struct slot *slot)
{
	if (slot->is_awaited)
		r->awaited--;
	slot->is_awaited = false;
}

void
report_forget(struct report *r, struct slot *slot)
{
	if (slot->to_tell != 0)
		TAILQ_REMOVE(&r->telling, slot, telling);
	slot->to_tell = 0;
	slots_take_news(slot->slots, slot);
}

void
report_reload(struct report *r)
{
	r->has_reload = true;
}

void
report_stopping(struct report *r)
{
	r->is_stopping = true;
	r->has_stopping = true;
}

static enum wire_cause
cause_of(const struct child *c)
{
	switch (c->cause) {
	case CHILD_TOTAL_PASSED:
		return WIRE_CAUSE_TOTAL;
	case CHILD_IDLE_PASSED:
		return WIRE_CAUSE_IDLE;
	case CHILD_TRIGGERED:
		return WIRE_CAUSE_TRIGGER;
	case CHILD_OUTPUT_PASSED:
		return WIRE_CAUSE_OUTPUT;
	case CHILD_CANCEL:
		return WIRE_CAUSE_CANCEL;
	case CHILD_CLONED:
	case CHILD_ADOPTED:
	case CHILD_ADOPTED_PAUSED:
	case CHILD_ADOPTED_ENDING:
	case CHILD_EXECUTED:
	case CHILD_NOT_EXECUTED:
	case CHILD_LEADER_EXITED:
	case CHILD_LEFTOVERS:
	case CHILD_LEFTOVERS_WAIT:
	case CHILD_LEFTOVERS_LEAVE:
	case CHILD_TREE_EMPTY:
	case CHILD_PAUSE:
	case CHILD_UNPAUSE:
	case CHILD_GRACE_PASSED:
	case CHILD_NOTHING_HELPS:
	case CHILD_FORGET:
	case CHILD_EVENT_COUNT:
		break;
	}
	return WIRE_CAUSE_NONE;
}

static void
copy_line(const struct slot *slot, struct wire_line *line)
{
	const struct heartbeat *h = slots_heartbeat(slot->slots, slot);

	memset(line, 0, sizeof(*line));
	if (!slot->has_lines)
		return;
	line->len = h->last_len;
	line->is_cut = h->is_last_cut;
	memcpy(line->text, h->last, h->last_len);
}

static int
send_started(const struct slot *slot, int wire_fd)
{
	const struct watchdog *w = &slot->watchdog;
	struct wire_message m;

	m.started = (struct standing){
	    .job = slot->job,
	    .started_ns = w->started_ns,
	    .paused_ns = w->is_paused ? w->paused_ns : 0,
	    .lull_ns = w->is_lulled ? w->lull_ns : 0,
	    .sign_ns = w->last_sign_ns,
	    .granted_ns = w->granted_ns,
	    .ending_ns = slot->ending_ns,
	    .verdict_ns = slot->verdict_ns,
	    .idle_ns = slot->has_verdict ? slot->idle_ns : 0,
	    .start_time = slot->start_time,
	    .mark = slot->mark,
	    .cpu_ns = slot->has_exited ? slot->end.cpu_ns : STANDING_UNKNOWN,
	    .max_rss_kb = slot->has_exited ? slot->end.max_rss_kb : STANDING_UNKNOWN,
	    .started_wall_ms = slot->started_wall_ms,
	    .pid = slot->pid,
	    .wait_status = slot->has_exited ? slot->end.wait_status : WIRE_WAIT_UNKNOWN,
	    .revision = slot->revision,
	    .containment = slot->containment,
	    .cause = cause_of(&slot->child),
	    .flags = (w->has_beaten ? STANDING_HAS_BEATEN : 0) |
		(slot->was_killed ? STANDING_WAS_KILLED : 0),
	};
	return wire_send(wire_fd, WIRE_STARTED, &m, NULL, 0);
}

static uint64_t
elapsed_ns(const struct slot *slot, uint64_t until_ns)
{
	return slot->started_wall_ms == 0 ? 0 : watchdog_elapsed_ns(&slot->watchdog, until_ns);
}

static int
send_looked(const struct slot *slot, int wire_fd)
{
	uint64_t now_ns = clock_mono_ns();
	bool is_over = slot->child.state == CHILD_OVER;
	struct wire_message m;

	m.looked.job = slot->job;
	m.looked.elapsed_ns = elapsed_ns(slot, is_over ? slot->ended_ns : now_ns);
	m.looked.idle_ns = slot->idle_ns;
	if (!is_over && slot->started_wall_ms != 0)
		m.looked.idle_ns = watchdog_idle_ns(&slot->watchdog, now_ns);
	m.looked.max_total_ns = watchdog_max_total_ns(&slot->watchdog);
	m.looked.is_paused = slot->child.state == CHILD_PAUSED;
	m.looked.containment = slot->containment;
	copy_line(slot, &m.looked.last);
	return wire_send(wire_fd, WIRE_LOOKED, &m, NULL, 0);
}

static int
send_progress(const struct slot *slot, int wire_fd)
{
	struct wire_message m;

	/* Told already: those that came after the flag was set went with it. */
	if (slot->lines == 0)
		return 0;
	m.progress.job = slot->job;
	m.progress.at_wall_ms = slot->lines_wall_ms;
	m.progress.skipped = slot->lines - 1;
	m.progress.reserved = 0;
	copy_line(slot, &m.progress.last);
	return wire_send(wire_fd, WIRE_PROGRESS, &m, NULL, 0);
}

static int
send_idle(const struct slot *slot, int wire_fd)
{
	struct wire_message m;

	m.idle = (struct wire_idle){.job = slot->job,
	    .idle_ns = watchdog_idle_ns(&slot->watchdog, clock_mono_ns()),
	    .is_idle = slot->watchdog.is_quiet};
	return wire_send(wire_fd, WIRE_IDLE, &m, NULL, 0);
}

static int
send_ended(const struct slot *slot, int wire_fd)
{
	struct wire_message m;
	struct wire_ended *e = &m.ended;

	e->job = slot->job;
	e->mark = slot->mark;
	e->started_wall_ms = slot->started_wall_ms;
	e->ended_wall_ms = slot->ended_wall_ms;
	e->elapsed_ns = elapsed_ns(slot, slot->ended_ns);
	e->idle_ns = slot->idle_ns;
	e->verdict_ns = slot->verdict_ns;
	e->cpu_ns = slot->end.cpu_ns;
	e->max_rss_kb = slot->end.max_rss_kb;
	e->pid = slot->pid;
	e->wait_status = slot->has_exited ? slot->end.wait_status : WIRE_WAIT_UNKNOWN;
	e->error = slot->error;
	e->stage = slot->stage;
	e->cause = cause_of(&slot->child);
	e->was_killed = slot->was_killed;
	e->max_total_ns = watchdog_max_total_ns(&slot->watchdog);
	e->containment = slot->containment;
	e->survivor_count = slot->child.state == CHILD_OVER ? 0 : slot->survivor_count;
	memcpy(e->survivors, slot->survivors, sizeof(e->survivors));
	copy_line(slot, &e->last);
	return wire_send(wire_fd, WIRE_ENDED, &m, NULL, 0);
}

static int
send_slot(struct slot *slot, int wire_fd)
{
	static const struct {
		uint8_t what;
		int (*send)(const struct slot *slot, int wire_fd);
	} order[] = {
	    {SLOT_TELL_STANDING, send_started},
	    {SLOT_TELL_PROGRESS, send_progress},
	    {SLOT_TELL_IDLE, send_idle},
	    {SLOT_TELL_LOOKED, send_looked},
	    {SLOT_TELL_ENDED, send_ended},
	};
	size_t i;
	int error;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if ((slot->to_tell & order[i].what) == 0)
			continue;
		error = order[i].send(slot, wire_fd);
		if (error != 0)
			return error;
		slot->to_tell ^= order[i].what;
		if (order[i].what == SLOT_TELL_PROGRESS)
			slot->lines = 0;
	}
	return 0;
}

static int
send_hello(const struct report *r, int wire_fd)
{
	struct wire_message m;

	m.hello = (struct wire_hello){.instance = r->instance,
	    .mark_limit = r->mark_limit,
	    .slot_count = r->slot_count,
	    .pid = getpid(),
	    .counts_processes = r->counts_processes};
	return wire_send(wire_fd, WIRE_HELLO, &m, NULL, 0);
}

/* Sends a message without contents if *has is set, and clears it. */
static int
send_flag(bool *has, enum wire_type type, int wire_fd)
{
	struct wire_message m;
	int error;

	if (!*has)
		return 0;
	error = wire_send(wire_fd, type, &m, NULL, 0);
	if (error == 0)
		*has = false;
	return error;
}

int
report_send(struct report *r, int wire_fd)
{
	struct slot *slot;
	int error;

	if (r->has_hello) {
		error = send_hello(r, wire_fd);
		if (error != 0)
			return error;
		r->has_hello = false;
	}
	while ((slot = TAILQ_FIRST(&r->telling)) != NULL) {
		error = send_slot(slot, wire_fd);
		if (error != 0)
			return error;
		TAILQ_REMOVE(&r->telling, slot, telling);
	}
	error = r->awaited > 0 ? 0 : send_flag(&r->has_synced, WIRE_SYNCED, wire_fd);
	if (error == 0)
		error = send_flag(&r->has_reload, WIRE_RELOAD, wire_fd);
	if (error == 0)
		error = send_flag(&r->has_stopping, WIRE_STOPPING, wire_fd);
	return error;
}
