/*
 * caller: see caller.h. Who connected is SO_PEERCRED, unix(7): a number that was given away meanwhile belongs to a
 * process without the mark.
 */
#include "server/caller.h"

#include "server/row.h"

#include <sys/resource.h>

static bool
has_mark(pid_t pid, uint64_t mark)
{
	struct rlimit limit;

	/* The hard limit is the mark where a spawnd inside of the job has set one of its own. */
	return pid > 0 && mark != 0 && prlimit(pid, RLIMIT_LOCKS, NULL, &limit) == 0 &&
	    (limit.rlim_cur == mark || limit.rlim_max == mark);
}

int64_t
caller_job(struct server *s, const struct conn *c, int64_t claimed)
{
	const struct queue_job *j = claimed <= 0 ? NULL : queue_find(s->queue, claimed);
	struct row row;

	if (j == NULL || !queue_is_live(j) ||
	    server_check(s, store_read_job(s->store, claimed, row_copy, &row)) < 0)
		return 0;
	return has_mark(conn_pid(c), row.job.standing.mark) ? claimed : 0;
}
