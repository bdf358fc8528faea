/*
 * wrap: what the linker puts in the place of each function that is a failpoint (ld(1), --wrap), and
 * of the two that begin supervisor and server, and of the clock. Part of the build for tests only.
 */
#include "tests/torture/failpoint.h"

#include "server/fifo.h"
#include "server/jobs.h"
#include "server/load.h"
#include "server/recovery.h"
#include "server/server.h"
#include "server/starter.h"
#include "server/takeover.h"
#include "store/approvals.h"
#include "store/store.h"
#include "store/waiters.h"
#include "supervisor/proc.h"
#include "supervisor/supervisor.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* It must be called as what it stands for: the linker does not look. */
#define SAME(name) \
	_Static_assert(__builtin_types_compatible_p(__typeof__(name), __typeof__(__wrap_##name)), \
	    #name " has other parameters now");

#define WRAP(type, name, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	SAME(name) \
	type __wrap_##name parameters \
	{ \
		type rc; \
\
		failpoint_pass(FAILPOINT_##name, FAILPOINT_BEFORE); \
		rc = __real_##name arguments; \
		failpoint_pass(FAILPOINT_##name, FAILPOINT_AFTER); \
		return rc; \
	}

#define WRAP_VOID(name, parameters, arguments) \
	void __real_##name parameters; \
	void __wrap_##name parameters; \
	SAME(name) \
	void __wrap_##name parameters \
	{ \
		failpoint_pass(FAILPOINT_##name, FAILPOINT_BEFORE); \
		__real_##name arguments; \
		failpoint_pass(FAILPOINT_##name, FAILPOINT_AFTER); \
	}

/* clang-format off */
WRAP(int, store_open, (const char *path, bool is_full, struct store **s, struct fault *f), (path, is_full, s, f))
WRAP(int, store_add_job, (struct store *s, const struct store_job *j, const char *token, const void *block, size_t len, int64_t *job, int64_t *run), (s, j, token, block, len, job, run))
WRAP(int, store_set_starting, (struct store *s, int64_t job, uint64_t instance, const char *boot_id, uint64_t mark), (s, job, instance, boot_id, mark))
WRAP(int, store_set_queued, (struct store *s, int64_t job), (s, job))
WRAP(int, store_set_retry, (struct store *s, int64_t job, int64_t started_ms, const struct store_order *o, const char *body), (s, job, started_ms, o, body))
WRAP(int, store_set_running, (struct store *s, const struct standing *st), (s, st))
WRAP(int, store_set_standing, (struct store *s, const struct standing *st), (s, st))
WRAP(int, store_end_job, (struct store *s, int64_t job, enum status status, int64_t started_ms, int64_t ended_ms, int64_t seq, const char *body), (s, job, status, started_ms, ended_ms, seq, body))
WRAP(int, store_set_ancestry, (struct store *s, int64_t job, const char *ancestry), (s, job, ancestry))
WRAP(int, store_set_cancelled, (struct store *s, int64_t job), (s, job))
WRAP(int, store_add_event, (struct store *s, const char *kind, int64_t job, const char *parent, const char *child, const char *body), (s, kind, job, parent, child, body))
WRAP(int, store_acknowledge, (struct store *s, int64_t seq, bool *was_pending), (s, seq, was_pending))
WRAP(int, waiters_add, (struct store *s, const struct waiters_row *row, const struct waits_edge *edges, size_t count), (s, row, edges, count))
WRAP(int, waiters_end, (struct store *s, int64_t after, enum status status), (s, after, status))
WRAP(int, waiters_suspend, (struct store *s, int64_t job), (s, job))
WRAP(int, waiters_resume, (struct store *s, int64_t job, int64_t last), (s, job, last))
WRAP(int, store_set_parent, (struct store *s, const struct store_parent *p), (s, p))
WRAP(int, store_add_approval, (struct store *s, const struct store_approval *a), (s, a))
WRAP(int, store_put_approval, (struct store *s, const struct store_approval *a), (s, a))
WRAP(int, store_decide_approval, (struct store *s, const struct store_approval *a), (s, a))
WRAP(int, store_commit, (struct store *s), (s))
WRAP_VOID(store_rollback, (struct store *s), (s))
WRAP(int, store_tidy, (struct store *s), (s))
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t len, off64_t at), (fd, data, len, at))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate64, (int fd, off64_t len), (fd, len))
WRAP(int, starter_open, (const struct paths *p, const struct store_job *j, bool is_resumed, const void *block, size_t len, int *fds, const char **stage, struct fault *f), (p, j, is_resumed, block, len, fds, stage, f))
WRAP(int, load_all, (struct server *s), (s))
WRAP_VOID(recovery_synced, (struct server *s), (s))
WRAP(int, takeover_exec, (struct server *s), (s))
WRAP(int, fifo_make, (const char *path, struct fault *f), (path, f))
WRAP(int, fifo_open, (const char *path, struct fault *f), (path, f))
WRAP(size_t, fifo_drain, (int fd), (fd))
WRAP(ssize_t, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, proc_clone, (struct proc_abilities *a, int cgroup_fd, struct proc *p), (a, cgroup_fd, p))
WRAP(int, proc_wait, (const struct proc *p, bool is_reaping, struct proc_end *end), (p, is_reaping, end))
/* clang-format on */

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

/* The server's into FIFOs; its log is no point. */
ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	struct stat st;
	bool is_point =
	    failpoint_is(FAILPOINT_SERVER) && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
	ssize_t n;

	if (is_point)
		failpoint_pass(FAILPOINT_write, FAILPOINT_BEFORE);
	n = __real_write(fd, data, len);
	if (is_point)
		failpoint_pass(FAILPOINT_write, FAILPOINT_AFTER);
	return n;
}

int __real_wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds,
    unsigned nfds);
int __wrap_wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds,
    unsigned nfds);
SAME(wire_send)

int
__wrap_wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds)
{
	enum failpoint point = FAILPOINT_WIRE_SEND + (unsigned)type;
	int rc;

	failpoint_pass(point, FAILPOINT_BEFORE);
	rc = __real_wire_send(fd, type, m, fds, nfds);
	failpoint_pass(point, FAILPOINT_AFTER);
	return rc;
}

int __real_wire_receive(int fd, enum wire_side side, struct wire_message *m, int *fds,
    const char **why);
int __wrap_wire_receive(int fd, enum wire_side side, struct wire_message *m, int *fds,
    const char **why);
SAME(wire_receive)

/* What comes is known only when it has come. */
int
__wrap_wire_receive(int fd, enum wire_side side, struct wire_message *m, int *fds, const char **why)
{
	int rc = __real_wire_receive(fd, side, m, fds, why);

	if (rc == 1)
		failpoint_pass(FAILPOINT_WIRE_RECEIVE + (unsigned)m->type, FAILPOINT_AFTER);
	return rc;
}

int __real_server_run(const struct server_setup *setup, bool is_managed);
int __wrap_server_run(const struct server_setup *setup, bool is_managed);
SAME(server_run)

int
__wrap_server_run(const struct server_setup *setup, bool is_managed)
{
	failpoint_begin(FAILPOINT_SERVER);
	return __real_server_run(setup, is_managed);
}

int __real_supervisor_run(const struct supervisor_setup *setup);
int __wrap_supervisor_run(const struct supervisor_setup *setup);
SAME(supervisor_run)

int
__wrap_supervisor_run(const struct supervisor_setup *setup)
{
	failpoint_begin(FAILPOINT_SUPERVISOR);
	return __real_supervisor_run(setup);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = __real_clock_gettime(clock, now);

	if (rc == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += failpoint_shift_ms() / 1000;
	return rc;
}
