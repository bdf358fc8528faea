/*
 * proc: supervisor/proc.h on simulated processes, linked in place of supervisor/proc.c. The simulator. Must
 * keep to that header's contracts, at the edges of what they allow.
 */
#include "supervisor/proc.h"

#include "base/fd.h"
#include "supervisor/contain.h"
#include "tests/sim/children.h"
#include "tests/sim/kernel.h"
#include "tests/sim/processes.h"
#include "tests/sim/promises.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers that a slice of a pass shows: few, so that much happens between two. */
#define SCAN_SLICE 150

int
proc_abilities_detect(struct proc_abilities *ret_a, const char *without)
{
	*ret_a = (struct proc_abilities){.has_group_pidfd = without == NULL, .has_clone3 = true};
	return 0;
}

static struct process *
target(const struct proc *p)
{
	return processes_find(kernel_file(p->pidfd, FILE_PIDFD)->process);
}

static int
open_handle(const struct process *process, struct proc *ret_p)
{
	ret_p->pid = process->pid;
	ret_p->pidfd = kernel_open(FILE_PIDFD);
	kernel_file(ret_p->pidfd, FILE_PIDFD)->process = process->number;
	kernel_file(ret_p->pidfd, FILE_PIDFD)->job = process->job;
	return 1;
}

int
proc_clone(struct proc_abilities *a, int cgroup_fd, struct proc *ret_p)
{
	static const int errors[] = {EAGAIN, ENOMEM, EMFILE, EBUSY};
	int report_fd = kernel_last_pipe();
	struct process *process = NULL;
	struct job *job = server_spawning();

	(void)a;
	kernel_enter();
	if (!kernel_fails())
		process = processes_fork(NULL, PARENT_US, false);
	if (process == NULL)
		return -errors[world_below(4)];
	if (report_fd == -1) {
		process->is_server = true;
		process->has_executed = true;
		processes_lead(process);
		server_cloned(process);
		return open_handle(process, ret_p);
	}
	kernel_set_last_pipe(-1);
	process->report_fd = report_fd;
	process->report_number = kernel_file(report_fd, FILE_REPORT)->number;
	process->is_in_cgroup = cgroup_fd != -1;
	kernel_file(report_fd, FILE_REPORT)->writers++;
	kernel_file(report_fd, FILE_REPORT)->job = job->id;
	children_cloned(job, process);
	return open_handle(process, ret_p);
}

int
proc_open(pid_t pid, struct proc *ret_p)
{
	struct process *process;

	kernel_enter();
	/* The worst moment for a process to end and for a stranger to get its number. */
	if (!kernel_is_calm() && world_once_in(20))
		processes_replace(pid);
	process = processes_find_pid(pid);
	if (kernel_fails()) {
		if (process != NULL)
			process->is_missed = true;
		return -EMFILE;
	}
	if (process == NULL)
		return -ESRCH;
	open_handle(process, ret_p);
	return 0;
}

int
proc_find(pid_t pid, uint64_t start_time, struct proc *ret_p)
{
	int error = proc_open(pid, ret_p);

	if (error == 0 && target(ret_p)->number != start_time) {
		proc_close(ret_p);
		error = -ESRCH;
	}
	return error;
}

int
proc_exit_status(struct proc_abilities *a, const struct proc *p, uint64_t start_time,
    int *ret_wait_status)
{
	const struct process *process;

	(void)a;
	(void)start_time;
	kernel_enter();
	process = target(p);
	if (process == NULL)
		return -ESRCH;
	if (!process->is_zombie)
		return -EAGAIN;
	*ret_wait_status = process->wait_status;
	return 0;
}

void
proc_close(struct proc *p)
{
	fd_close(&p->pidfd);
	p->pid = 0;
}

int
proc_signal(const struct proc *p, int signo)
{
	struct process *process;

	kernel_enter();
	process = target(p);
	if (process == NULL)
		return -ESRCH;
	promises_tried(process->job, signo);
	process->is_missed = kernel_fails();
	if (process->is_missed)
		return -EPERM;
	processes_signal(process, signo);
	return 0;
}

/* The group by what cannot be reused, or, where number is 0, by what can. */
static int
signal_group(uint64_t number, pid_t pgid, int signo)
{
	struct process *process;
	bool is_failing = kernel_fails();
	int error = is_failing ? -EPERM : -ESRCH;

	for (process = processes_next(NULL); process != NULL; process = processes_next(process)) {
		if (number != 0 ? process->group != number : process->pgid != pgid)
			continue;
		if (signo != 0)
			process->is_missed = is_failing;
		if (is_failing)
			continue;
		if (signo != 0)
			processes_signal(process, signo);
		error = 0;
	}
	return error;
}

