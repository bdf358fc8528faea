/*
 * caller: see caller.h. Must never take somebody for a stranger whom it cannot see.
 */
#include "server/caller.h"

#include "base/fd.h"
#include "base/mark.h"
#include "base/policy.h"
#include "server/row.h"
#include "store/approvals.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

/* More than anybody has above him. */
#define GENERATIONS_MAX 256

#define TRIES 3

/* What a connection's note has above a policy, which may be -1, to be more than 0. */
#define NOTE_BASE 2

/*
 * By its ancestors: who is below the supervisor is of a job, and the last before it is that job's first
 * process, or an orphan of one. Who calls again and again has somebody above him who is known not to be.
 */
static int
find_by_kin(struct server *s, pid_t pid, int64_t *ret_job)
{
	struct process line[GENERATIONS_MAX], *at = line;
	int r;

	*ret_job = 0;
	for (; at < line + GENERATIONS_MAX && pid > 1; pid = at++->parent) {
		r = process_read(pid, at);
		if (r < 0)
			return r;
		if (outsiders_have(&s->outsiders, s->supervisor_pid, at))
			return 0;
		if (at->parent == s->supervisor_pid && at->parent != 0) {
			r = server_check(s,
			    store_find_leader(s->store, pid, at->start_time, ret_job));
			return r == 0 && *ret_job == 0 ? -ESRCH : r;
		}
	}
	if (pid > 1)
		return -ESRCH;
	/* The client itself will not call again. */
	if (at > line + 1)
		outsiders_set(&s->outsiders, s->supervisor_pid, line + 1, (size_t)(at - line - 1));
	return 0;
}

/* A mark that this server has itself is that of a spawnd around this one, whom its jobs do not concern. */
static int
find_by_mark(struct server *s, uint64_t mark, int64_t *ret_job)
{
	uint64_t own, outer;

	*ret_job = 0;
	if (mark < WIRE_MARK_LEAST || mark > INT64_MAX)
		return 0;
	if (mark_read(getpid(), &own, &outer) == 0 && (mark == own || mark == outer))
		return 0;
	return server_check(s, store_find_marked(s->store, mark, ret_job));
}

/* Whether the process that made the connection is there still, so that its number was nobody else's. */
static bool
is_there(int fd)
{
	struct pollfd p = {.events = POLLIN};
	socklen_t len = sizeof(p.fd);
	bool is_alive;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &p.fd, &len) < 0)
		return errno == ENOPROTOOPT;
	is_alive = poll(&p, 1, 0) == 0;
	fd_close(&p.fd);
	return is_alive;
}

static int
find(struct server *s, pid_t pid, int64_t *ret_job, bool *ret_is_marked)
{
	uint64_t mark, outer;
	int r = mark_read(pid, &mark, &outer);

	if (r < 0)
		return -ESRCH;
	r = find_by_mark(s, mark, ret_job);
	if (r == 0 && *ret_job == 0)
		r = find_by_mark(s, outer, ret_job);
	*ret_is_marked = r == 0 && *ret_job != 0;
	if (r == 0 && *ret_job == 0)
		r = find_by_kin(s, pid, ret_job);
	return r;
}

static bool
is_leader(const struct standing *leader, pid_t pid, uint64_t start_time)
{
	return pid == leader->pid && (leader->start_time == 0 || start_time == leader->start_time);
}

/* A session is inherited, or made, but nobody can enter that of another. */
static bool
is_session_of(const struct standing *leader, pid_t session)
{
	struct process kin;

	return session == leader->pid && process_read(session, &kin) == 0 &&
	    is_leader(leader, session, kin.start_time);
}

/*
 * Any process may give itself the mark of another job. Whether there is more that says that it is of this one:
 * the job's first process above it, or that one's session. 0; -ENOENT: there is not; -ESRCH: it is of another.
 */
static int
check_standing(struct server *s, pid_t pid, const struct standing *leader)
{
	pid_t session = 0;
	int64_t other = 0;
	struct process kin;
	int r = 0;

	if (leader->pid <= 0)
		return 0; /* it is just being started */
	for (int i = 0; i < GENERATIONS_MAX && pid > 1; i++) {
		r = process_read(pid, &kin);
		if (r < 0)
			return r;
		if (is_leader(leader, pid, kin.start_time))
			return 0;
		if (i == 0)
			session = kin.session;
		if (kin.parent == s->supervisor_pid && kin.parent != 0) {
			r = server_check(s,
			    store_find_leader(s->store, pid, kin.start_time, &other));
			break;
		}
		pid = kin.parent;
	}
	if (r == 0 && other != 0)
		r = -ESRCH;
	return r == 0 && !is_session_of(leader, session) ? -ENOENT : r;
}

