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
/* So many looks in a row must find nobody of a tree whose orphans do not come here. */
#define FOREIGN_LOOKS 2
/* So often those are looked for who survive SIGKILL for good. */
#define SCAN_STUCK_NS (5 * NSEC_PER_SEC)

/* What the groups and cgroups alone do not tell. */
struct doubts {
	bool has_unsure;  /* a group that has to be looked for in /proc */
	bool has_marked;  /* somebody may be left who carries a mark */
	bool has_foreign; /* the same, of a foreign tree */
};

static void look(struct linger *l, bool is_due);

/* Whether the timer goes on. Those who may finish are children of this process in the end: SIGCHLD tells; of a
 * foreign tree it does not. */
static bool
is_timed(const struct linger *l)
{
	const struct slot *slot;
	bool is_ended;

	TAILQ_FOREACH (slot, &l->slots, lingering) {
		is_ended = slot->child.state != CHILD_RUNNING && slot->child.state != CHILD_PAUSED;
		/* But a cgroup may be found empty a little later than that. */
		if (is_ended || slot->is_foreign ||
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
	    .found = found};
	TAILQ_INIT(&l->slots);
	timer_init(&l->timer, look_by_timer, l);
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
	TAILQ_REMOVE(&l->slots, slot, lingering);
	if (TAILQ_EMPTY(&l->slots))
		timer_disarm(&l->loop->timers, &l->timer);
}

/* Notes the groups that this process is a living member of. */
static void
visit_member(void *arg, pid_t pid)
{
	struct linger *l = arg;
	/* It fails for a process that has gone, or that we may not look at and so is none of ours. */
	pid_t pgid = getpgid(pid);
	struct proc_stat st;
	struct slot *slot;
	int error;

	for (slot = TAILQ_FIRST(&l->slots); slot != NULL; slot = TAILQ_NEXT(slot, lingering)) {
		if (slot->group != PROC_GROUP_UNSURE || slot->pid != pgid)
			continue;
		error = proc_stat_read(pid, &st);
		if (error == 0 ? !st.is_dead : error != -ENOENT && error != -ESRCH)
			slot->group = PROC_GROUP_LIVE;
	}
}

static bool
has_to_look_for_marks(const struct slot *slot)
{
	return slot->mark != 0 && (slot->containment != WIRE_CONTAIN_GROUP || slot->is_by_mark);
}

/* Notes the jobs whose mark this process carries, living or zombie. */
static void
visit_marked(void *arg, pid_t pid)
{
	struct linger *l = arg;
	struct proc_stat st;
	struct slot *slot;

	if (slots_find_pid(l->all, pid) != NULL)
		return;
	slot = owner_find(l->all, pid);
	if (slot == NULL || !slot->is_lingering || !has_to_look_for_marks(slot))
		return;
	/* Who is not reaped by us, we do not wait for; its orphans are seen by themselves. */
	if (!slot->is_foreign || proc_stat_read(pid, &st) != 0 || !st.is_dead)
		slot->group = PROC_GROUP_LIVE;
}

static enum proc_group
look_at_group(const struct linger *l, struct slot *slot)
{
	enum proc_group group =
	    slot->is_by_mark ? PROC_GROUP_EMPTY : proc_group_look(l->abilities, &slot->proc);
	bool is_stuck = slot->child.state == CHILD_STUCK;
	uint64_t now_ns = l->loop->now_ns;

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

/* Sees to what the groups alone do not tell. Whether everybody was seen. */
static bool
look_further(struct linger *l, const struct doubts *d)
{
	bool is_known = !d->has_unsure || proc_scan(visit_member, l) == 0;

	/* Those of a foreign tree are nobody's children here. */
	if (d->has_foreign || (d->has_marked && contain_children(l->contain, visit_marked, l) != 0))
		is_known &= proc_scan(visit_marked, l) == 0;
	return is_known;
}

/*
 * While others reap, a pass over /proc may miss who was forked behind its back by one that had gone before it came
 * there: nobody is left when that is found twice.
 */
static bool
is_doubtful(struct slot *slot)
{
	if (!slot->is_foreign || slot->group == PROC_GROUP_LIVE) {
		slot->empty_looks = 0;
		return false;
	}
	return ++slot->empty_looks < FOREIGN_LOOKS;
}

/* is_due: by the timer; SIGKILL is repeated then, and not at each exit of somebody else. */
static void
look(struct linger *l, bool is_due)
{
	struct slot *slot, *next;
	struct doubts d = {0};
	bool is_known, is_marked;

	TAILQ_FOREACH (slot, &l->slots, lingering) {
		slot->group = look_at(l, slot);
		is_marked = slot->group != PROC_GROUP_LIVE && has_to_look_for_marks(slot);
		d.has_unsure |= slot->group == PROC_GROUP_UNSURE;
		d.has_marked |= is_marked;
		d.has_foreign |= is_marked && slot->is_foreign;
	}
	is_known = look_further(l, &d);
	TAILQ_FOREACH_SAFE (slot, &l->slots, lingering, next) {
		if (slot->group != PROC_GROUP_LIVE && !is_known)
			slot->group = PROC_GROUP_LIVE;
		if (is_doubtful(slot))
			continue;
		if (slot->group != PROC_GROUP_LIVE || slot->child.state != CHILD_KILLING || is_due)
			l->found(slot, slot->group != PROC_GROUP_LIVE);
	}
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
