/*
 * start: see start.h. Run by the supervisor. Must never wait, and believes no value of the message.
 */
#include "supervisor/start.h"

#include "base/fd.h"
#include "supervisor/beats.h"
#include "supervisor/spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

bool
start_is_sane(const struct limits *l)
{
	return l->kill_signal >= 1 && l->kill_signal <= SIGRTMAX &&
	    (l->activity & ~(ACTIVITY_HEARTBEAT | ACTIVITY_OUTPUT)) == 0 &&
	    l->idle_from < IDLE_FROM_COUNT && l->leftovers < LEFTOVERS_COUNT &&
	    l->on_output_limit < ON_OUTPUT_COUNT;
}

/* Whether a new job may carry it: 0, or one that can be set and is no other job's. */
static bool
is_free_mark(const struct start *s, const struct slot *slot, uint64_t mark)
{
	return mark == 0 ||
	    (mark >= WIRE_MARK_LEAST && mark < s->contain->mark_limit &&
		slots_find_mark(slot->slots, mark) == NULL);
}

/* Whether a clone into a cgroup that fails like this might succeed without one. */
static bool
is_cgroups_fault(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
	case -EBUSY:
	case -ENOTSUP:
	case -ENODEV:
	case -ENOENT:
	case -EINVAL:
		return true;
	}
	return false;
}

/* What the cgroup limits for the whole tree, the child does not limit for each process. */
static void
leave_to_cgroup(const struct contain *c, struct limits *limits)
{
	if ((c->controllers & CONTAIN_MEMORY) != 0)
		limits->max_memory = WATCHDOG_OFF;
	if ((c->controllers & CONTAIN_PIDS) != 0)
		limits->max_processes = WATCHDOG_OFF;
}

/* Clones into slot->containment, a cgroup if it is that. */
static int
clone_contained(const struct start *s, struct slot *slot, struct spawn_request *request,
    const struct limits *limits, int report_fd)
{
	int error;

	request->cgroup_fd = -1;
	request->limits = *limits;
	slot->stage = WIRE_STAGE_CONTAIN;
	if (slot->containment == WIRE_CONTAIN_CGROUP) {
		error =
		    contain_open(s->contain, slot->job, slot->mark, limits, &request->cgroup_fd);
		if (error != 0)
			return error;
		leave_to_cgroup(s->contain, &request->limits);
	}
	error = spawn_child(s->abilities, request, report_fd, &slot->proc);
	fd_close(&request->cgroup_fd);
	if (error == 0)
		return 0;
	if (slot->containment == WIRE_CONTAIN_CGROUP)
		contain_remove(s->contain->base_fd, slot->job);
	if (slot->containment != WIRE_CONTAIN_CGROUP || !is_cgroups_fault(error))
		slot->stage = WIRE_STAGE_FORK;
	return error;
}

/* The containment that is wished for; where any will do and the best cannot be had, the next. */
static int
clone_child(const struct start *s, struct slot *slot, const struct wire_spawn *spawn,
    const int *fds, int report_fd)
{
	struct spawn_request request = {.nofile_limit = s->nofile_limit, .mark = slot->mark};
	int kind = contain_choose(s->contain, spawn->containment), error;

	slot->stage = WIRE_STAGE_CONTAIN;
	if (kind < 0)
		return kind;
	memcpy(request.fds, fds, sizeof(request.fds));
	slot->containment = (enum wire_containment)kind;
	error = clone_contained(s, slot, &request, &spawn->limits, report_fd);
	if (error == 0 || slot->stage != WIRE_STAGE_CONTAIN ||
	    spawn->containment != WIRE_CONTAIN_AUTO)
		return error;
	slot->containment = WIRE_CONTAIN_SUBREAPER;
	return clone_contained(s, slot, &request, &spawn->limits, report_fd);
}

int
start_child(const struct start *s, struct slot *slot, const struct wire_spawn *spawn,
    const int *fds)
{
	int ends[2] = {-1, -1}, error;

	slot->stage = WIRE_STAGE_SETUP;
	if (!start_is_sane(&spawn->limits) || spawn->containment >= WIRE_CONTAIN_COUNT ||
	    !is_free_mark(s, slot, spawn->mark))
		return -EINVAL;
	error = beats_start(slot);
	if (error != 0)
		return error;
	slot->stage = WIRE_STAGE_FORK;
	error = spawn_report_pipe(ends);
	if (error == 0)
		error =
		    loop_add(s->loop, &slot->report_io, ends[0], EPOLLIN, s->report_ready, slot);
	if (error == 0) {
		if (spawn->mark != 0)
			slots_set_mark(slot->slots, slot, spawn->mark);
		error = clone_child(s, slot, spawn, fds, ends[1]);
	}
	fd_close(&ends[1]);
	if (error != 0) {
		loop_remove(s->loop, &slot->report_io);
		fd_close(&ends[0]);
		return error;
	}
	/* Without a mark nobody who leaves the group can be told from a stranger. */
	if (slot->mark == 0 && slot->containment == WIRE_CONTAIN_SUBREAPER)
		slot->containment = WIRE_CONTAIN_GROUP;
	slot->stage = WIRE_STAGE_NONE;
	slot->watchdog.limits = spawn->limits;
	slots_set_pid(slot->slots, slot);
	return 0;
}
