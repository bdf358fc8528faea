/*
 * supervisor: see supervisor.h. What the real one does, without its reasons: slots, what is to be told of each,
 * orders in their order. Must tell as the real one does: an end again and again until it is forgotten.
 */
#include "tests/family/supervisor.h"

#include "base/fd.h"
#include "server/link.h"
#include "tests/family/crash.h"
#include "tests/family/promises.h"
#include "tests/sim/world.h"
#include "wire/launch.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS_MAX 512
#define LETTERS_MAX 8192 /* a power of two */
#define LETTER_NS NSEC_PER_MSEC
#define GRACE_NS (10 * NSEC_PER_SEC)
/* One moment in so many, of those that are hard to hit, is a supervisor's last. */
#define RARELY 60

enum slot_state {
	SLOT_FREE,
	SLOT_STARTING,
	SLOT_RUNNING,
	SLOT_OVER
};

struct slot {
	enum slot_state state;
	bool is_cancelled; /* while it was starting */
	bool tell_started, tell_ended, tell_looked;
	uint64_t kill_ns; /* when its grace period is over */
	struct plan *plan;
	uint64_t job;
	struct limits limits;
	struct standing standing;
	struct wire_ended ended;
};

/* What the server has sent. */
struct letter {
	enum wire_type type;
	uint64_t epoch;
	struct plan *plan; /* of SPAWN */
	struct wire_message message;
};

static struct {
	struct supervisor_handlers handlers;
	uint64_t epoch; /* how many supervisors there were */
	uint64_t letter_count, heard_count, letter_ns;
	uint32_t slot_count;
	bool is_calm, is_mortal;
	bool tell_hello, tell_synced, is_to_speak;
	struct slot slots[SLOTS_MAX];
	struct letter letters[LETTERS_MAX];
} * sup;

struct link {
	struct link_handlers handlers;
};

static struct link *linked; /* of the server in this process */

static void speak(void *arg, uint64_t tag);

static void
news(void)
{
	if (sup->is_to_speak)
		return;
	sup->is_to_speak = true;
	world_at(world_now() + world_below(LETTER_NS), speak, NULL, 0);
}

void
supervisor_init(const struct supervisor_handlers *h, uint32_t slot_count, bool is_mortal)
{
	if (sup == NULL)
		sup = world_memory(sizeof(*sup));
	memset(sup->slots, 0, sizeof(sup->slots));
	sup->handlers = *h;
	sup->epoch = 1;
	sup->letter_count = sup->heard_count = sup->letter_ns = 0;
	sup->slot_count = slot_count;
	sup->is_calm = false;
	sup->is_mortal = is_mortal;
	sup->tell_hello = sup->tell_synced = sup->is_to_speak = false;
}

void
supervisor_calm_down(void)
{
	sup->is_calm = true;
	sup->is_mortal = false;
}

static struct slot *
find(uint64_t job)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (sup->slots[i].state != SLOT_FREE && sup->slots[i].job == job)
			return &sup->slots[i];
	}
	return NULL;
}

static struct slot *
slot_of_plan(const struct plan *p)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (sup->slots[i].state != SLOT_FREE && sup->slots[i].plan == p)
			return &sup->slots[i];
	}
	return NULL;
}

static struct slot *
take_slot(uint64_t job, struct plan *p, const struct limits *limits)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &sup->slots[i];

		if (slot->state != SLOT_FREE)
			continue;
		*slot = (struct slot){.job = job, .plan = p, .limits = *limits};
		return slot;
	}
	world_broken(p->number, "the world stays small", "no slot");
}

static int64_t
wall_ms(void)
{
	return (int64_t)(world_now() / NSEC_PER_MSEC) + PROMISES_WALL_AHEAD_MS;
}

/* Nothing is left of it. */
static void
settle(struct slot *slot, enum wire_stage stage, int error, int wait_status)
{
	slot->state = SLOT_OVER;
	slot->tell_started = false;
	slot->tell_ended = true;
	slot->ended = (struct wire_ended){.job = slot->job,
	    .mark = slot->standing.mark,
	    .started_wall_ms = slot->standing.started_wall_ms,
	    .ended_wall_ms = wall_ms(),
	    .elapsed_ns = world_now() - slot->standing.started_ns,
	    .max_total_ns = slot->limits.max_total_ns,
	    .cpu_ns = STANDING_UNKNOWN,
	    .max_rss_kb = STANDING_UNKNOWN,
	    .wait_status = wait_status,
	    .error = error,
	    .stage = stage,
	    .cause = slot->standing.cause,
	    .containment = WIRE_CONTAIN_GROUP};
	news();
}

