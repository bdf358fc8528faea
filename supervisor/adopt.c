/*
 * adopt: see adopt.h. Run by the supervisor. The order: a slot; its leader, by a pidfd from the lifeboat,
 * by number and start time, or by its lock; its clocks and signs of life; then its state, which tells the
 * server. A process is never taken for a job's because of its number alone.
 *
 * Must never wait, never allocate, and believes no value of the message.
 */
#include "supervisor/adopt.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "supervisor/beats.h"
#include "supervisor/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So often, and so long, the kernel is asked how a leader ended that its parent has not reaped. */
#define AGAIN_NS (10 * NSEC_PER_MSEC)
#define REAPING_NS (10 * NSEC_PER_SEC)

/* The leader has exited, and how is known or cannot be. */
static void
settle_exit(struct slot *slot, int wait_status)
{
	slot->exited_ns = 0;
	slot->end = (struct proc_end){.wait_status = wait_status,
	    .cpu_ns = STANDING_UNKNOWN,
	    .max_rss_kb = STANDING_UNKNOWN};
	brood_leader_exited(slot);
}

/* Whether it is known now, or there is no use in waiting. */
static bool
ask_exit(struct slot *slot)
{
	struct brood *b = slot->slots->brood;
	int wait_status = WIRE_WAIT_UNKNOWN;
	int error = proc_exit_status(&b->abilities, &slot->proc, slot->start_time, &wait_status);

	if (error == -EAGAIN && b->loop->now_ns - slot->exited_ns < REAPING_NS)
		return false;
	settle_exit(slot, wait_status);
	return true;
}

static void
ask_again(void *arg)
{
	struct adopt *a = arg;
	struct slots *slots = &a->brood->slots;
	struct slot *slot, *next;
	bool is_done = true;

	for (slot = slots_next(slots, NULL); slot != NULL; slot = next) {
		next = slots_next(slots, slot);
		if (slot->exited_ns != 0)
			is_done &= ask_exit(slot);
	}
	if (!is_done)
		timer_arm(&a->brood->loop->timers, &a->again,
		    clock_add_ns(clock_mono_ns(), AGAIN_NS));
}

/* The pidfd of a foreign leader is readable: it has exited. */
static void
exit_ready(void *arg, uint32_t events)
{
	struct slot *slot = arg;
	struct brood *b = slot->slots->brood;

	(void)events;
	loop_remove(b->loop, &slot->exit_io);
	/* What it said last is read before its pipe is closed. */
	beats_look(slot, b->loop->now_ns);
	slot->exited_ns = b->loop->now_ns;
	if (!ask_exit(slot))
		timer_arm(&b->loop->timers, &b->adopt->again,
		    clock_add_ns(b->loop->now_ns, AGAIN_NS));
}

static bool
is_marked(pid_t pid, uint64_t mark)
{
	uint64_t found, outer;

	return contain_read_mark(pid, &found, &outer) == 0 && (found == mark || outer == mark);
}

/*
 * A leader whose number nobody was told of. Everybody of its tree has the mark, but only the process that was cloned
 * as the leader can hold the lock of the heartbeat pipe (spawn_child()): that is neither inherited nor lost by an
 * exec, fcntl(2). 0, with its handle, number and start time in the slot; or -ESRCH: it has gone, or gave the lock up,
 * and then it cannot be told from those that it left.
 */
static int
find_by_lock(struct slot *slot)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct proc_stat st;

	if (fcntl(slot->beats_fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK ||
	    lock.l_pid <= 0 || proc_stat_read(lock.l_pid, &st) != 0 ||
	    proc_find(lock.l_pid, st.start_time, &slot->proc) != 0)
		return -ESRCH;
	if (!is_marked(lock.l_pid, slot->mark)) {
		proc_close(&slot->proc);
		return -ESRCH;
	}
	slot->pid = lock.l_pid;
	slot->start_time = st.start_time;
	return 0;
}

/* On the clock of limits. Field 22 of proc_pid_stat(5) counts from the boot, sleep included. */
static uint64_t
started_ns(uint64_t start_time)
{
	struct timespec boot;
	uint64_t age_ns, now_ns = clock_mono_ns();
	uint64_t tick_ns = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &boot);
	age_ns = (uint64_t)boot.tv_sec * NSEC_PER_SEC + (uint64_t)boot.tv_nsec;
	age_ns = age_ns > start_time * tick_ns ? age_ns - start_time * tick_ns : 0;
	return now_ns > age_ns ? now_ns - age_ns : 1;
}

