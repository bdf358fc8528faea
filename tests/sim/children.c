/*
 * children: see children.h. The simulator. What a process does next is drawn each time from what its job
 * is like; nothing that a real one can do is held back for being unkind.
 */
#include "tests/sim/children.h"

#include "tests/sim/promises.h"
#include "tests/sim/tables.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PIPE_SIZE 32768
#define FORKED_MAX 40
#define OLD_NS (35 * NSEC_PER_SEC)

static struct {
	struct job jobs[JOBS_MAX];
	uint64_t ids;
	bool is_old;
} children;

static void act(void *arg, uint64_t number);

void
children_init(void)
{
	memset(&children, 0, sizeof(children));
}

struct job *
children_find(uint64_t id)
{
	struct job *job = &children.jobs[id % JOBS_MAX];

	return id != 0 && job->id == id ? job : NULL;
}

struct job *
children_next(const struct job *job)
{
	size_t i = job == NULL ? 0 : (size_t)(job - children.jobs) + 1;

	for (; i < JOBS_MAX; i++)
		if (children.jobs[i].id != 0)
			return &children.jobs[i];
	return NULL;
}

uint64_t
children_clock(const struct job *job)
{
	uint64_t now_ns = job->is_paused ? job->paused_ns : world_now();

	return now_ns - job->pauses_ns;
}

void
children_unpause(struct job *job)
{
	if (!job->is_paused)
		return;
	job->is_paused = false;
	job->pauses_ns += world_now() - job->paused_ns;
	job->unpaused_ns = world_now();
	job->pause_count++;
}

static void
move_on(const struct job *job, uint64_t *sign_ns)
{
	uint64_t now_ns = children_clock(job);

	if (*sign_ns != 0)
		*sign_ns = *sign_ns >= job->lull_ns ? now_ns : *sign_ns + now_ns - job->lull_ns;
}

void
children_stir(struct job *job)
{
	if (!job->is_lulled)
		return;
	job->is_lulled = false;
	job->lull_count++;
	if (job->quiet_ns < job->settled_ns)
		job->quiet_ns = job->settled_ns;
	move_on(job, &job->quiet_ns);
	move_on(job, &job->beat_ns);
	move_on(job, &job->read_ns);
	move_on(job, &job->grown_ns);
	move_on(job, &job->seen_ns);
}

void
children_let_go(struct job *job)
{
	if (job->is_forgotten && !job->has_cgroup && processes_living(job->id) == 0)
		job->id = 0;
}

static void
draw_limits(struct limits *l, uint64_t scale_ns)
{
	static const int signals[] = {SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGKILL};

	limits_default(l);
	l->max_total_ns = world_once_in(8) ? WATCHDOG_OFF : world_between(scale_ns, 10 * scale_ns);
	l->max_idle_ns =
	    world_once_in(4) ? WATCHDOG_OFF : world_between(scale_ns / 2, 5 * scale_ns);
	l->check_interval_ns = world_once_in(4) ? world_between(1, scale_ns) : 0;
	l->kill_grace_ns = world_once_in(4) ? 0 : world_below(2 * scale_ns);
	if (world_once_in(40))
		l->kill_grace_ns = WATCHDOG_OFF;
	l->kill_signal = signals[world_below(sizeof(signals) / sizeof(signals[0]))];
	if (world_once_in(100))
		l->kill_signal = world_once_in(2) ? 0 : 200;
	l->max_extend_ns = world_once_in(2) ? 0 : world_below(5 * scale_ns);
	l->activity = (uint32_t)world_below(4);
	l->idle_from = (uint32_t)world_below(IDLE_FROM_COUNT);
	l->leftovers = (uint32_t)world_below(LEFTOVERS_COUNT);
}

static void
draw_habits(struct habits *h, uint64_t scale_ns)
{
	h->interval_ns = world_between(scale_ns / 40, scale_ns);
	h->life_ns = world_once_in(3) ? UINT64_MAX : world_below(12 * scale_ns);
	h->helper_life_ns = world_once_in(3) ? UINT64_MAX : world_below(12 * scale_ns);
	h->silent_after_ns = world_once_in(2) ? UINT64_MAX : world_below(8 * scale_ns);
	h->term_delay_ns = world_once_in(3) ? 3 * scale_ns : 1 + scale_ns / 1000;
	h->forks = world_once_in(2) ? 0 : (unsigned)world_between(1, 6);
	h->is_deaf = world_once_in(4);
	h->is_flooding = world_once_in(30);
	h->has_beats = world_once_in(2);
	h->has_output = world_once_in(2);
	h->is_escaping = world_once_in(3);
	h->is_respawning = world_once_in(10);
	h->is_negligent = world_once_in(3);
	h->is_stopping = world_once_in(20);
	h->is_crashing = world_once_in(5);
	h->is_getting_stuck = world_once_in(60);
	h->exec_ns =
	    world_once_in(20) ? world_below(20 * NSEC_PER_SEC) : world_between(50000, 900000);
	h->exec_stage = world_once_in(20)
	    ? (uint32_t)world_between(WIRE_STAGE_LAUNCH, WIRE_STAGE_EXEC)
	    : WIRE_STAGE_NONE;
}

