/*
 * handover: see handover.h. Run by the supervisor, at the end of its life. It may allocate, for if it cannot
 * it goes on as it was.
 */
#include "supervisor/handover.h"

#include "base/fd.h"
#include "base/notify.h"
#include "supervisor/spawn.h"
#include "wire/lifeboat.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FD_COUNT (WIRE_STORE_LOCK_FD + 1)

bool
handover_is_due(const struct brood *b)
{
	struct slots *slots = (struct slots *)&b->slots;
	const struct slot *slot;

	for (slot = slots_next(slots, NULL); slot != NULL;
	     slot = slots_next(slots, (struct slot *)slot))
		if (slot->to_tell != 0 || slot->report_io.fd != -1 ||
		    slot->child.state == CHILD_OVER || slot->child.state == CHILD_LEAVING)
			return false;
	return true;
}

/* The numbers at which the next program looks for them; what is there now is moved, and stays open. */
static int
place(const struct handover *h, struct lifeboat *boat)
{
	int fds[FD_COUNT] = {-1, -1, -1, -1, h->fds->listen, h->fds->lock, h->fds->notify,
	    h->fds->store_lock};
	int none = -1, moved;

	/* A writing end may have one of the numbers that are to be taken. */
	for (size_t i = 0; i < boat->count; i++) {
		moved = fcntl(boat->seats[i].fd, F_DUPFD_CLOEXEC, FD_COUNT);
		if (moved == -1)
			return -errno;
		boat->seats[i].fd = moved;
	}
	return spawn_place_fds(fds, FD_COUNT, &none);
}

int
handover_exec(const struct handover *h, const struct writers *w)
{
	extern char **environ;
	struct lifeboat boat = {0};
	char number[16];
	char *const argv[] = {"spawnd", "daemon", "--resume", number,
	    h->is_managed ? "--managed" : NULL, NULL};
	int fd, error = 0;

	for (uint32_t i = 0; i < w->touched && error == 0; i++)
		if (w->writers[i].fd_and_one != 0)
			error = lifeboat_add(&boat, LIFEBOAT_WRITER, i,
			    (int)w->writers[i].fd_and_one - 1);
	if (error == 0)
		error = place(h, &boat);
	fd = error == 0 ? lifeboat_launch(&boat) : error;
	if (fd < 0)
		return fd;
	snprintf(number, sizeof(number), "%d", fd);
	notify_restore();
	spawn_restore_nofile(h->nofile_limit);
	execve(h->program, argv, environ);
	error = -errno;
	/* Better this program again than none. */
	execve("/proc/self/exe", argv, environ);
	return error;
}