/* Its process has gone, whoever sees that. */
static void
bury(struct plan *p, int wait_status)
{
	struct slot *slot = slot_of_plan(p);

	world_note(p->number, "its process is gone: wait status, cause", wait_status,
	    slot == NULL ? -1 : (int64_t)slot->standing.cause);
	p->is_alive = p->is_paused = false;
	p->has_status = true;
	p->wait_status = wait_status;
	p->cause = slot == NULL ? p->cause : slot->standing.cause;
	p->may_be_lost = slot == NULL;
	if (slot != NULL)
		settle(slot, WIRE_STAGE_NONE, 0, wait_status);
	sup->handlers.gone(p);
}

void
supervisor_exit(struct plan *p, int wait_status)
{
	if (p->is_alive)
		bury(p, wait_status);
}

static void
change(struct slot *slot)
{
	slot->standing.revision++;
	slot->tell_started = true;
	news();
}

/* tag: the plan's number and how often it was executed. */
static struct plan *
plan_of_tag(uint64_t tag)
{
	struct plan *p = plans_at((size_t)(tag >> 32) - 1);

	return p->is_alive && p->executed == (uint32_t)tag ? p : NULL;
}

static uint64_t
tag_of(const struct plan *p)
{
	return (uint64_t)p->number << 32 | p->executed;
}

/* The signal has done its work. */
static void
dies(void *arg, uint64_t tag)
{
	struct plan *p = plan_of_tag(tag);

	(void)arg;
	if (p != NULL)
		bury(p, world_once_in(4) ? 0 : SIGTERM);
}

/* It has ignored the signal. arg: the slot, of the supervisor that has sent it; another begins anew. */
static void
is_killed(void *arg, uint64_t tag)
{
	const struct slot *slot = arg;
	struct plan *p = plan_of_tag(tag);

	if (p != NULL && slot->state == SLOT_RUNNING && slot->plan == p &&
	    slot->kill_ns <= world_now())
		bury(p, SIGKILL);
}

/* The grace period goes on where an earlier supervisor began it. */
static void
send_signal(struct slot *slot)
{
	if (slot->standing.ending_ns == 0)
		slot->standing.ending_ns = world_now();
	slot->kill_ns = slot->standing.ending_ns + GRACE_NS;
	if (world_once_in(4))
		world_at(slot->kill_ns, is_killed, slot, tag_of(slot->plan));
	else
		world_at(world_now() + world_below(20 * NSEC_PER_MSEC), dies, NULL,
		    tag_of(slot->plan));
}

static void
end_job(struct slot *slot, enum wire_cause cause)
{
	if (slot->standing.cause != WIRE_CAUSE_NONE)
		return;
	slot->standing.cause = cause;
	slot->plan->cause = cause;
	send_signal(slot);
	change(slot);
}

/* A pause makes the clock stand still; here it begins anew. */
static void
time_is_up(void *arg, uint64_t tag)
{
	struct plan *p = plan_of_tag(tag);
	struct slot *slot = p == NULL ? NULL : slot_of_plan(p);

	if (p != NULL && (slot == NULL || p->is_paused))
		world_at(world_now() + NSEC_PER_SEC, time_is_up, arg, tag);
	else if (p != NULL)
		end_job(slot, WIRE_CAUSE_TOTAL);
}

static void
execute(struct slot *slot)
{
	struct plan *p = slot->plan;

	slot->state = SLOT_RUNNING;
	slot->standing = (struct standing){.job = slot->job,
	    .started_ns = world_now(),
	    .sign_ns = world_now(),
	    .mark = p->mark,
	    .cpu_ns = STANDING_UNKNOWN,
	    .max_rss_kb = STANDING_UNKNOWN,
	    .started_wall_ms = wall_ms(),
	    .wait_status = WIRE_WAIT_UNKNOWN,
	    .containment = WIRE_CONTAIN_GROUP};
	plans_executed(p);
	if (slot->limits.max_total_ns != WATCHDOG_OFF)
		world_at(world_now() + slot->limits.max_total_ns, time_is_up, NULL, tag_of(p));
	change(slot);
	sup->handlers.begun(p);
	if (slot->is_cancelled && slot->state == SLOT_RUNNING)
		end_job(slot, WIRE_CAUSE_CANCEL);
	if (world_once_in(RARELY))
		supervisor_die();
}