struct job *
children_new_job(void)
{
	static const uint64_t scales[] = {10, 100, 1000, 10000};
	uint64_t scale_ns = scales[world_below(4)] * NSEC_PER_MSEC, id = ++children.ids;
	struct job *job = &children.jobs[id % JOBS_MAX];

	if (job->id != 0)
		return NULL;
	*job = (struct job){.id = id, .beats_fd = -1, .output_fd = -1};
	job->spawn.job = id;
	job->mark = world_once_in(100) ? 0 : WIRE_MARK_LEAST + world_random() % MARK_LIMIT / 2;
	job->spawn.mark = job->mark;
	job->spawn.containment = (uint32_t)world_below(WIRE_CONTAIN_COUNT);
	draw_limits(&job->spawn.limits, scale_ns);
	draw_habits(&job->habits, scale_ns);
	return job;
}

static void
act_later(const struct process *p, const struct job *job)
{
	uint64_t wait_ns = 1 + world_below(2 * job->habits.interval_ns);

	if (children.is_old)
		wait_ns = 1 + world_below(OLD_NS);
	world_at(world_now() + wait_ns, act, NULL, p->number);
}

static void
beat(struct job *job)
{
	struct file *f = kernel_find(job->beats_fd, job->beats_number);
	size_t len = job->habits.is_flooding ? PIPE_SIZE : 1 + world_below(200);

	/* A pipe that is full makes it wait. */
	if (f == NULL || f->size + len > PIPE_SIZE + (job->habits.is_flooding ? 1 : 0))
		return;
	f->size += len;
	job->beat_ns = children_clock(job);
	kernel_wake();
}

static void
print(struct job *job)
{
	struct file *f = kernel_find(job->output_fd, job->output_number);

	if (f == NULL)
		return;
	f->size += 1 + world_below(1000);
	f->grown_ns = world_now();
	job->grown_ns = children_clock(job);
}

static struct process *
make_helper(const struct process *parent, struct job *job)
{
	bool is_escaping = job->habits.is_escaping && !world_once_in(3);
	struct process *p, *middle = NULL;

	if (job->forked++ >= FORKED_MAX || children.is_old)
		return NULL;
	/* A daemon is its grandchild. */
	if (is_escaping && world_once_in(2))
		middle = processes_fork(parent, 0, true);
	p = processes_fork(middle == NULL ? parent : middle, 0, is_escaping);
	if (p == NULL)
		return NULL;
	world_note(job->id, "forked: number, group", p->pid, p->pgid);
	act_later(p, job);
	if (middle != NULL)
		processes_die(middle, 0);
	return p;
}

static bool
has_lived(const struct process *p, const struct job *job)
{
	uint64_t life_ns = p->is_leader ? job->habits.life_ns : job->habits.helper_life_ns;

	if (children.is_old)
		return true;
	return life_ns != UINT64_MAX && world_now() - job->executed_ns >= life_ns;
}

static void
act(void *arg, uint64_t number)
{
	struct process *p = processes_find(number);
	struct job *job;

	(void)arg;
	if (p == NULL || p->is_zombie)
		return;
	job = children_find(p->job);
	/* Somebody else's. */
	if (p->is_leader && p->is_stopped_by_us && p->busy_until_ns <= world_now() &&
	    world_once_in(6)) {
		processes_die(p, SIGKILL);
		return;
	}
	if ((p->is_stopped && !children.is_old) || p->busy_until_ns > world_now()) {
		act_later(p, job);
		return;
	}
	if (has_lived(p, job)) {
		processes_die(p,
		    job->habits.is_crashing ? SIGSEGV | WCOREFLAG : (int)world_below(256) << 8);
		return;
	}
	if (world_now() - job->executed_ns < job->habits.silent_after_ns) {
		if (job->habits.has_beats)
			beat(job);
		if (job->habits.has_output)
			print(job);
	}
	if (job->forked < job->habits.forks)
		make_helper(p, job);
	if (job->habits.is_stopping && world_once_in(8)) {
		p->is_stopped = true;
		if (p->parent == PARENT_US)
			kernel_signal(SIGCHLD);
	}
	if (job->habits.is_getting_stuck && world_once_in(8))
		p->busy_until_ns = world_now() + world_below(60 * NSEC_PER_SEC);
	act_later(p, job);
}

/* The time of its exec has come. */
static void
execute(void *arg, uint64_t number)
{
	struct process *p = processes_find(number);
	struct job *job;

	(void)arg;
	if (p == NULL || p->is_zombie || p->is_dying)
		return;
	job = children_find(p->job);
	processes_lead(p);
	if (job->habits.exec_stage != WIRE_STAGE_NONE) {
		kernel_report(p->report_fd, p->report_number, job->habits.exec_stage, ENOENT);
		p->report_fd = -1;
		processes_die(p, 127 << 8);
		return;
	}
	world_note(job->id, "executed", p->pid, 0);
	p->has_executed = true;
	job->executed_ns = world_now();
	kernel_report(p->report_fd, p->report_number, 0, 0);
	p->report_fd = -1;
	act(NULL, number);
}

