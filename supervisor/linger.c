/*
 * linger: see linger.h. Run by the supervisor. Asks the kernel about the tree as a whole, and goes
 * through /proc only where that cannot tell. Signals nobody, allocates nothing.
 */
#include "supervisor/linger.h"

#include "base/clock.h"
#include "supervisor/owner.h"

#include <errno.h>
#include <unistd.h>

#define WAIT_MIN_NS (1 * NSEC_PER_MSEC)
#define WAIT_MAX_NS (100 * NSEC_PER_MSEC)

/* After as many looks since SIGKILL what is left may be zombies whose parent does not reap them. */
#define PROBES_PATIENCE 5
/* So many passes in a row must find nobody, where somebody might be missed by one. */
#define EMPTY_LOOKS 2
/* So often those are looked for who survive SIGKILL for good. */
#define SCAN_STUCK_NS (5 * NSEC_PER_SEC)

/* So long a pass over /proc, or a look at the list of children, goes on in one turn. */
#define SLICE_NS (1 * NSEC_PER_MSEC)

static void look(struct linger *l, bool is_due);
static void go_on(void *arg);

/* Whether the timer goes on. Those who may finish are children of this process in the end: SIGCHLD tells; of a
 * foreign tree it does not, and not of what was not known yet. */
static bool
is_timed(const struct linger *l)
{
	const struct slot *slot;
	bool is_ended;

	TAILQ_FOREACH (slot, &l->slots, lingering) {
		is_ended = slot->child.state != CHILD_RUNNING && slot->child.state != CHILD_PAUSED;
		/* But a cgroup may be found empty a little later than that. */
		if (is_ended || slot->is_foreign || slot->is_doubted || slot->empty_looks > 0 ||
		    (slot->containment == WIRE_CONTAIN_CGROUP && l->wait_ns < WAIT_MAX_NS))
			return true;
	}
	return false;
}

static void
look_by_timer(void *arg)
{
	struct linger *l = arg;

	look(l, true);
	if (!is_timed(l))
		return;
	l->wait_ns = l->wait_ns * 2 < WAIT_MAX_NS ? l->wait_ns * 2 : WAIT_MAX_NS;
	timer_arm(&l->loop->timers, &l->timer, clock_add_ns(clock_mono_ns(), l->wait_ns));
}

void
linger_init(struct linger *l, struct loop *loop, struct slots *all,
    const struct proc_abilities *abilities, const struct contain *contain,
    void (*found)(struct slot *slot, bool is_empty))
{
	*l = (struct linger){.loop = loop,
	    .all = all,
	    .abilities = abilities,
	    .contain = contain,
	    .found = found,
	    .scan.fd = -1};
	TAILQ_INIT(&l->slots);
	timer_init(&l->timer, look_by_timer, l);
	timer_init(&l->slice, go_on, l);
}

void
linger_fini(struct linger *l)
{
	proc_scan_stop(&l->scan);
}

void
linger_add(struct linger *l, struct slot *slot)
{
	if (!slot->is_lingering) {
		slot->is_lingering = true;
		TAILQ_INSERT_TAIL(&l->slots, slot, lingering);
	}
	l->wait_ns = WAIT_MIN_NS;
	timer_arm(&l->loop->timers, &l->timer, clock_add_ns(clock_mono_ns(), l->wait_ns));
}

void
linger_remove(struct linger *l, struct slot *slot)
{
	if (!slot->is_lingering)
		return;
	slot->is_lingering = false;
	slot->is_doubted = false;
	slot->is_scanned = false;
	TAILQ_REMOVE(&l->slots, slot, lingering);
	if (!TAILQ_EMPTY(&l->slots))
		return;
	timer_disarm(&l->loop->timers, &l->timer);
	timer_disarm(&l->loop->timers, &l->slice);
	proc_scan_stop(&l->scan);
}

static bool
has_to_look_for_marks(const struct slot *slot)
{
	return slot->mark != 0 && (slot->containment != WIRE_CONTAIN_GROUP || slot->is_by_mark);
}