static int
check_mark(struct server *s, pid_t pid, int64_t job)
{
	struct row row;
	int r = server_check(s, store_read_job(s->store, job, row_copy, &row));

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	return check_standing(s, pid, &row.job.standing);
}

int
caller_find(struct server *s, const struct conn *c, int64_t *ret_job, bool *ret_is_certain)
{
	pid_t pid = conn_pid(c);
	bool is_marked = false;
	int64_t job = 0;
	int r, certain;

	/* 0: it is in a namespace of processes that cannot be seen from here. */
	if (pid <= 0)
		return -ESRCH;
	r = find(s, pid, &job, &is_marked);
	certain = r == 0 && is_marked ? check_mark(s, pid, job) : 0;
	if (certain != -ENOENT && r == 0)
		r = certain;
	if (r == 0 && !is_there(conn_fd(c)))
		r = -ESRCH;
	if (r == 0) {
		*ret_job = job;
		*ret_is_certain = certain == 0;
	}
	return r;
}

int
caller_prove(struct server *s, const struct conn *c, int64_t *ret_job)
{
	bool is_certain = false;
	int64_t job = 0;
	int r = caller_find(s, c, &job, &is_certain);

	if (r == 0 && !is_certain)
		r = -ESRCH;
	if (r == 0)
		*ret_job = job;
	return r;
}

/* The first process has gone, and left its session: while anybody is in that, its number is nobody else's. */
static bool
is_left_by(const struct standing *leader, pid_t pid)
{
	struct process kin;

	return leader->pid > 0 && process_read(pid, &kin) == 0 && kin.session == leader->pid &&
	    process_read(leader->pid, &kin) == -ESRCH;
}

/*
 * Whether the client says that it is of that job, and has its mark. A number that was given away meanwhile
 * belongs to a process without it.
 */
static bool
has_mark_of(struct server *s, const struct conn *c, int64_t claimed, struct row *ret_row)
{
	const struct queue_job *j = claimed <= 0 ? NULL : queue_find(s->queue, claimed);
	const struct standing *leader = &ret_row->job.standing;
	uint64_t mark, outer;

	if (j == NULL || !queue_is_live(j) || conn_pid(c) <= 0 ||
	    server_check(s, store_read_job(s->store, claimed, row_copy, ret_row)) < 0 ||
	    leader->mark == 0 || mark_read(conn_pid(c), &mark, &outer) != 0)
		return false;
	/* The outer one is the mark where a spawnd inside of the job has set one of its own. */
	return mark == leader->mark || outer == leader->mark;
}

int64_t
caller_job(struct server *s, const struct conn *c, int64_t claimed)
{
	struct row row;
	int r = -ESRCH;

	if (!has_mark_of(s, c, claimed, &row))
		return 0;
	/* Ancestors may exit while they are looked at. */
	for (int i = 0; r == -ESRCH && i < TRIES; i++)
		r = check_standing(s, conn_pid(c), &row.job.standing);
	return r == 0 || (r == -ENOENT && is_left_by(&row.job.standing, conn_pid(c))) ? claimed : 0;
}

static int
copy_policy(void *arg, const struct store_job *j)
{
	*(int *)arg = j->policy;
	return 0;
}

/* As caller_find(), but one that says which it is of is not looked for. */
static int
find_claimed(struct server *s, const struct conn *c, int64_t claimed, int64_t *ret_job,
    bool *ret_is_certain)
{
	struct row row;
	int r = -ESRCH;

	if (has_mark_of(s, c, claimed, &row)) {
		*ret_job = claimed;
		r = check_standing(s, conn_pid(c), &row.job.standing);
		*ret_is_certain = r == 0;
		return r == -ENOENT ? 0 : r;
	}
	/* Ancestors may exit while they are looked at. */
	for (int i = 0; r == -ESRCH && conn_pid(c) > 0 && i < TRIES; i++)
		r = caller_find(s, c, ret_job, ret_is_certain);
	return r;
}

int
caller_policy(struct server *s, struct conn *c, int64_t claimed, int *ret_policy)
{
	bool is_certain = false;
	int64_t job = 0;
	int r;

	/* A process does not change its job, and a job not its policy: once for all lines of a batch. */
	if (conn_note(c) != 0) {
		*ret_policy = conn_note(c) - NOTE_BASE;
		return 0;
	}
	r = find_claimed(s, c, claimed, &job, &is_certain);
	*ret_policy = -1;
	if (r == 0 && job != 0)
		r = server_check(s, store_read_job(s->store, job, copy_policy, ret_policy));
	if (r == -ESRCH || (r == 0 && job != 0 && !is_certain))
		*ret_policy = policy_inherit(POLICY_ASK, *ret_policy);
	else if (r == 0)
		conn_set_note(c, *ret_policy + NOTE_BASE);
	return r == -ESRCH ? 0 : r;
}
