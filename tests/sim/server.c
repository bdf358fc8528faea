/*
 * server: see server.h. With it wire_pair(), wire_send() and wire_receive() of wire/wire.h, linked in place
 * of wire/wire.c. The simulator.
 */
#include "tests/sim/server.h"

#include "tests/sim/kernel.h"
#include "tests/sim/promises.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define OUTBOX_SIZE 64
#define INBOX_SIZE 16
#define NONSENSE WIRE_TYPE_COUNT /* what wire_receive() drops */

static struct {
	uint64_t wire_number; /* the supervisor's end; 0: closed */
	uint64_t process;     /* 0: none */
	uint64_t age;         /* how many there were */
	struct wire_message outbox[OUTBOX_SIZE], inbox[INBOX_SIZE];
	unsigned out_first, out_count, in_first, in_count;
	uint64_t spawning;
	uint64_t reported_ns;
	int exit_code;
	bool has_synced;
	bool is_ready;
	bool has_served; /* any of them was ready */
	bool is_draining;
	bool is_stopping; /* the supervisor says so */
	bool has_signalled;
} server;

static void act(void *arg, uint64_t age);

void
server_init(void)
{
	memset(&server, 0, sizeof(server));
}

struct job *
server_spawning(void)
{
	return children_find(server.spawning);
}

uint32_t
server_readiness(uint64_t file_number)
{
	if (file_number != server.wire_number)
		return 0;
	if (server.process == 0)
		return EPOLLIN | EPOLLOUT | EPOLLHUP;
	return (server.out_count > 0 ? EPOLLIN : 0) | (server.in_count < INBOX_SIZE ? EPOLLOUT : 0);
}

bool
server_is_heard(void)
{
	return server.wire_number != 0;
}

int
server_exit_code(void)
{
	return server.exit_code;
}

void
server_cloned(const struct process *p)
{
	if (server.exit_code != 0)
		world_broken(0, "what keeps the first server from serving ends the supervisor",
		    "exit code %d", server.exit_code);
	server.process = p->number;
	server.is_ready = false;
	server.has_synced = false;
	server.is_stopping = false;
	world_note(0, "server started: number", p->pid, 0);
	world_at(world_now() + world_below(5 * NSEC_PER_MSEC), act, NULL, ++server.age);
}

void
server_died(int wait_status)
{
	world_note(0, "server died", 0, 0);
	if (!server.has_served && WIFEXITED(wait_status))
		server.exit_code = WEXITSTATUS(wait_status);
	server.process = 0;
	server.in_count = 0;
	kernel_wake();
}

void
server_closed(uint64_t file_number)
{
	if (file_number == server.wire_number)
		server.wire_number = 0;
}

void
server_drain(void)
{
	server.is_draining = true;
}

static struct wire_message *
post(enum wire_type type)
{
	struct wire_message *m =
	    &server.outbox[(server.out_first + server.out_count) % OUTBOX_SIZE];

	if (server.out_count == OUTBOX_SIZE)
		return NULL;
	server.out_count++;
	m->type = (uint16_t)type;
	kernel_wake();
	return m;
}

static void
post_job(enum wire_type type, uint64_t job)
{
	struct wire_message *m = post(type);

	if (m != NULL)
		m->job.job = job;
}

static void
post_cancel(uint64_t job, uint32_t cause)
{
	struct wire_message *m = post(WIRE_CANCEL);

	if (m != NULL)
		m->cancel = (struct wire_cancel){.job = job, .cause = cause};
}

static void
post_lull(uint64_t job, bool is_lulled)
{
	struct wire_message *m = post(WIRE_LULL);

	if (m != NULL)
		m->lull = (struct wire_lull){.job = job, .is_lulled = is_lulled};
}