/* The job that lingers and whose mark this process carries, living or zombie, so that it is not over. */
static struct slot *
find_marked(struct linger *l, pid_t pid)
{
	struct slot *slot = slots_find_pid(l->all, pid) == NULL ? owner_find(l->all, pid) : NULL;
	struct proc_stat st;

	if (slot == NULL || !slot->is_lingering || !has_to_look_for_marks(slot))
		return NULL;
	/* Who is not reaped by us, we do not wait for; its orphans are seen by themselves. */
	if (slot->is_foreign && proc_stat_read(pid, &st) == 0 && st.is_dead)
		return NULL;
	return slot;
}

static bool
visit_child(void *arg, pid_t pid)
{
	struct linger *l = arg;
	struct slot *slot = find_marked(l, pid);

	if (slot != NULL)
		slot->group = PROC_GROUP_LIVE;
	return clock_mono_ns() < l->until_ns;
}

/* Notes the groups that this process is a living member of. */
static void
see_member(struct linger *l, pid_t pid)
{
	/* It fails for a process that has gone, or that we may not look at and so is none of ours. */
	pid_t pgid = getpgid(pid);
	struct proc_stat st;
	struct slot *slot;
	int error;

	TAILQ_FOREACH (slot, &l->slots, lingering) {
		if (!slot->is_scanned || slot->group != PROC_GROUP_UNSURE || slot->pid != pgid)
			continue;
		error = proc_stat_read(pid, &st);
		if (error == 0 ? !st.is_dead : error != -ENOENT && error != -ESRCH)
			slot->is_seen = true;
	}
}

static void
see(void *arg, pid_t pid)
{
	struct linger *l = arg;
	struct slot *slot = find_marked(l, pid);

	if (slot != NULL)
		slot->is_seen = true;
	if (l->has_unsure)
		see_member(l, pid);
}

static enum proc_group
look_at_group(const struct linger *l, struct slot *slot)
{
	enum proc_group group =
	    slot->is_by_mark ? PROC_GROUP_EMPTY : proc_group_look(l->abilities, &slot->proc);
	bool is_stuck = slot->child.state == CHILD_STUCK;
	uint64_t now_ns = l->loop->now_ns;

	/* Zombies are members, and hold its number, until others reap them, which they may never do. */
	if (slot->is_foreign && group == PROC_GROUP_LIVE)
		return PROC_GROUP_UNSURE;
	if ((slot->child.state != CHILD_KILLING && !is_stuck) || group != PROC_GROUP_LIVE)
		return group;
	if (slot->probes < PROBES_PATIENCE) {
		slot->probes++;
		return PROC_GROUP_LIVE;
	}
	/* Its number is taken as long as it has a member, if only a zombie: that takes a pass over /proc. */
	if (now_ns - slot->scanned_ns < (is_stuck ? SCAN_STUCK_NS : WAIT_MAX_NS))
		return PROC_GROUP_LIVE;
	slot->scanned_ns = now_ns;
	return PROC_GROUP_UNSURE;
}

/* The group, and the cgroup where there is one: as long as that cannot be read, somebody may live there. */
static enum proc_group
look_at(const struct linger *l, struct slot *slot)
{
	int rc = 0;

	if (slot->containment == WIRE_CONTAIN_CGROUP)
		rc = contain_is_populated(slot->base_fd != -1 ? slot->base_fd : l->contain->base_fd,
		    slot->job);
	/* It has gone, or goes right now. */
	if (rc == -ENOENT || rc == -ENODEV)
		rc = 0;
	return rc == 0 ? look_at_group(l, slot) : PROC_GROUP_LIVE;
}

/*
 * While others reap, or turns of the loop pass, a pass over /proc may miss who was forked behind its back by one that
 * had gone before it came there: nobody is left when that is found twice.
 */
static bool
is_doubtful(const struct linger *l, struct slot *slot)
{
	if (!slot->is_scanned || slot->is_seen || !(slot->is_foreign || l->is_sliced)) {
		slot->empty_looks = 0;
		return false;
	}
	return ++slot->empty_looks < EMPTY_LOOKS;
}