int
proc_signal_group(const struct proc_abilities *a, const struct proc *p, int signo)
{
	const struct file *f = kernel_file(p->pidfd, FILE_PIDFD);

	kernel_enter();
	promises_tried(f->job, signo);
	return signal_group(a->has_group_pidfd ? f->process : 0, p->pid, signo);
}

enum proc_group
proc_group_look(const struct proc_abilities *a, const struct proc *p)
{
	const struct process *process;
	int error;

	kernel_enter();
	if (a->has_group_pidfd) {
		error = signal_group(kernel_file(p->pidfd, FILE_PIDFD)->process, 0, 0);
		return error == -ESRCH ? PROC_GROUP_EMPTY : PROC_GROUP_LIVE;
	}
	for (process = processes_next(NULL); process != NULL; process = processes_next(process))
		if (process->pgid == p->pid && process->parent == PARENT_US && !process->is_zombie)
			return PROC_GROUP_LIVE;
	return PROC_GROUP_UNSURE;
}

int
proc_next_exited(pid_t *ret_pid)
{
	const struct process *process;

	kernel_enter();
	*ret_pid = 0;
	for (process = processes_next(NULL); process != NULL; process = processes_next(process)) {
		if (process->parent == PARENT_US && process->is_zombie) {
			*ret_pid = process->pid;
			break;
		}
	}
	return 0;
}

int
proc_has_exited(pid_t pid)
{
	const struct process *process;

	kernel_enter();
	process = processes_find_pid(pid);
	return process != NULL && process->parent == PARENT_US && process->is_zombie;
}

int
proc_wait(const struct proc *p, bool is_reaping, struct proc_end *ret_end)
{
	struct process *process;

	kernel_enter();
	process = target(p);
	if (process == NULL || process->parent != PARENT_US)
		return -ECHILD;
	if (!process->is_zombie)
		return -EAGAIN;
	*ret_end = (struct proc_end){.wait_status = process->wait_status};
	promises_exit_known(process->job);
	if (is_reaping)
		processes_reap(process);
	return 0;
}

void
proc_reap_stray(pid_t pid)
{
	struct process *process;

	kernel_enter();
	process = processes_find_pid(pid);
	if (process != NULL && process->parent == PARENT_US && process->is_zombie)
		processes_reap(process);
}

int
proc_scan_step(struct proc_scan *scan, void (*visit)(void *arg, pid_t pid), void *arg)
{
	struct file *f;
	pid_t pid, end;

	kernel_enter();
	if (kernel_fails()) {
		proc_scan_stop(scan);
		return -EMFILE;
	}
	if (scan->fd == -1)
		scan->fd = kernel_open(FILE_SCAN);
	f = kernel_file(scan->fd, FILE_SCAN);
	pid = (pid_t)f->at;
	end = pid + SCAN_SLICE < PID_MAX ? pid + SCAN_SLICE : PID_MAX + 1;
	f->at = (uint64_t)end;
	for (; pid < end; pid++)
		if (processes_find_pid(pid) != NULL)
			visit(arg, pid);
	if (end <= PID_MAX)
		return 1;
	proc_scan_stop(scan);
	return 0;
}

void
proc_scan_stop(struct proc_scan *scan)
{
	fd_close(&scan->fd);
}

int
proc_scan(void (*visit)(void *arg, pid_t pid), void *arg)
{
	struct proc_scan scan = {.fd = -1};
	int rc;

	do
		rc = proc_scan_step(&scan, visit, arg);
	while (rc == 1);
	return rc;
}

int
proc_stat_read(pid_t pid, struct proc_stat *ret_st)
{
	const struct process *process;

	kernel_enter();
	process = processes_find_pid(pid);
	if (process == NULL)
		return world_once_in(2) ? -ESRCH : -ENOENT;
	/* Of one that dies before its exec nothing else tells that it did. */
	if (process->has_executed && kernel_fails())
		return -EMFILE;
	*ret_st = (struct proc_stat){.start_time = process->number,
	    .has_executed = process->has_executed,
	    .is_dead = process->is_zombie};
	return 0;
}

pid_t __wrap_getpgid(pid_t pid);
pid_t
__wrap_getpgid(pid_t pid)
{
	const struct process *process;

	kernel_enter();
	process = processes_find_pid(pid);
	errno = ESRCH;
	return process == NULL ? -1 : process->pgid;
}

int __wrap_kill(pid_t pid, int signo);
int
__wrap_kill(pid_t pid, int signo)
{
	struct process *process;

	kernel_enter();
	process = processes_find_pid(pid);
	if (process == NULL) {
		errno = ESRCH;
		return -1;
	}
	promises_tried(process->job, signo);
	processes_signal(process, signo);
	return 0;
}
