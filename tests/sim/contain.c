/*
 * contain: supervisor/contain.h on simulated processes, linked in place of supervisor/contain.c. The
 * simulator. Must keep to that header's contracts; whether there are cgroups and a list of children is
 * drawn for each world.
 */
#include "supervisor/contain.h"

#include "base/fd.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/processes.h"
#include "tests/sim/promises.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

void
contain_init(struct contain *c, uint64_t instance)
{
	(void)instance;
	*c = (struct contain){.base_fd = -1, .children_fd = -1, .mark_limit = MARK_LIMIT};
	if (world_once_in(2))
		c->base_fd = kernel_open(FILE_PLAIN);
	if (!world_once_in(4))
		c->children_fd = kernel_open(FILE_PLAIN);
}

void
contain_fini(struct contain *c)
{
	fd_close(&c->base_fd);
	fd_close(&c->children_fd);
}

int
contain_choose(const struct contain *c, enum wire_containment wish)
{
	if (wish == WIRE_CONTAIN_CGROUP || wish == WIRE_CONTAIN_AUTO) {
		if (c->base_fd != -1)
			return WIRE_CONTAIN_CGROUP;
		return wish == WIRE_CONTAIN_AUTO ? WIRE_CONTAIN_SUBREAPER : -ENOTSUP;
	}
	return (int)wish;
}

int
contain_open(const struct contain *c, uint64_t job, uint64_t mark, const struct limits *limits,
    int *ret_fd)
{
	(void)c;
	(void)mark;
	(void)limits;
	kernel_enter();
	if (kernel_fails())
		return -ENOSPC;
	children_find(job)->has_cgroup = true;
	*ret_fd = kernel_open(FILE_PLAIN);
	return 0;
}

int
contain_kill(int base_fd, uint64_t job)
{
	struct process *p;

	(void)base_fd;
	kernel_enter();
	promises_tried(job, SIGKILL);
	if (kernel_fails())
		return -EMFILE;
	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (p->job == job && p->is_in_cgroup)
			processes_signal(p, SIGKILL);
	return 0;
}

int
contain_is_populated(int base_fd, uint64_t job)
{
	(void)base_fd;
	kernel_enter();
	if (kernel_fails())
		return -EMFILE;
	return processes_has_cgroup_member(job);
}

int
contain_remove(int base_fd, uint64_t job)
{
	struct job *j = children_find(job);

	(void)base_fd;
	kernel_enter();
	if (kernel_fails())
		return -EAGAIN;
	if (processes_has_cgroup_member(job))
		return -EBUSY;
	j->has_cgroup = false;
	children_let_go(j);
	return 0;
}

int
contain_remove_step(struct contain_sweep *sweep, const struct contain *c,
    bool (*is_wanted)(void *arg, uint64_t job), void *arg)
{
	struct job *job;
	int error;

	(void)c;
	sweep->is_left = false;
	sweep->is_unfinished = false;
	for (job = children_next(NULL); job != NULL; job = children_next(job)) {
		if (!job->has_cgroup || is_wanted(arg, job->id))
			continue;
		error = contain_remove(c->base_fd, job->id);
		sweep->is_left |= error != 0;
		sweep->is_unfinished |= error == -EAGAIN;
	}
	return 0;
}

void
contain_remove_stop(struct contain_sweep *sweep)
{
	(void)sweep;
}

int
contain_find(pid_t pid, uint64_t job, int *ret_base_fd)
{
	const struct process *p;

	kernel_enter();
	p = processes_find_pid(pid);
	if (p == NULL || p->job != job || !p->is_in_cgroup)
		return -ENOENT;
	*ret_base_fd = kernel_open(FILE_PLAIN);
	return 0;
}

int
contain_find_marked(const struct contain *c, uint64_t job, uint64_t mark, int *ret_base_fd)
{
	kernel_enter();
	if (c->base_fd == -1 || mark == 0 || !processes_has_cgroup_member(job))
		return -ENOENT;
	*ret_base_fd = kernel_open(FILE_PLAIN);
	return 0;
}

int
contain_set_mark(uint64_t mark)
{
	(void)mark;
	return 0;
}

int
contain_read_mark(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer)
{
	const struct process *p;

	kernel_enter();
	p = processes_find_pid(pid);
	if (p == NULL)
		return -ESRCH;
	*ret_mark = p->mark;
	*ret_outer = 0;
	return 0;
}

int
contain_children(const struct contain *c, bool (*visit)(void *arg, pid_t pid), void *arg)
{
	const struct process *p;

	if (c->children_fd == -1)
		return -ENOTSUP;
	kernel_enter();
	for (p = processes_next(NULL); p != NULL; p = processes_next(p)) {
		if (kernel_fails())
			return -EIO;
		if (p->parent == PARENT_US && !visit(arg, p->pid))
			return -EAGAIN;
	}
	return 0;
}
