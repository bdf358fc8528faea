/*
 * processes: see processes.h. The simulator. A number is free again as soon as no process and no group
 * bears it, as in the kernel, and is given out again at once, more often than in any kernel.
 */
#include "tests/sim/processes.h"

#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/promises.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#define STRANGERS_MAX 40

static struct {
	struct process table[PROCESSES_MAX];
	uint64_t
	    numbers; /* given out so far; the lower bits of a number are its place in the table */
	uint16_t free[PROCESSES_MAX];
	int free_count;
	int used; /* places below this were in use */
	struct {
		uint16_t place;   /* of who bears it as a process, and one */
		uint16_t bearers; /* processes and members of groups */
	} pids[PID_MAX + 1];
	pid_t free_pids[PID_MAX];
	int free_pid_count;
	int stranger_count;
} processes;

void
processes_init(void)
{
	int i;

	memset(&processes, 0, sizeof(processes));
	for (i = PROCESSES_MAX - 1; i >= 0; i--)
		processes.free[processes.free_count++] = (uint16_t)i;
	for (i = PID_MAX; i > 1; i--)
		processes.free_pids[processes.free_pid_count++] = i;
	processes.numbers = 1;
	/* The group in which the supervisor is. */
	processes.pids[0].bearers = 1;
}

struct process *
processes_find(uint64_t number)
{
	struct process *p = &processes.table[number % PROCESSES_MAX];

	return number > PARENT_US && p->number == number ? p : NULL;
}

struct process *
processes_find_pid(pid_t pid)
{
	if (pid < 1 || pid > PID_MAX || processes.pids[pid].place == 0)
		return NULL;
	return &processes.table[processes.pids[pid].place - 1];
}

struct process *
processes_next(const struct process *p)
{
	int i = p == NULL ? 0 : (int)(p - processes.table) + 1;

	for (; i < processes.used; i++)
		if (processes.table[i].number != 0)
			return &processes.table[i];
	return NULL;
}

/* The one that became free last, or any other. */
static pid_t
take_pid(void)
{
	int last = --processes.free_pid_count, i = last;
	pid_t pid;

	if (world_once_in(2))
		i = (int)world_below((uint64_t)last + 1);
	pid = processes.free_pids[i];
	processes.free_pids[i] = processes.free_pids[last];
	return pid;
}

static void
drop_pid(pid_t pid)
{
	if (--processes.pids[pid].bearers == 0)
		processes.free_pids[processes.free_pid_count++] = pid;
}

struct process *
processes_fork(const struct process *parent, uint64_t parent_number, bool is_own_group)
{
	struct process *p;
	int place;

	if (processes.free_count == 0 || processes.free_pid_count == 0)
		return NULL;
	place = processes.free[--processes.free_count];
	if (place >= processes.used)
		processes.used = place + 1;
	p = &processes.table[place];
	*p = (struct process){.parent = parent_number, .report_fd = -1};
	if (parent != NULL)
		*p = (struct process){.parent = parent->number,
		    .pgid = parent->pgid,
		    .group = parent->group,
		    .job = parent->job,
		    .mark = parent->mark,
		    .is_in_cgroup = parent->is_in_cgroup,
		    .has_executed = true,
		    .report_fd = -1};
	p->born_ns = world_now();
	p->number = ++processes.numbers * PROCESSES_MAX + (uint64_t)place;
	p->pid = take_pid();
	if (is_own_group) {
		p->pgid = p->pid;
		p->group = p->number;
	}
	processes.pids[p->pid].place = (uint16_t)(place + 1);
	processes.pids[p->pid].bearers++;
	processes.pids[p->pgid].bearers++;
	return p;
}

void
processes_lead(struct process *p)
{
	drop_pid(p->pgid);
	p->pgid = p->pid;
	p->group = p->number;
	processes.pids[p->pid].bearers++;
}

void
processes_reap(struct process *p)
{
	world_note(p->job, "reaped", p->pid, 0);
	processes.pids[p->pid].place = 0;
	drop_pid(p->pid);
	drop_pid(p->pgid);
	processes.free[processes.free_count++] = (uint16_t)(p - processes.table);
	p->number = 0;
}

