/*
 * outlet: one parent's FIFO and the record that is in it. Runs in the server. deliver.h has the
 * rules; the steps of outlet_pump() are in the order that keeps them.
 */
#ifndef SERVER_OUTLET_H
#define SERVER_OUTLET_H

#include "base/fault.h"
#include "server/fifo.h"
#include "server/hold.h"
#include "store/store.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outlet;

/* What all outlets share. */
struct outlet_world {
	struct store *store;
	struct holds *holds;
	int inotify_fd;
	char parents_dir[PATH_MAX];
	/* See struct deliver_handlers. */
	size_t (*unfinished)(void *arg, const char *parent);
	void (*hold)(void *arg, uint64_t index, int fd);
	void (*release)(void *arg, uint64_t index);
	void (*settled)(void *arg);
	void (*trouble)(void *arg, const char *text);
	int (*check)(void *arg, int result);
	void *arg;
	size_t max_open; /* how many FIFOs may be open at once */
	size_t *open_count;
	/*
	 * It is open: sets index; 0, -EBUSY if it is another parent's FIFO, or -ENOMEM, with f
	 * filled. It was closed: those that could not be opened may try again.
	 */
	int (*opened)(void *deliver, struct outlet *o, struct fault *f);
	void (*closed)(void *deliver, struct outlet *o);
	/* Takes in what inotify has to tell: outlet_note(). */
	void (*hear)(void *deliver);
	void *deliver;
};

struct outlet {
	RB_ENTRY(outlet) by_parent;
	TAILQ_ENTRY(outlet) dirty_entry;
	const struct outlet_world *world;
	size_t index; /* under which the supervisor holds a copy of fd */
	bool is_dirty;
	bool is_in_trouble; /* it was told already */
	bool is_tsv;
	int fd;             /* -1: not open */
	struct fifo_id id;  /* while it is open */
	int watch;          /* inotify's, -1: none */
	int64_t flight_seq; /* in the pipe; 0 with flight_len > 0: of an earlier server */
	size_t flight_len;  /* 0: the pipe is empty */
	size_t unread;      /* of it, when last looked at */
	int64_t taken_seq;  /* the last record that was read to its end */
	bool is_begun;      /* somebody has read of it */
	bool has_changed;   /* and a reader came or went since, be it the one or another */
	bool is_torn;       /* and somebody has read on since: nobody may have it whole */
	uint64_t doubt_ns;  /* until then it is not clear whether somebody has; 0: not in doubt */
	bool is_doubtful;   /* path may name another file by now */
	bool is_ragged;     /* somebody has the beginning of what was taken back */
	char *path;
	char parent[];
};

/* NULL: ENOMEM. */
struct outlet *outlet_new(const struct outlet_world *w, const char *parent);
void outlet_free(struct outlet *o);

/* What came of a pump. */
enum outlet_state {
	OUTLET_OPEN,      /* waits for a reader's step, or a record */
	OUTLET_BLIND,     /* the same, and his steps cannot be watched: worth another look soon */
	OUTLET_SHUT,      /* cannot be opened: worth another attempt in a while */
	OUTLET_HALF_READ, /* a reader is in the middle of a record: worth another look soon */
	OUTLET_AGAIN,     /* acknowledged: go on when that is committed */
	OUTLET_DONE,      /* nothing to deliver, nothing to wait for: may be freed */
};

/* Opens, acknowledges, takes back or writes, whichever is due. */
enum outlet_state outlet_pump(struct outlet *o);

/* Whether somebody reads, and there is something for him. */
bool outlet_is_busy(const struct outlet *o);

/* inotify said mask. */
void outlet_note(struct outlet *o, uint32_t mask);

/*
 * Takes the record out of the FIFO if nobody has read any of it. Returns whether the FIFO is
 * empty now.
 */
bool outlet_yield(struct outlet *o);

/* Lets go of the FIFO, and of what nobody has read. */
void outlet_close(struct outlet *o);

/* Where the parent's FIFO is to be, and how it writes. 0 or -errno. */
int outlet_settings(const struct outlet_world *w, const char *parent, char path[PATH_MAX],
    bool *ret_is_tsv);

#endif