void
children_cloned(struct job *job, struct process *p)
{
	p->job = job->id;
	p->mark = job->mark;
	p->is_leader = true;
	job->leader = p->number;
	job->pid = p->pid;
	job->is_cloned = true;
	world_note(job->id, "cloned: number", p->pid, 0);
	world_at(world_now() + job->habits.exec_ns, execute, NULL, p->number);
}

static void
end_by_signal(void *arg, uint64_t number)
{
	struct process *p = processes_find(number);

	(void)arg;
	if (p != NULL && !p->is_zombie)
		processes_die(p, p->caught != 0 ? p->caught : SIGTERM);
}

void
children_signalled(struct process *p, int signo)
{
	const struct job *job = children_find(p->job);
	uint64_t at_ns = world_now() + world_below(job->habits.term_delay_ns);

	if (job->habits.is_deaf)
		return;
	p->caught = signo;
	world_at(at_ns > p->busy_until_ns ? at_ns : p->busy_until_ns, end_by_signal, NULL,
	    p->number);
}

void
children_died(struct process *p)
{
	struct job *job = children_find(p->job);
	struct process *parent;

	job->last_death_ns = world_now();
	if (p->is_leader) {
		job->leader_died_ns = world_now();
		job->leader_status = p->wait_status;
	}
	parent = processes_find(p->parent);
	if (parent != NULL && !parent->is_zombie && !parent->is_dying && job->habits.is_respawning)
		make_helper(parent, job);
	children_let_go(job);
}

bool
children_reaps(const struct process *parent, const struct process *p)
{
	const struct job *job = children_find(p->job);

	return parent->is_stopped ? false : job == NULL || !job->habits.is_negligent;
}

/* The lines of a pipe by a reckoning that is not the supervisor's: byte by byte. */
static void
reckon(struct heartbeat *h, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\n' && h->partial_len > 0) {
			memcpy(h->last, h->partial, h->partial_len);
			h->last_len = h->partial_len;
			h->is_last_cut = h->is_partial_cut;
			h->partial_len = 0;
			h->is_partial_cut = false;
		} else if (data[i] != '\n' && data[i] != '\0') {
			if (h->partial_len == HEARTBEAT_LINE_MAX)
				h->is_partial_cut = true;
			else
				h->partial[h->partial_len++] = data[i];
		}
	}
}

/* A line that asks for more time, as what it was granted then must be reckoned. Its length. */
static size_t
ask_for_time(struct job *job, char *bytes, size_t room)
{
	const struct limits *l = &job->spawn.limits;
	uint64_t us = 1 + world_below(10 * NSEC_PER_SEC / 1000), wanted_ns;
	char line[48];
	size_t len = (size_t)snprintf(line, sizeof(line), "extend_usec=%" PRIu64 "\n", us);

	if (len > room)
		return 0;
	memcpy(bytes, line, len);
	wanted_ns = children_clock(job) - job->settled_ns + us * 1000;
	/* Who is being ended, or has ended, is given no more. */
	if (job->signalled_ns != 0 || tables_is_over(job->id) || l->max_total_ns == WATCHDOG_OFF ||
	    wanted_ns <= l->max_total_ns + job->granted_ns)
		return len;
	world_note(job->id, "asks for time: us, in force before", (int64_t)us,
	    (int64_t)job->granted_ns);
	job->granted_ns = wanted_ns - l->max_total_ns;
	if (job->granted_ns > l->max_extend_ns)
		job->granted_ns = l->max_extend_ns;
	return len;
}

ssize_t
children_read_beats(struct file *f, void *data, size_t len)
{
	struct job *job = children_find(f->job);
	size_t n = f->size < len ? f->size : len, at, piece;
	char *bytes = data;

	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	for (at = 0; at < n; at += piece) {
		piece = !job->is_in_line && world_once_in(100)
		    ? ask_for_time(job, bytes + at, n - at)
		    : 0;
		if (piece > 0)
			continue;
		piece = world_once_in(50) ? 1 + world_below(3000) : 1 + world_below(100);
		piece = piece < n - at ? piece : n - at;
		memset(bytes + at, 'a' + (int)world_below(26), piece);
		job->is_in_line = world_once_in(4);
		bytes[at + piece - 1] = job->is_in_line ? '\0' : '\n';
	}
	f->size -= n;
	job->read_ns = children_clock(job);
	reckon(&job->lines, data, n);
	return (ssize_t)n;
}

void
children_output_seen(const struct file *f)
{
	struct job *job = children_find(f->job);

	job->seen_ns = job->grown_ns;
}

void
children_grow_old(void)
{
	const struct process *p;

	children.is_old = true;
	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (p->job != 0 && p->has_executed)
			world_at(world_now() + world_below(OLD_NS), act, NULL, p->number);
}