/* is_due: by the timer; SIGKILL is repeated then, and not at each exit of somebody else. */
static void
answer(struct linger *l, struct slot *slot, bool is_empty, bool is_due)
{
	slot->is_doubted = false;
	slot->is_scanned = false;
	if (is_empty || slot->child.state != CHILD_KILLING || is_due)
		l->found(slot, is_empty);
}

/* Those of whom only a pass over /proc tells: it is about all that are known of when it begins. */
static void
begin_pass(struct linger *l)
{
	struct slot *slot;
	bool has_doubts = false;

	l->has_unsure = false;
	l->is_sliced = false;
	TAILQ_FOREACH (slot, &l->slots, lingering) {
		slot->is_scanned = slot->is_doubted;
		slot->is_seen = false;
		has_doubts |= slot->is_doubted;
		l->has_unsure |= slot->is_doubted && slot->group == PROC_GROUP_UNSURE;
	}
	if (has_doubts)
		go_on(l);
}

static void
end_pass(struct linger *l)
{
	struct slot *slot, *next;
	bool is_due = l->is_due;

	l->is_due = false;
	l->is_list_long = false;
	TAILQ_FOREACH_SAFE (slot, &l->slots, lingering, next)
		if (slot->is_scanned && !is_doubtful(l, slot))
			answer(l, slot, !slot->is_seen, is_due);
}

/* A slice of the pass. After one that failed those it was about are doubted on. */
static void
go_on(void *arg)
{
	struct linger *l = arg;
	uint64_t until_ns = clock_mono_ns() + SLICE_NS;
	int rc;

	do
		rc = proc_scan_step(&l->scan, see, l);
	while (rc == 1 && clock_mono_ns() < until_ns);
	if (rc == 0) {
		end_pass(l);
	} else if (rc == 1) {
		l->is_sliced = true;
		timer_arm(&l->loop->timers, &l->slice, l->loop->now_ns + 1);
	}
}

/* Whether the list of children, which tells of those with marks, was seen to its end in the time that it may take. */
static bool
look_at_children(struct linger *l)
{
	int rc;

	if (l->is_list_long)
		return false;
	l->until_ns = clock_mono_ns() + SLICE_NS;
	rc = contain_children(l->contain, visit_child, l);
	l->is_list_long = rc == -EAGAIN;
	return rc == 0;
}

static void
look(struct linger *l, bool is_due)
{
	struct slot *slot, *next;
	bool has_marked = false, is_seen;

	l->is_due |= is_due;
	TAILQ_FOREACH (slot, &l->slots, lingering) {
		slot->group = look_at(l, slot);
		has_marked |= slot->group != PROC_GROUP_LIVE && has_to_look_for_marks(slot);
	}
	/* Those of a foreign tree are nobody's children here. */
	is_seen = has_marked && look_at_children(l);
	TAILQ_FOREACH_SAFE (slot, &l->slots, lingering, next) {
		slot->is_doubted = slot->group == PROC_GROUP_UNSURE ||
		    (slot->group == PROC_GROUP_EMPTY && has_to_look_for_marks(slot) &&
			(slot->is_foreign || !is_seen));
		if (slot->is_doubted)
			continue;
		slot->empty_looks = 0;
		answer(l, slot, slot->group != PROC_GROUP_LIVE, is_due);
	}
	if (l->scan.fd == -1)
		begin_pass(l);
}

void
linger_reaps(struct linger *l, pid_t pid)
{
	struct slot *slot = l->scan.fd == -1 ? NULL : find_marked(l, pid);

	if (slot != NULL)
		slot->is_seen = true;
}

void
linger_look(struct linger *l)
{
	look(l, false);
	if (TAILQ_EMPTY(&l->slots) || l->timer.is_armed)
		return;
	l->wait_ns = WAIT_MIN_NS;
	if (is_timed(l))
		timer_arm(&l->loop->timers, &l->timer, clock_add_ns(clock_mono_ns(), l->wait_ns));
}