/* Cloned a moment ago. tag: the supervisor's epoch and the job. */
static void
come_to_be(void *arg, uint64_t tag)
{
	struct slot *slot = find(tag & UINT32_MAX);
	struct plan *p;

	(void)arg;
	if (tag >> 32 != sup->epoch || slot == NULL || slot->state != SLOT_STARTING)
		return;
	p = slot->plan;
	if (slot->is_cancelled)
		slot->standing.cause = WIRE_CAUSE_CANCEL;
	if (!sup->is_calm && world_once_in(60)) {
		world_note(p->number, "the kernel refuses a process", 0, 0);
		p->is_sent = false;
		settle(slot, WIRE_STAGE_FORK, EAGAIN, 0);
	} else if (world_once_in(80)) {
		world_note(p->number, "it is not executable", 0, 0);
		p->is_sent = false;
		p->is_not_executable = true;
		settle(slot, WIRE_STAGE_EXEC, ENOENT, 0);
	} else {
		execute(slot);
	}
}

static void
hear_spawn(const struct letter *letter)
{
	struct slot *slot =
	    take_slot(letter->message.spawn.job, letter->plan, &letter->message.spawn.limits);

	slot->state = SLOT_STARTING;
	world_at(world_now() + world_below(3 * NSEC_PER_MSEC), come_to_be, NULL,
	    sup->epoch << 32 | slot->job);
}

/* One of an earlier supervisor: it lives, or is gone, and the kernel may tell how it ended, or not. */
static void
hear_adopt(const struct letter *letter)
{
	const struct standing *st = &letter->message.adopt.standing;
	struct plan *p = letter->plan;
	struct slot *slot;

	if (find(st->job) != NULL)
		return;
	slot = take_slot(st->job, p, &letter->message.adopt.limits);
	slot->standing = *st;
	/* What the server was not told, nobody knows any more; but that time is up can be seen again. */
	if (p->is_alive && p->cause == WIRE_CAUSE_TOTAL)
		slot->standing.cause = WIRE_CAUSE_TOTAL;
	p->cause = slot->standing.cause;
	if (p->is_alive) {
		slot->state = SLOT_RUNNING;
		p->is_paused = slot->standing.paused_ns != 0;
		if (slot->standing.cause != WIRE_CAUSE_NONE)
			send_signal(slot);
		change(slot);
		return;
	}
	p->may_be_lost = true;
	if (st->mark != p->mark) {
		p->mark = st->mark;
		p->has_status = false;
		p->unsent++;
	}
	settle(slot, WIRE_STAGE_NONE, 0,
	    p->has_status && world_once_in(2) ? p->wait_status : WIRE_WAIT_UNKNOWN);
}

static void
hear_pause(struct slot *slot, bool is_paused)
{
	if (slot->state != SLOT_RUNNING || slot->standing.cause != WIRE_CAUSE_NONE ||
	    (slot->standing.paused_ns != 0) == is_paused)
		return;
	slot->standing.paused_ns = is_paused ? world_now() : 0;
	slot->plan->is_paused = is_paused;
	change(slot);
}

static void
hear_lull(struct slot *slot, bool is_lulled)
{
	if (slot->state != SLOT_RUNNING || (slot->standing.lull_ns != 0) == is_lulled)
		return;
	slot->standing.lull_ns = is_lulled ? world_now() : 0;
	change(slot);
}

static void
hear_cancel(struct slot *slot)
{
	if (world_once_in(RARELY / 4))
		supervisor_die();
	if (slot->state == SLOT_STARTING)
		slot->is_cancelled = true;
	else if (slot->state == SLOT_RUNNING)
		end_job(slot, WIRE_CAUSE_CANCEL);
}

/* To a new server, or one that has asked: all that runs, and all that did. */
static void
report(void)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &sup->slots[i];

		slot->tell_started = slot->state == SLOT_RUNNING ||
		    (slot->state == SLOT_OVER && slot->standing.started_wall_ms != 0);
		slot->tell_ended = slot->state == SLOT_OVER;
	}
	sup->tell_synced = true;
	news();
}

