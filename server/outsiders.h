/*
 * outsiders: whose child a process is, and who is known not to be below the supervisor. Runs in the server.
 */
#ifndef SERVER_OUTSIDERS_H
#define SERVER_OUTSIDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	pid_t parent;
	pid_t session;
	uint64_t start_time; /* after boot, in clock ticks */
};

#define OUTSIDERS_MAX 16

/*
 * The processes above the last client that was found to be outside. Nobody comes below the supervisor who was not
 * born there: who loses his parent gets one that was above it, PR_SET_CHILD_SUBREAPER(2const). All zero is empty.
 */
struct outsiders {
	pid_t supervisor; /* of which this is true */
	size_t count;
	struct process known[OUTSIDERS_MAX];
};

/* proc_pid_stat(5). 0 or -ESRCH. */
int process_read(pid_t pid, struct process *ret_process);

/* Whether a is known to be outside of that supervisor's tree. */
bool outsiders_have(const struct outsiders *o, pid_t supervisor, const struct process *a);

/* These are, and replace all that were known before; those that are too many are left out. */
void outsiders_set(struct outsiders *o, pid_t supervisor, const struct process *all, size_t count);

#endif