static void
post_spawn(void)
{
	struct job *job = server.out_count < OUTBOX_SIZE ? children_new_job() : NULL;

	if (job == NULL)
		return;
	world_note(job->id, "SPAWN sent: max_total_ms, max_idle_ms",
	    (int64_t)(job->spawn.limits.max_total_ns / NSEC_PER_MSEC),
	    (int64_t)(job->spawn.limits.max_idle_ns / NSEC_PER_MSEC));
	post(WIRE_SPAWN)->spawn = job->spawn;
	/* The same again is not to be started twice. */
	if (world_once_in(50) && server.out_count < OUTBOX_SIZE)
		post(WIRE_SPAWN)->spawn = job->spawn;
}

/* One that exists, mostly. */
static uint64_t
any_job(void)
{
	const struct job *job = children_next(NULL), *next;
	uint64_t count = world_below(JOBS_MAX / 8);

	if (job == NULL || world_once_in(100))
		return world_random();
	for (; count > 0; count--) {
		next = children_next(job);
		job = next == NULL ? children_next(NULL) : next;
	}
	return job->id;
}

static void
ask_anything(void)
{
	uint64_t what = world_below(100);

	if (what < 40)
		post_spawn();
	else if (what < 44)
		post_cancel(any_job(), WIRE_CAUSE_CANCEL);
	else if (what < 46)
		post_cancel(any_job(), WIRE_CAUSE_OUTPUT);
	else if (what < 47)
		post_cancel(any_job(), (uint32_t)world_random());
	else if (what < 53)
		post_job(WIRE_PAUSE, any_job());
	else if (what < 63)
		post_job(WIRE_UNPAUSE, any_job());
	else if (what < 73)
		post_job(WIRE_LOOK, any_job());
	else if (what < 75)
		post_job(WIRE_FORGET, any_job());
	else if (what < 76)
		post(WIRE_REPORT);
	else if (what < 77 && promises_has_open_job())
		post(WIRE_QUIT);
	else if (what < 78)
		post(NONSENSE);
	else if (what < 88)
		post_lull(any_job(), world_once_in(2));
}

static void
forget_late(void *arg, uint64_t job)
{
	(void)arg;
	if (server.process != 0)
		post_job(WIRE_FORGET, job);
}

static void
hear(const struct wire_message *m)
{
	if (m->type == WIRE_SYNCED)
		server.has_synced = true;
	else if (m->type == WIRE_STOPPING)
		server.is_stopping = true;
	if (m->type != WIRE_ENDED || m->ended.survivor_count > 0 || world_once_in(20))
		return;
	if (world_once_in(4))
		world_at(world_now() + world_below(2 * NSEC_PER_SEC), forget_late, NULL,
		    m->ended.job);
	else
		post_job(WIRE_FORGET, m->ended.job);
}

static void
drain(void)
{
	const struct job *job;
	bool is_done = true;

	for (job = children_next(NULL); job != NULL; job = children_next(job)) {
		is_done &= job->is_forgotten || !job->is_taken;
		if (!job->is_forgotten && job->cancelled_ns == 0 && world_once_in(4))
			post_cancel(job->id, WIRE_CAUSE_CANCEL);
	}
	if (world_now() - server.reported_ns > NSEC_PER_SEC && server.out_count < OUTBOX_SIZE) {
		server.reported_ns = world_now();
		post(WIRE_REPORT);
	}
	if (!is_done || server.out_count > 0)
		return;
	if (!server.has_signalled)
		kernel_signal(SIGTERM);
	server.has_signalled = true;
	if (server.is_stopping)
		post(WIRE_QUIT);
}

