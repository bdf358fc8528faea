/*
 * deliver: the parents' FIFOs. Runs in the server.
 *
 * For each parent with an unfinished child or an unacknowledged record there is an outlet, which
 * keeps a writing end of the FIFO open. At most one record is in the pipe at a time, and only
 * while somebody has the FIFO open for reading; when FIONREAD says that it was read to its end,
 * it is acknowledged in the store. When the last reader goes away before that, the rest is taken
 * back and the record written anew for the next. When one of several did, the others get the rest,
 * for one of them may be in the middle of it, and then all of it again. An empty pipe is not believed at
 * once where readers came or went in the middle of a record. When nothing is left to deliver or to wait for, the
 * end is closed: the reader sees the end of the file.
 *
 * Where somebody removed the FIFO or put something else in its place, who reads the old one is
 * served to his end; then it is made anew, or, where that cannot be done, the records wait, trouble
 * is told once, and it is tried again and again.
 *
 * inotify(7) (IN_OPEN, IN_ACCESS, IN_CLOSE_NOWRITE) only wakes; poll(2) (POLLERR: nobody reads)
 * and FIONREAD say what is so. It must never write a record that is not committed, nor wait for a
 * reader.
 */
#ifndef SERVER_DELIVER_H
#define SERVER_DELIVER_H

#include "base/fault.h"
#include "base/loop.h"
#include "server/hold.h"
#include "store/store.h"
#include "wire/lifeboat.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deliver;

struct deliver_handlers {
	/* How many children of this parent have not ended. */
	size_t (*unfinished)(void *arg, const char *parent);
	/* The supervisor is to hold a copy of fd (borrowed) under index, or to let go of it. */
	void (*hold)(void *arg, uint64_t index, int fd);
	void (*release)(void *arg, uint64_t index);
	/* A record that was in a FIFO is there no more: taken, or to be had again. */
	void (*settled)(void *arg);
	/* Takes the result of a write to the store; the turn fails where that did. Returns it. */
	int (*check)(void *arg, int result);
	/* Something is wrong with a FIFO; its records wait. One line. */
	void (*trouble)(void *arg, const char *text);
	void *arg;
};

/*
 * FIFOs stand in parents_dir unless their parent's settings in the store say otherwise. At most
 * max_open are open at once; the others' records wait. The record in a FIFO is held in `holds`.
 * Borrows all but h. 0 or -errno.
 */
int deliver_new(struct loop *l, struct store *s, struct holds *holds, const char *parents_dir,
    size_t max_open, const struct deliver_handlers *h, struct deliver **ret_deliver);
void deliver_free(struct deliver *d);

/*
 * Makes the FIFO of parent, 0600, if it is not there; path gets its name. Refuses what is no
 * FIFO, is a link, has another owner, or is open to others: -EEXIST, -EPERM, or another -errno,
 * with f naming path, fault and mend.
 */
int deliver_prepare(struct deliver *d, const char *parent, char path[PATH_MAX], struct fault *f);

/*
 * As deliver_prepare(), with a new path (absolute) or format, each NULL to leave it, remembered
 * in the store. Refuses a path at which the FIFO of another parent is or is to be, too: -EBUSY.
 */
int deliver_configure(struct deliver *d, const char *parent, const char *new_path,
    const char *new_format, char path[PATH_MAX], struct fault *f);

/*
 * Something changed for this parent: a child came or ended, a record came. Looked at in
 * deliver_flush().
 */
void deliver_touch(struct deliver *d, const char *parent);

/* FIFOs that could not be opened, or not be watched, are tried again in deliver_flush(). */
void deliver_open_all(struct deliver *d);

/*
 * After the commit: writes, acknowledges, opens and closes as is due. May write to the store. Not
 * to be called while the store has something uncommitted.
 */
void deliver_flush(struct deliver *d);

/*
 * Takes the record out of the FIFO if it is there and nobody has read any of it, so that somebody
 * else may have it. Returns whether it is in no FIFO now.
 */
bool deliver_yield(struct deliver *d, int64_t seq, const char *parent);

/*
 * Adds the writing ends of all FIFOs that are open, by their index if that is below count, to the
 * lifeboat; they stay here. 0 or -ENOMEM.
 */
int deliver_board(const struct deliver *d, size_t count, struct lifeboat *b);

/* Whether some reader is about to get a record. */
bool deliver_is_busy(struct deliver *d);

/* The record was acknowledged by somebody else: the same. */
void deliver_forget(struct deliver *d, int64_t seq);

#endif
