/*
 * hunt: see hunt.h. Run by the supervisor. Never signals a process whose mark it has not read after it
 * had a handle for it, or that is not its own child, unreaped. Never allocates; a slice takes a
 * millisecond at most.
 */
#include "supervisor/hunt.h"

#include "base/clock.h"
#include "supervisor/owner.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* A tree that forks faster than a pass goes is met at its root: so often, and so long, at most, before a pass. */
#define STRIKES 8
#define STRIKES_NS (1 * NSEC_PER_MSEC)

/* After a pass that failed for want of something. */
#define AGAIN_NS (10 * NSEC_PER_MSEC)

/* The job that the process belongs to, if that is hunted. */
static struct slot *
hunted_slot(struct hunt *h, pid_t pid)
{
	struct slot *slot = owner_find(h->slots, pid);

	return slot == NULL || slot->hunted_by == 0 ? NULL : slot;
}

static bool
is_dead(pid_t pid)
{
	struct proc_stat st;
	int error = proc_stat_read(pid, &st);

	return error == 0 ? st.is_dead : error == -ENOENT || error == -ESRCH;
}

static void
count_survivor(struct slot *slot, pid_t pid)
{
	if (slot->survivor_count < WIRE_SURVIVORS_MAX)
		slot->survivors[slot->survivor_count] = (int32_t)pid;
	slot->survivor_count++;
}

/* A leader that is kept a zombie until its group is empty. */
static bool
is_kept(const struct slot *slot, pid_t pid)
{
	return slot->has_exited && slot->pid == pid;
}

/* Where only the process group is ended, or those in it have been sent the signal already. */
static bool
is_passed_over(const struct slot *slot, pid_t pid)
{
	if (slot->is_by_mark)
		return false;
	if (slot->hunted_by == SIGKILL)
		return slot->containment == WIRE_CONTAIN_GROUP && getpgid(pid) != slot->pid;
	return getpgid(pid) == slot->pid;
}

/* A process that the pass has come to. */
static void
visit(void *arg, pid_t pid)
{
	struct hunt *h = arg;
	struct slot *slot = hunted_slot(h, pid);
	struct proc proc;
	bool is_zombie;
	int signo;

	if (slot == NULL || is_passed_over(slot, pid))
		return;
	signo = slot->hunted_by;
	/* Who is to be killed is neither stopped nor let go on any more: it is the next pass that kills. */
	if (signo != SIGKILL && slot->hunt_signal == SIGKILL)
		return;
	if (signo == SIGKILL) {
		/* A zombie counts as linger counts it: one that is not reaped keeps the tree from being empty. */
		is_zombie = is_dead(pid);
		if (slot->child.state != CHILD_STUCK &&
		    (!is_zombie || !(slot->is_foreign || is_kept(slot, pid))))
			count_survivor(slot, pid);
		if (is_zombie)
			return;
	}
	if (proc_open(pid, &proc) != 0)
		return;
	/* Only now the number stands for one process: whose is it? */
	if (hunted_slot(h, pid) == slot) {
		proc_signal(&proc, signo);
		if (signo != SIGKILL && signo != SIGSTOP && signo != SIGCONT)
			proc_signal(&proc, SIGCONT);
	}
	proc_close(&proc);
}

/* A child of this process. Nobody else reaps it, so its number is its own. */
static bool
strike(void *arg, pid_t pid)
{
	struct hunt *h = arg;
	struct slot *slot;

	if (slots_find_pid(h->slots, pid) != NULL)
		return true;
	slot = hunted_slot(h, pid);
	if (slot != NULL && slot->hunted_by == SIGKILL && !is_passed_over(slot, pid)) {
		kill(pid, SIGKILL);
		h->struck++;
	}
	return clock_mono_ns() < h->strike_until_ns;
}