static void
hear_of_job(const struct letter *letter)
{
	struct slot *slot = find(letter->message.job.job);

	if (slot == NULL)
		return;
	if (letter->type == WIRE_CANCEL)
		hear_cancel(slot);
	else if (letter->type == WIRE_PAUSE || letter->type == WIRE_UNPAUSE)
		hear_pause(slot, letter->type == WIRE_PAUSE);
	else if (letter->type == WIRE_LULL)
		hear_lull(slot, letter->message.lull.is_lulled != 0);
	else if (letter->type == WIRE_FORGET && slot->state == SLOT_OVER)
		slot->state = SLOT_FREE;
	else if (letter->type == WIRE_LOOK) {
		slot->tell_looked = true;
		news();
	}
}

static void
hear(void *arg, uint64_t tag)
{
	const struct letter *letter = &sup->letters[tag % LETTERS_MAX];

	(void)arg;
	if (tag < sup->heard_count)
		return;
	sup->heard_count = tag + 1;
	if (letter->epoch != sup->epoch)
		return;
	if (letter->type == WIRE_QUIT)
		world_broken(0, "nobody ends a daemon unasked", "QUIT");
	if (letter->type == WIRE_SPAWN)
		hear_spawn(letter);
	else if (letter->type == WIRE_ADOPT)
		hear_adopt(letter);
	else if (letter->type == WIRE_REPORT)
		report();
	else
		hear_of_job(letter);
}

/* In order, however long each takes. */
static struct letter *
post(enum wire_type type)
{
	struct letter *letter = &sup->letters[sup->letter_count % LETTERS_MAX];
	uint64_t at_ns = world_now() + world_below(LETTER_NS);

	crash_here("the server dies before it sends", 400);
	if (at_ns > sup->letter_ns)
		sup->letter_ns = at_ns;
	memset(letter, 0, sizeof(*letter));
	letter->type = type;
	letter->epoch = sup->epoch;
	world_at(sup->letter_ns, hear, NULL, sup->letter_count++);
	return letter;
}

static void
tell(struct wire_message *m, enum wire_type type)
{
	m->type = (uint16_t)type;
	linked->handlers.message(linked->handlers.arg, m);
}

static void
tell_looked(const struct slot *slot)
{
	struct wire_message m = {0};

	m.looked.job = slot->job;
	m.looked.elapsed_ns = world_now() - slot->standing.started_ns;
	m.looked.max_total_ns = slot->limits.max_total_ns;
	m.looked.is_paused = slot->standing.paused_ns != 0;
	m.looked.containment = WIRE_CONTAIN_GROUP;
	tell(&m, WIRE_LOOKED);
}

/* Returns whether there was something to be told of it. */
static bool
tell_slot(struct slot *slot)
{
	struct wire_message m = {0};

	if (slot->state == SLOT_FREE)
		return false;
	if (slot->tell_started) {
		slot->tell_started = false;
		m.started = slot->standing;
		tell(&m, WIRE_STARTED);
	} else if (slot->tell_ended) {
		slot->tell_ended = false;
		m.ended = slot->ended;
		tell(&m, WIRE_ENDED);
	} else if (slot->tell_looked) {
		slot->tell_looked = false;
		tell_looked(slot);
	} else {
		return false;
	}
	return true;
}

static bool
tell_hello(void)
{
	struct wire_message m = {0};

	if (!sup->tell_hello)
		return false;
	sup->tell_hello = false;
	m.hello.instance = sup->epoch + 1000;
	m.hello.slot_count = sup->slot_count;
	m.hello.mark_limit = UINT64_C(1) << 40;
	tell(&m, WIRE_HELLO);
	return true;
}

static bool
tell_synced(void)
{
	struct wire_message m = {0};

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (sup->slots[i].state == SLOT_STARTING)
			return false;
	}
	if (!sup->tell_synced)
		return false;
	sup->tell_synced = false;
	tell(&m, WIRE_SYNCED);
	return true;
}

/* A few messages a time, in the order in which the real one has them. */
static void
speak(void *arg, uint64_t tag)
{
	uint64_t left = world_between(1, 10);

	(void)arg;
	(void)tag;
	sup->is_to_speak = false;
	if (linked == NULL)
		return;
	if (tell_hello())
		left--;
	for (size_t i = 0; i < SLOTS_MAX && left > 0; i++) {
		while (left > 0 && tell_slot(&sup->slots[i]))
			left--;
	}
	if (left == 0)
		news();
	else
		tell_synced();
}