/* A turn of it. */
static void
act(void *arg, uint64_t age)
{
	uint64_t wait_ns = world_below(world_once_in(50) ? NSEC_PER_SEC : 8 * NSEC_PER_MSEC);
	unsigned count = (unsigned)world_below(INBOX_SIZE);

	if (age != server.age || server.process == 0)
		return;
	for (; server.in_count > 0 && count > 0; count--) {
		hear(&server.inbox[server.in_first]);
		server.in_first = (server.in_first + 1) % INBOX_SIZE;
		server.in_count--;
		kernel_wake();
	}
	if ((server.wire_number == 0 && world_once_in(100)) ||
	    (!kernel_is_calm() && world_once_in(server.has_served ? 3000 : 8))) {
		processes_die(processes_find(server.process), world_once_in(2) ? 1 << 8 : SIGSEGV);
		return;
	}
	if (server.has_synced && !server.is_ready)
		server.is_ready = post(WIRE_READY) != NULL;
	/* What it has written is read, even when it has died. */
	server.has_served |= server.is_ready;
	if (server.is_ready && server.is_draining)
		drain();
	else if (server.is_ready)
		ask_anything();
	world_at(world_now() + wait_ns, act, arg, age);
}

/* What the last server wrote and nobody has read. */
static void
drop_outbox(void)
{
	struct job *job;

	server.out_count = 0;
	for (job = children_next(NULL); job != NULL; job = children_next(job))
		if (!job->is_taken)
			job->id = 0;
}

int
wire_pair(int ends[2])
{
	kernel_enter();
	if (kernel_fails())
		return -EMFILE;
	ends[0] = kernel_open(FILE_WIRE);
	ends[1] = kernel_open(FILE_WIRE);
	server.wire_number = kernel_file(ends[0], FILE_WIRE)->number;
	drop_outbox();
	server.in_count = 0;
	/* No job's clone is the next one. */
	kernel_set_last_pipe(-1);
	return 0;
}

int
wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds)
{
	(void)fds;
	(void)nfds;
	kernel_enter();
	kernel_file(fd, FILE_WIRE);
	if (server.process == 0)
		return -EPIPE;
	if (server.in_count == INBOX_SIZE)
		return -EAGAIN;
	if (kernel_fails())
		return -ENOBUFS;
	m->type = (uint16_t)type;
	promises_told(m);
	server.inbox[(server.in_first + server.in_count++) % INBOX_SIZE] = *m;
	return 0;
}

static void
open_descriptors(struct job *job, int *fds)
{
	int i;

	for (i = 0; i < WIRE_FD_COUNT; i++) {
		fds[i] = kernel_open(i == WIRE_FD_BEATS ? FILE_BEATS
			: i == WIRE_FD_OUTPUT           ? FILE_OUTPUT
							: FILE_PLAIN);
		if (i == WIRE_FD_BEATS || i == WIRE_FD_OUTPUT)
			kernel_file(fds[i], i == WIRE_FD_BEATS ? FILE_BEATS : FILE_OUTPUT)->job =
			    job->id;
	}
	if (job->is_taken)
		return;
	job->beats_fd = fds[WIRE_FD_BEATS];
	job->beats_number = kernel_file(job->beats_fd, FILE_BEATS)->number;
	job->output_fd = fds[WIRE_FD_OUTPUT];
	job->output_number = kernel_file(job->output_fd, FILE_OUTPUT)->number;
}

int
wire_receive(int fd, enum wire_side side, struct wire_message *m, int fds[WIRE_FDS_MAX],
    const char **ret_why)
{
	bool has_fds;
	int i;

	(void)side;
	kernel_enter();
	kernel_file(fd, FILE_WIRE);
	server.spawning = 0;
	for (i = 0; i < WIRE_FDS_MAX; i++)
		fds[i] = -1;
	if (server.out_count == 0)
		return server.process == 0 ? 0 : -EAGAIN;
	if (server.process == 0 && kernel_fails())
		return -ECONNRESET;
	*m = server.outbox[server.out_first];
	server.out_first = (server.out_first + 1) % OUTBOX_SIZE;
	server.out_count--;
	if (m->type == NONSENSE) {
		*ret_why = "nonsense";
		return -EBADMSG;
	}
	has_fds = m->type == WIRE_SPAWN && !kernel_fails();
	if (has_fds) {
		server.spawning = m->spawn.job;
		open_descriptors(children_find(m->spawn.job), fds);
	}
	promises_asked(m);
	return m->type == WIRE_SPAWN && !has_fds ? -EMFILE : 1;
}