static void
begin_pass(struct hunt *h)
{
	struct slot *slot;
	bool has_kill = false;
	unsigned before;
	int rounds = 0, rc;

	TAILQ_FOREACH (slot, &h->waiting, hunted) {
		slot->hunted_by = slot->hunt_signal;
		slot->hunt_signal = 0;
		/* Who was named when the end was told stands: it may be told again. */
		if (slot->child.state != CHILD_STUCK)
			slot->survivor_count = 0;
		/* A cgroup was killed at its root. */
		has_kill |= slot->hunted_by == SIGKILL && slot->containment != WIRE_CONTAIN_CGROUP;
	}
	TAILQ_CONCAT(&h->hunted, &h->waiting, hunted);
	if (!has_kill)
		return;
	h->struck = 0;
	h->strike_until_ns = clock_mono_ns() + STRIKES_NS;
	do {
		before = h->struck;
		h->struck = 0;
		rc = contain_children(h->contain, strike, h);
		/* Nobody is reaped meanwhile: who is new makes the number grow. */
	} while (rc == 0 && h->struck != before && ++rounds < STRIKES);
}

static void
end_pass(struct hunt *h, bool has_failed)
{
	struct slot *slot;
	int signo;

	while ((slot = TAILQ_FIRST(&h->hunted)) != NULL) {
		TAILQ_REMOVE(&h->hunted, slot, hunted);
		signo = slot->hunted_by;
		slot->hunted_by = 0;
		if (has_failed && slot->hunt_signal == 0)
			slot->hunt_signal = signo;
		if (slot->hunt_signal != 0)
			TAILQ_INSERT_TAIL(&h->waiting, slot, hunted);
		if (signo == SIGKILL && !has_failed)
			h->passed(slot);
	}
}

static void
slice(void *arg)
{
	struct hunt *h = arg;
	uint64_t wait_ns = 1;
	int rc;

	if (TAILQ_EMPTY(&h->hunted))
		begin_pass(h);
	rc = proc_scan_step(&h->scan, visit, h);
	if (rc != 1)
		end_pass(h, rc < 0);
	/* What a pass that failed has not seen, the next one may. */
	if (rc < 0)
		wait_ns = AGAIN_NS;
	if (!TAILQ_EMPTY(&h->hunted) || !TAILQ_EMPTY(&h->waiting))
		timer_arm(&h->loop->timers, &h->slice, h->loop->now_ns + wait_ns);
}

void
hunt_init(struct hunt *h, struct loop *loop, struct slots *slots, const struct contain *contain,
    void (*passed)(struct slot *slot))
{
	*h = (struct hunt){.loop = loop,
	    .slots = slots,
	    .contain = contain,
	    .scan = {.fd = -1},
	    .passed = passed};
	TAILQ_INIT(&h->waiting);
	TAILQ_INIT(&h->hunted);
	timer_init(&h->slice, slice, h);
}

void
hunt_fini(struct hunt *h)
{
	proc_scan_stop(&h->scan);
}

void
hunt_signal(struct hunt *h, struct slot *slot, int signo)
{
	bool is_new = !hunt_is_after(slot);

	if (slot->mark == 0)
		return;
	slot->hunt_signal = signo;
	/* Nobody whom the pass under way comes to from now on is to be stopped, or let go on, any more. */
	if (slot->hunted_by != 0 && slot->hunted_by != SIGKILL && signo != SIGKILL)
		slot->hunted_by = signo;
	if (is_new)
		TAILQ_INSERT_TAIL(&h->waiting, slot, hunted);
	timer_arm(&h->loop->timers, &h->slice, h->loop->now_ns + 1);
}

bool
hunt_is_after(const struct slot *slot)
{
	return slot->hunt_signal != 0 || slot->hunted_by != 0;
}

void
hunt_forget(struct hunt *h, struct slot *slot)
{
	if (slot->hunted_by != 0)
		TAILQ_REMOVE(&h->hunted, slot, hunted);
	else if (slot->hunt_signal != 0)
		TAILQ_REMOVE(&h->waiting, slot, hunted);
	slot->hunted_by = 0;
	slot->hunt_signal = 0;
	if (TAILQ_EMPTY(&h->hunted))
		proc_scan_stop(&h->scan);
	if (TAILQ_EMPTY(&h->hunted) && TAILQ_EMPTY(&h->waiting))
		timer_disarm(&h->loop->timers, &h->slice);
}
