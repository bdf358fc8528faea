/*
 * talk: see talk.h. Run by the supervisor, which believes nothing of what it is told. Never waits for
 * the server, never allocates.
 */
#include "supervisor/talk.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "supervisor/orders.h"
#include "wire/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* So many messages a turn: a SPAWN costs a clone, and deadlines must not wait for many of them. */
#define MESSAGES_PER_TURN 8

static void
wait_for_wire(struct supervisor *s)
{
	if (!s->is_starved)
		keeper_wait_for(&s->keeper,
		    (s->is_deaf ? 0 : EPOLLIN) | (s->is_blocked ? EPOLLOUT : 0));
}

void
talk_started(void *arg)
{
	struct supervisor *s = arg;

	s->is_blocked = s->is_starved = s->is_deaf = false;
	writers_new_server(&s->writers);
	report_new_server(&s->brood.report, &s->brood.slots);
}

static void
server_is_ready(struct supervisor *s)
{
	writers_settle(&s->writers);
	lifeboat_sink(&s->lifeboat);
	if (s->is_boarding)
		state_arm_again(s);
	s->is_boarding = false;
	keeper_served(&s->keeper);
	if (s->has_served)
		return;
	s->has_served = true;
	notify_send("READY=1\nSTATUS=Serving");
	if (s->ready_fd != -1)
		fd_write_all(s->ready_fd, "\n", 1);
	fd_close(&s->ready_fd);
}

static void
quit(struct supervisor *s)
{
	if (brood_is_busy(&s->brood)) {
		log_line("ignored QUIT: %" PRIu32 " jobs are not over and stored",
		    s->brood.slots.used - s->brood.stuck);
		return;
	}
	s->is_quitting = true;
	keeper_close_wire(&s->keeper);
}

static void
hold(struct supervisor *s, uint64_t index, int *fds)
{
	if (writers_hold(&s->writers, index, fd_take(&fds[0])) != 0)
		log_line("ignored HOLD: no index %" PRIu64, index);
}

static void
renew(struct supervisor *s, uint32_t what, int *fds)
{
	if (what != WIRE_RENEWED_NOTIFY) {
		keeper_renew(&s->keeper, what, fd_take(&fds[0]));
		return;
	}
	notices_renew(&s->notices, fd_take(&fds[0]));
	s->keeper.fds.notify = s->notices.fd;
}

static void
handle_message(struct supervisor *s, const struct wire_message *m, int *fds)
{
	switch ((enum wire_type)m->type) {
	case WIRE_READY:
		server_is_ready(s);
		break;
	case WIRE_SPAWN:
		brood_spawn(&s->brood, &m->spawn, fds);
		break;
	case WIRE_ADOPT:
		adopt_job(&s->adopt, &m->adopt, fds);
		break;
	case WIRE_CANCEL:
		orders_cancel(&s->brood, &m->cancel);
		break;
	case WIRE_PAUSE:
		orders_pause(&s->brood, m->job.job, true);
		break;
	case WIRE_UNPAUSE:
		orders_pause(&s->brood, m->job.job, false);
		break;
	case WIRE_LULL:
		orders_lull(&s->brood, m->lull.job, m->lull.is_lulled != 0);
		break;
	case WIRE_FORGET:
		orders_forget(&s->brood, m->job.job);
		break;
	case WIRE_LOOK:
		orders_look(&s->brood, m->job.job);
		break;
	case WIRE_REPORT:
		report_all(&s->brood.report, &s->brood.slots);
		break;
	case WIRE_HOLD:
		hold(s, m->hold.index, fds);
		break;
	case WIRE_RELEASE:
		if (writers_release(&s->writers, m->hold.index) != 0)
			log_line("ignored RELEASE: no index %" PRIu64, m->hold.index);
		break;
	case WIRE_QUIT:
		quit(s);
		break;
	case WIRE_UPGRADE:
		s->is_yielding = s->has_program;
		break;
	case WIRE_RENEW:
		renew(s, m->renew.what, fds);
		break;
	case WIRE_HELLO:
	case WIRE_STARTED:
	case WIRE_ENDED:
	case WIRE_SYNCED:
	case WIRE_LOOKED:
	case WIRE_RELOAD:
	case WIRE_STOPPING:
	case WIRE_PROGRESS:
	case WIRE_IDLE:
	case WIRE_TYPE_COUNT:
		break;
	}
}

int
talk_take(struct supervisor *s)
{
	int fds[WIRE_FDS_MAX];
	struct wire_message m;
	const char *why;
	int rc = wire_receive(keeper_wire(&s->keeper), WIRE_SUPERVISOR, &m, fds, &why);

	if (rc == 1) {
		handle_message(s, &m, fds);
	} else if (rc == -EBADMSG) {
		log_line("dropped a message of the server: %s", why);
		rc = 1;
	} else if (rc == -EMFILE) {
		log_line("out of descriptors: dropped a message of the server");
		if (m.type == WIRE_SPAWN)
			brood_refuse(&s->brood, m.spawn.job, EMFILE);
		if (m.type == WIRE_ADOPT)
			adopt_job(&s->adopt, &m.adopt, fds);
		rc = 1;
	} else if (rc == -ECONNRESET) {
		/* The server has died without reading everything. What it wrote is still there, unix(7). */
		rc = 1;
	}
	return rc;
}

bool
talk_is_starved_by(int error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

/* A moment later there may be some. Until then the wire must not wake us up, not even by its end. */
static void
wait_for_memory(struct supervisor *s)
{
	/* Its end wakes us up once: asked for again, it would do so for ever. */
	if (s->is_starved)
		return;
	keeper_wait_for(&s->keeper, EPOLLONESHOT);
	s->is_starved = true;
	state_arm_again(s);
}

void
talk_ready(void *arg, uint32_t events)
{
	struct supervisor *s = arg;
	int i, rc = 1;

	if ((events & EPOLLOUT) != 0) {
		s->is_blocked = false;
		wait_for_wire(s);
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	for (i = 0; i < MESSAGES_PER_TURN && rc == 1 && keeper_wire(&s->keeper) != -1; i++) {
		/* A server that has gone is heard to the end; another reads its answers first. */
		if ((events & EPOLLHUP) == 0 && !slots_has_room(&s->brood.slots)) {
			s->is_deaf = true;
			wait_for_wire(s);
			return;
		}
		rc = talk_take(s);
	}
	if (rc == 1 || rc == -EAGAIN)
		return;
	if (talk_is_starved_by(rc)) {
		wait_for_memory(s);
		return;
	}
	if (rc != 0)
		log_line("cannot read from the server: %s", strerror(-rc));
	keeper_close_wire(&s->keeper);
}

void
talk_tell(struct supervisor *s)
{
	int error;

	if (s->is_blocked || keeper_wire(&s->keeper) == -1)
		return;
	report_news(&s->brood.report, &s->brood.slots);
	error = report_send(&s->brood.report, keeper_wire(&s->keeper));
	if (error == 0 && !s->is_deaf)
		return;
	s->is_deaf = s->is_deaf && !slots_has_room(&s->brood.slots);
	/* Where memory is short the wire is writable all the same: it must not wake us up for that. */
	s->is_blocked = error != 0 && !talk_is_starved_by(error);
	wait_for_wire(s);
	if (talk_is_starved_by(error)) {
		s->is_blocked = true;
		state_arm_again(s);
	}
}

void
talk_again(struct supervisor *s)
{
	s->is_blocked = s->is_starved = false;
	wait_for_wire(s);
}