/* The leader's handle; -ESRCH: it has gone. */
static int
find_leader(struct adopt *a, struct slot *slot)
{
	slot->proc.pidfd = lifeboat_take(a->lifeboat, LIFEBOAT_PIDFD, slot->job);
	slot->proc.pid = slot->pid;
	if (slot->proc.pidfd != -1)
		return 0;
	slot->proc = PROC_NONE;
	if (slot->pid > 0)
		return proc_find(slot->pid, slot->start_time, &slot->proc);
	return slot->mark == 0 ? -ESRCH : find_by_lock(slot);
}

/* What is known of it, as far as it needs no process. */
static void
fill(struct slot *slot, const struct wire_adopt *m)
{
	const struct standing *st = &m->standing;
	const struct watchdog_past past = {.started_ns = st->started_ns,
	    .last_sign_ns = st->sign_ns,
	    .granted_ns = st->granted_ns,
	    .paused_ns = st->paused_ns,
	    .lull_ns = st->lull_ns,
	    .has_beaten = (st->flags & STANDING_HAS_BEATEN) != 0};

	timer_init(&slot->deadline, brood_deadline_passed, slot);
	slot->pid = st->pid;
	slot->start_time = st->start_time;
	slot->started_wall_ms = st->started_wall_ms;
	slot->revision = st->revision;
	slot->ending_ns = st->ending_ns;
	slot->verdict_ns = st->verdict_ns;
	slot->has_verdict = st->verdict_ns != 0;
	slot->idle_ns = st->idle_ns;
	slot->was_killed = (st->flags & STANDING_WAS_KILLED) != 0;
	slot->containment = (enum wire_containment)st->containment;
	if (st->mark != 0)
		slots_set_mark(slot->slots, slot, st->mark);
	watchdog_restore(&slot->watchdog, &m->limits, &past);
}

static enum child_event
cause_event(uint32_t cause)
{
	switch ((enum wire_cause)cause) {
	case WIRE_CAUSE_TOTAL:
		return CHILD_TOTAL_PASSED;
	case WIRE_CAUSE_IDLE:
		return CHILD_IDLE_PASSED;
	case WIRE_CAUSE_TRIGGER:
		return CHILD_TRIGGERED;
	case WIRE_CAUSE_OUTPUT:
		return CHILD_OUTPUT_PASSED;
	case WIRE_CAUSE_CANCEL:
		return CHILD_CANCEL;
	case WIRE_CAUSE_NONE:
	case WIRE_CAUSE_COUNT:
		break;
	}
	return CHILD_EVENT_COUNT;
}

/* Its state, which tells the server; the grace period goes on where it stood. */
static void
enter(struct slot *slot, const struct standing *st)
{
	struct loop *loop = slot->slots->loop;
	uint64_t grace_ns = slot->watchdog.limits.kill_grace_ns;

	slot->child.cause = cause_event(st->cause);
	if (st->ending_ns == 0) {
		brood_event(slot, st->paused_ns != 0 ? CHILD_ADOPTED_PAUSED : CHILD_ADOPTED);
		return;
	}
	brood_event(slot, CHILD_ADOPTED_ENDING);
	timer_arm(&loop->timers, &slot->deadline, clock_add_ns(st->ending_ns, grace_ns));
}

/*
 * Holds on to the cgroup of a job, if it has one: whoever died before he could tell may have used one as well. By the
 * mark, for others may live there whose leader has gone; by its leader where that one began in another cgroup than ours.
 */
static void
keep_cgroup(struct slot *slot, bool has_leader)
{
	const struct contain *contain = &slot->slots->brood->contain;

	if (slot->containment != WIRE_CONTAIN_AUTO && slot->containment != WIRE_CONTAIN_CGROUP)
		return;
	if (contain_find_marked(contain, slot->job, slot->mark, &slot->base_fd) == 0 ||
	    (has_leader && contain_find(slot->pid, slot->job, &slot->base_fd) == 0))
		slot->containment = WIRE_CONTAIN_CGROUP;
	else if (has_leader || slot->containment == WIRE_CONTAIN_CGROUP)
		slot->containment = slot->mark != 0 ? WIRE_CONTAIN_SUBREAPER : WIRE_CONTAIN_GROUP;
}