void
supervisor_die(void)
{
	if (linked == NULL || !sup->is_mortal)
		return;
	world_note(0, "the supervisor dies", (int64_t)sup->epoch, 0);
	sup->epoch++;
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &sup->slots[i];

		if (slot->state == SLOT_STARTING)
			slot->plan->is_sent = false;
		if (slot->state == SLOT_OVER)
			slot->plan->may_be_lost = true;
		slot->state = SLOT_FREE;
	}
	for (size_t i = 0; i < plans_count(); i++) {
		if (plans_at(i)->is_sent) /* what was on its way */
			plans_at(i)->may_be_lost = true;
		plans_at(i)->is_sent = false;
	}
	kill(getpid(), SIGKILL);
}

int
link_new(struct loop *l, int fd, const struct link_handlers *h, struct link **ret_link)
{
	(void)l;
	(void)fd;
	linked = calloc(1, sizeof(*linked));
	if (linked == NULL)
		return -ENOMEM;
	linked->handlers = *h;
	/* A server that has gone is heard to the end before there is another. */
	while (sup->heard_count < sup->letter_count)
		hear(NULL, sup->heard_count);
	report();
	sup->tell_hello = true;
	*ret_link = linked;
	return 0;
}

void
link_free(struct link *k)
{
	linked = NULL;
	free(k);
}

void
link_send_job(struct link *k, enum wire_type type, uint64_t job)
{
	(void)k;
	/* What is stored is told to the next server again. */
	if (type == WIRE_FORGET)
		crash_here("the server dies before it lets an end be forgotten", RARELY / 2);
	post(type)->message.job.job = job;
}

void
link_cancel(struct link *k, uint64_t job, enum wire_cause cause)
{
	struct letter *letter = post(WIRE_CANCEL);

	(void)k;
	letter->message.cancel.job = job;
	letter->message.cancel.cause = cause;
}

void
link_lull(struct link *k, uint64_t job, bool is_lulled)
{
	struct letter *letter = post(WIRE_LULL);

	(void)k;
	letter->message.lull.job = job;
	letter->message.lull.is_lulled = is_lulled;
}

void
link_send(struct link *k, enum wire_type type)
{
	(void)k;
	post(type);
}

void
link_renew(struct link *k, enum wire_renewed what, int fd)
{
	(void)k;
	(void)what;
	(void)fd;
}

static void
close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fd_close(&fds[i]);
}

void
link_spawn(struct link *k, const struct wire_spawn *spawn, int fds[WIRE_FD_COUNT])
{
	struct letter *letter = post(WIRE_SPAWN);
	struct plan *p = promises_spawn((int64_t)spawn->job, fds[WIRE_FD_LAUNCH]);

	(void)k;
	close_all(fds, WIRE_FD_COUNT);
	p->mark = spawn->mark;
	letter->message.spawn = *spawn;
	letter->plan = p;
}

void
link_adopt(struct link *k, const struct wire_adopt *adopt, int fds[WIRE_ADOPT_FD_COUNT])
{
	struct letter *letter = post(WIRE_ADOPT);

	(void)k;
	close_all(fds, WIRE_ADOPT_FD_COUNT);
	letter->message.adopt = *adopt;
	letter->plan = promises_of_job((int64_t)adopt->standing.job);
}

void
link_hold(struct link *k, uint64_t index, int fd)
{
	(void)k;
	(void)index;
	(void)fd;
}

void
link_release(struct link *k, uint64_t index)
{
	(void)k;
	(void)index;
}

/* They have all left. */
void
link_drop_spawns(struct link *k)
{
	(void)k;
}

bool
link_is_idle(const struct link *k)
{
	(void)k;
	return true;
}

/* The mark of a process is its limit of locks. */
int __real_prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new,
    struct rlimit *old);
int __wrap_prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new,
    struct rlimit *old);
int
__wrap_prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new,
    struct rlimit *old)
{
	if (resource != RLIMIT_LOCKS)
		return __real_prlimit(pid, resource, new, old);
	if (pid <= 0 || (size_t)pid > plans_count() || !plans_at((size_t)pid - 1)->is_alive) {
		errno = ESRCH;
		return -1;
	}
	old->rlim_cur = old->rlim_max = plans_at((size_t)pid - 1)->mark;
	return 0;
}