/* Its parent hears of a zombie, and may not care. */
static void
tell_parent(struct process *p)
{
	struct process *parent;

	if (p->parent == PARENT_US) {
		kernel_signal(SIGCHLD);
		return;
	}
	parent = processes_find(p->parent);
	if (parent == NULL || children_reaps(parent, p))
		processes_reap(p);
}

static void
orphan(const struct process *p)
{
	struct process *child;

	for (child = processes_next(NULL); child != NULL; child = processes_next(child)) {
		if (child->parent != p->number)
			continue;
		/* The supervisor is their subreaper, prctl(2). */
		child->parent = PARENT_US;
		if (child->is_zombie)
			tell_parent(child);
	}
}

void
processes_die(struct process *p, int wait_status)
{
	world_note(p->job, "died: number, status", p->pid, wait_status);
	p->is_zombie = true;
	p->wait_status = wait_status;
	kernel_report(p->report_fd, p->report_number, 0, 0);
	p->report_fd = -1;
	if (p->job != 0 || p->is_server)
		orphan(p);
	if (p->is_server)
		server_died(wait_status);
	else if (p->job == 0)
		processes.stranger_count--;
	else
		children_died(p);
	tell_parent(p);
}

static void
killed(void *arg, uint64_t number)
{
	struct process *p = processes_find(number);

	(void)arg;
	if (p == NULL || p->is_zombie)
		return;
	if (p->busy_until_ns > world_now())
		world_at(p->busy_until_ns, killed, NULL, number);
	else
		processes_die(p, SIGKILL);
}

static void
go_on(struct process *p)
{
	int signo = p->caught;

	if (!p->is_stopped)
		return;
	p->is_stopped = false;
	p->caught = 0;
	if (signo != 0)
		children_signalled(p, signo);
}

void
processes_signal(struct process *p, int signo)
{
	world_note(p->job, "signalled: number, signal", p->pid, signo);
	promises_signalled(p, signo);
	if (p->is_zombie || p->is_dying)
		return;
	switch (signo) {
	case 0:
		break;
	case SIGKILL:
		p->is_dying = true;
		world_at(world_now() + world_below(world_once_in(4) ? 5 * NSEC_PER_MSEC : 50000),
		    killed, NULL, p->number);
		break;
	case SIGSTOP:
		p->is_stopped = true;
		p->is_stopped_by_us = true;
		if (p->parent == PARENT_US)
			kernel_signal(SIGCHLD);
		break;
	case SIGCONT:
		p->is_stopped_by_us = false;
		go_on(p);
		break;
	default:
		if (p->is_stopped)
			p->caught = signo;
		else
			children_signalled(p, signo);
	}
}

unsigned
processes_living(uint64_t job)
{
	const struct process *p;
	unsigned count = 0;

	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		count += p->job == job && !p->is_zombie;
	return count;
}

bool
processes_has_cgroup_member(uint64_t job)
{
	const struct process *p;

	for (p = processes_next(NULL); p != NULL; p = processes_next(p))
		if (p->job == job && p->is_in_cgroup && !p->is_zombie)
			return true;
	return false;
}

static void
stranger_goes(void *arg, uint64_t number)
{
	struct process *p = processes_find(number);

	(void)arg;
	if (p != NULL)
		processes_die(p, 0);
}

static void
make_stranger(void)
{
	struct process *p = NULL;

	if (processes.stranger_count < STRANGERS_MAX)
		p = processes_fork(NULL, PARENT_INIT, true);
	if (p == NULL)
		return;
	processes.stranger_count++;
	p->has_executed = true;
	world_at(world_now() + world_below(3 * NSEC_PER_SEC), stranger_goes, NULL, p->number);
}

void
processes_replace(pid_t pid)
{
	struct process *p = processes_find_pid(pid);

	if (p == NULL || p->job == 0 || p->is_zombie || p->busy_until_ns > world_now())
		return;
	processes_die(p, 0);
	make_stranger();
}

void
processes_stranger_comes(void *arg, uint64_t tag)
{
	make_stranger();
	if (!kernel_is_calm())
		world_at(world_now() + world_below(50 * NSEC_PER_MSEC), processes_stranger_comes,
		    arg, tag);
}