/* Nobody is left to be waited for, as far as can be seen from its leader: linger looks for the others. */
static void
has_gone(struct slot *slot, const struct standing *st)
{
	slot->is_by_mark = true;
	keep_cgroup(slot, false);
	slot->end = (struct proc_end){.wait_status = st->wait_status,
	    .cpu_ns = st->cpu_ns,
	    .max_rss_kb = st->max_rss_kb};
	if (st->wait_status == WIRE_WAIT_UNKNOWN)
		slot->end.cpu_ns = slot->end.max_rss_kb = STANDING_UNKNOWN;
	brood_leader_exited(slot);
}

/* Its exit comes by SIGCHLD if it is our child after all (another program in this process began it), else by its pidfd. */
static void
watch_leader(struct slot *slot)
{
	struct brood *b = slot->slots->brood;
	struct proc_end end;
	int error = proc_wait(&slot->proc, false, &end);

	if (error == 0 || error == -EAGAIN) {
		slots_set_pid(slot->slots, slot);
		if (error == 0)
			brood_exited(b, slot->proc.pid);
		return;
	}
	slot->is_foreign = true;
	slot->is_by_mark = !b->abilities.has_group_pidfd;
	if (loop_add(b->loop, &slot->exit_io, slot->proc.pidfd, EPOLLIN, exit_ready, slot) != 0)
		settle_exit(slot, WIRE_WAIT_UNKNOWN);
}

/* The leader is there, dead or alive. */
static void
take_over(struct slot *slot, const struct standing *st)
{
	/* What is found by its lock was about to be told when the supervisor died. */
	if (slot->watchdog.started_ns == 0) {
		slot->watchdog.started_ns = slot->watchdog.last_sign_ns =
		    started_ns(slot->start_time);
	}
	if (slot->started_wall_ms == 0)
		slot->started_wall_ms = clock_wall_ms() -
		    (int64_t)((clock_mono_ns() - slot->watchdog.started_ns) / NSEC_PER_MSEC);
	keep_cgroup(slot, true);
	beats_recall(slot, clock_mono_ns());
	enter(slot, st);
	watch_leader(slot);
}

static bool
is_sane(const struct adopt *a, const struct wire_adopt *m)
{
	const struct standing *st = &m->standing;

	return start_is_sane(&m->limits) && st->containment < WIRE_CONTAIN_COUNT &&
	    st->cause < WIRE_CAUSE_COUNT && st->pid >= 0 &&
	    slots_find_mark(&a->brood->slots, st->mark) == NULL;
}

static void
adopt(struct adopt *a, struct slot *slot, const struct wire_adopt *m)
{
	int error;

	fill(slot, m);
	error = beats_start(slot);
	if (error != 0)
		log_line("job %" PRIu64 ": adopted, but its beats cannot be read: %s", slot->job,
		    strerror(-error));
	/* Who cannot be heard is not idle. */
	if (error != 0)
		slot->watchdog.limits.max_idle_ns = WATCHDOG_OFF;
	error = find_leader(a, slot);
	if (error == 0) {
		take_over(slot, &m->standing);
		return;
	}
	slot->is_foreign = true;
	/* A program that nobody saw executed, and nobody finds: there is nothing to be told but its end. */
	enter(slot, &m->standing);
	has_gone(slot, &m->standing);
}

void
adopt_job(struct adopt *a, const struct wire_adopt *m, int *fds)
{
	struct brood *b = a->brood;
	uint64_t job = m->standing.job;
	struct slot *slot = NULL;

	if (slots_find(&b->slots, job) != NULL)
		log_line("job %" PRIu64 ": ignored ADOPT: it is here already", job);
	else if (!is_sane(a, m))
		log_line("job %" PRIu64 ": ignored ADOPT: it makes no sense", job);
	else if ((slot = slots_take(&b->slots, job)) == NULL)
		log_line("job %" PRIu64 " runs unwatched: no slot is free", job);
	if (slot != NULL) {
		slot->output_fd = fd_take(&fds[WIRE_ADOPT_OUTPUT]);
		slot->beats_fd = fd_take(&fds[WIRE_ADOPT_BEATS]);
		adopt(a, slot, m);
	}
	for (int i = 0; i < WIRE_ADOPT_FD_COUNT; i++)
		fd_close(&fds[i]);
}

void
adopt_init(struct adopt *a, struct brood *b, struct lifeboat *lifeboat)
{
	*a = (struct adopt){.brood = b, .lifeboat = lifeboat};
	b->adopt = a;
	timer_init(&a->again, ask_again, a);
}
