/*
 * notices: see notices.h. Run by the supervisor.
 *
 * The kernel says which process a datagram comes from; what no job's process has sent is dropped.
 *
 * Must never wait, never allocate, and never let one who floods it make a deadline late: a turn and a
 * window have their measure.
 */
#include "supervisor/notices.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "supervisor/owner.h"

#include <inttypes.h>

/* So many datagrams a turn, and a window: to find out whose one is may take a look at /proc. */
#define PER_TURN 32
#define PER_WINDOW 128
#define WINDOW_NS (50 * NSEC_PER_MSEC)
/* As many as a socket may hold where net.unix.max_dgram_qlen was raised as systemd does it. */
#define PER_LOOK 512

/* Counts what was dropped, and says so at most once a second. */
static void
drop(struct notices *n, pid_t pid, const char *why)
{
	uint64_t now_ns = n->brood->loop->now_ns;

	n->dropped++;
	if (n->logged_ns != 0 && now_ns - n->logged_ns < NSEC_PER_SEC)
		return;
	log_line("dropped %" PRIu64 " notices, the last of process %d: %s", n->dropped, (int)pid,
	    why);
	n->dropped = 0;
	n->logged_ns = now_ns;
}

static void
handle(struct notices *n, const char *data, size_t len, pid_t pid)
{
	struct notice notice;
	struct slot *slot = pid > 0 ? owner_of(&n->brood->slots, pid) : NULL;

	if (slot == NULL)
		drop(n, pid, "it is of no job");
	else if (!notice_read(data, len, &notice))
		drop(n, pid, "too long, empty, or with a NUL");
	else
		brood_notice(n->brood, slot, &notice);
}

/* Takes one datagram. Whether there was one. */
static bool
take(struct notices *n)
{
	char data[NOTICE_MAX];
	size_t len;
	pid_t pid;

	if (notify_take(n->fd, data, sizeof(data), &len, &pid) != 0)
		return false;
	handle(n, data, len, pid);
	return true;
}

static int listen_to(struct notices *n);

/* Tried again where a new socket could not be listened to. */
static void
unmute(void *arg)
{
	struct notices *n = arg;
	struct loop *loop = n->brood->loop;
	int rc = n->io.fd == -1 ? listen_to(n) : loop_change(loop, &n->io, EPOLLIN);

	if (rc != 0)
		timer_arm(&loop->timers, &n->unmute, clock_add_ns(loop->now_ns, WINDOW_NS));
}

static void
ready(void *arg, uint32_t events)
{
	struct notices *n = arg;
	struct loop *loop = n->brood->loop;
	int i;

	(void)events;
	if (loop->now_ns - n->window_ns >= WINDOW_NS) {
		n->window_ns = loop->now_ns;
		n->taken = 0;
	}
	for (i = 0; i < PER_TURN && n->taken < PER_WINDOW && take(n); i++)
		n->taken++;
	/* Ready, and yet nothing to be had, is no reason to ask without end either. */
	if ((n->taken == PER_WINDOW || i == 0) && loop_change(loop, &n->io, 0) == 0)
		timer_arm(&loop->timers, &n->unmute, clock_add_ns(loop->now_ns, WINDOW_NS));
}

/* Many deadlines may pass in one turn, for which one look is enough. */
static void
look(void *arg)
{
	struct notices *n = arg;
	int i;

	if (n->looked_ns == n->brood->loop->now_ns)
		return;
	n->looked_ns = n->brood->loop->now_ns;
	for (i = 0; i < PER_LOOK && take(n); i++)
		continue;
}

static int
listen_to(struct notices *n)
{
	return loop_add(n->brood->loop, &n->io, n->fd, EPOLLIN, ready, n);
}

int
notices_init(struct notices *n, struct brood *b, int fd)
{
	*n = (struct notices){.brood = b, .io.fd = -1, .fd = fd};
	timer_init(&n->unmute, unmute, n);
	if (fd == -1)
		return 0;
	b->last_look = look;
	b->last_look_arg = n;
	return listen_to(n);
}

void
notices_renew(struct notices *n, int fd)
{
	int i;

	for (i = 0; i < PER_LOOK && n->io.fd != -1 && take(n); i++)
		continue;
	if (n->io.fd != -1)
		loop_remove(n->brood->loop, &n->io);
	fd_close(&n->fd);
	n->fd = fd;
	n->brood->last_look = look;
	n->brood->last_look_arg = n;
	unmute(n);
}

void
notices_fini(struct notices *n)
{
	if (n->io.fd != -1)
		loop_remove(n->brood->loop, &n->io);
	fd_close(&n->fd);
}
