/*
 * adopted: see adopted.h.
 */
#include "tests/fault/adopted.h"

#include "base/clock.h"
#include "base/fd.h"
#include "supervisor/proc.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static _Noreturn void
execute(char *command, uint64_t mark)
{
	struct rlimit limit;

	setsid();
	getrlimit(RLIMIT_LOCKS, &limit);
	limit.rlim_cur = mark;
	if (mark != 0)
		setrlimit(RLIMIT_LOCKS, &limit);
	/* All else is close-on-exec. */
	fd_set_cloexec(WIRE_SERVER_FD, 1);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(1);
}

void
adopted_start(struct fault_job *job, char *command, uint64_t mark)
{
	struct proc_stat st;
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC) == -1)
		err(1, "pipe2");
	/* The page is shared with the child. */
	pid = fork();
	if (pid == 0)
		execute(command, mark);
	fd_close(&ends[1]);
	/* The end of the file is its exec. */
	while (read(ends[0], &byte, 1) == -1 && errno == EINTR)
		continue;
	fd_close(&ends[0]);
	if (pid == -1 || proc_stat_read(pid, &st) != 0)
		errx(1, "cannot start a job to be adopted");
	job->mark = mark;
	job->start_time = st.start_time;
	job->pid = pid;
}

void
adopted_standing(const struct fault_job *job, uint64_t number, struct standing *ret_standing)
{
	*ret_standing = (struct standing){.job = number,
	    .started_ns = clock_mono_ns(),
	    .start_time = job->start_time,
	    .mark = job->mark,
	    .cpu_ns = STANDING_UNKNOWN,
	    .max_rss_kb = STANDING_UNKNOWN,
	    .started_wall_ms = clock_wall_ms(),
	    .pid = job->pid,
	    .wait_status = WIRE_WAIT_UNKNOWN,
	    .revision = 1,
	    .containment = WIRE_CONTAIN_SUBREAPER};
}
