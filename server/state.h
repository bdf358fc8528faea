/*
 * state: what the server knows, in one place. Only the server's own rooms above this floor see
 * it.
 *
 * A turn of the server: events are handled; they write to the store without committing, put
 * replies into the clients' buffers, and note here what is to leave after the commit. At the end
 * of the turn all is committed at once, then the notes, the FIFO writes and the replies leave.
 * When anything in the store failed, the turn is undone instead: server/turn.h.
 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include "base/loop.h"
#include "base/path.h"
#include "config/config.h"
#include "config/section.h"
#include "queue/family.h"
#include "queue/queue.h"
#include "queue/waits.h"
#include "server/conn.h"
#include "server/deliver.h"
#include "server/feed.h"
#include "server/hold.h"
#include "server/leaders.h"
#include "server/link.h"
#include "server/lulls.h"
#include "server/outputs.h"
#include "server/outsiders.h"
#include "server/runtime.h"
#include "server/setup.h"
#include "server/trouble.h"
#include "store/store.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

struct approvals;
struct call;
struct results;
struct server;
TAILQ_HEAD(call_list, call);

/* Job numbers that something is to be done with after the commit. */
struct numbers {
	int64_t *items;
	size_t count, size;
};

/* The timer of jobs that wait for their time on one clock: server/due.h. */
struct server_due {
	int fd; /* 0: none */
	struct loop_io io;
	uint64_t armed; /* what it is set for, DUE_NEVER: nothing */
};

enum {
	DEFERRED_MAX = 64
};

/* Starts that are not taken note of yet: server/defer.h. */
struct deferred {
	struct timer timer;
	void (*told)(struct server *s, const struct wire_message *m);
	size_t count;
	struct standing starts[DEFERRED_MAX];
};

struct server {
	struct loop loop;
	struct paths paths;
	struct config config;
	struct sections *sections; /* of the configuration: profiles, runners */
	struct server_setup setup;
	struct store *store; /* NULL: there is none, see server/opener.h */
	struct queue *queue;
	struct family *family; /* of the jobs in the queue, and those above them */
	struct waits *waits;
	uint64_t waits_begun;    /* how often a job has been added to these */
	struct results *results; /* server/suspension.h */
	struct holds *holds;
	struct deliver *deliver;
	struct outputs *outputs;
	struct server_due dues[DUE_CLOCKS];
	struct runtime *runtime;
	struct feed *feed;
	struct conns *conns;
	struct link *link;
	struct call_list calls;   /* those that wait */
	struct call_list resting; /* those that are told when something comes: call_rest() */
	char boot_id[64];
	uint64_t nofile_before; /* the soft limit that the supervisor was started with */
	struct outsiders outsiders;
	struct leaders leaders;
	struct lulls lends; /* of jobs, how many of their calls wait: server/lend.h */
	struct approvals *approvals;
	struct lulls lulls; /* server/lull.h */
	struct deferred deferred;
	struct timer lull_doubts;  /* those that nobody has come back to wish for go on */
	uint64_t instance;         /* of the supervisor, 0 before its HELLO */
	uint64_t mark_limit;       /* its jobs' marks lie below it */
	uint32_t slot_count;       /* how many jobs it can hold */
	bool counts_processes;     /* of a job in a cgroup, it does */
	int32_t supervisor_pid;    /* our parent's, as long as it lives */
	struct numbers to_start;   /* SPAWN them */
	struct numbers orphaned;   /* they have ended: what is below them is to be cancelled */
	struct numbers to_forget;  /* their ends are stored */
	struct numbers to_suspend; /* their waits are stored: end their processes */
	struct numbers unmade;     /* their files of results could not be made */
	struct timer remake;       /* these are tried again */
	struct numbers stuck;  /* they have ended, but something of theirs lives and takes room */
	struct timer tidy;     /* the store tidies up when nothing has been written for a while */
	struct timer farewell; /* when it expires the daemon ends, whoever still reads */
	struct timer prune;    /* the history is looked at */
	struct timer reopen;   /* there is no store: it is tried again */
	struct timer retry;    /* starts are tried again, or the supervisor asked for everything */
	uint64_t retry_ns;     /* how long the next retry waits; 0: nothing failed lately */
	uint64_t prune_begun_ns; /* of a step that is not committed yet, else 0 */
	uint64_t reopen_ns;      /* how long the next reopen waits */
	struct trouble trouble;  /* of the store */
	unsigned removed_count;  /* jobs whose files went in this step of prune.c */
	unsigned syncs_owed;     /* SYNCEDs to come, at the most: two REPORTs may bring but one */
	unsigned
	    syncs_stale; /* of these, may have been sent before all that is wanted was asked for */
	unsigned unstored_count; /* what the supervisor has told that could not be stored */
	int exit_code;           /* when the loop ends */
	int store_error;         /* -errno of the first failure in this turn */
	bool is_ready;           /* READY was said */
	bool is_synced;          /* every slot of the supervisor is known */
	bool has_unwatched;      /* jobs run that could not be adopted: they are tried again */
	bool is_paused;          /* nothing is started until the retry */
	bool has_news;           /* something happened that a waiting call may wait for */
	bool
	    has_more; /* clients' next calls wait to be handled: the loop must not wait for events */
	bool
	    is_store_down; /* nothing is written nor delivered until it has been written to again */
	bool has_let_go;   /* of ends that were not stored: here those jobs count as running */
	bool
	    is_set_aside; /* this server has begun a new store: the supervisor may know jobs of the old */
	bool is_stopping; /* nothing is started any more */
	bool is_hurried;  /* nor is an end kept for a store that is gone: server/opener.h */
	bool is_leaving;  /* nothing runs any more, and nobody is waited for */
	bool is_quitting; /* QUIT was said */
	bool is_over;     /* the loop ends */
	bool is_orphan;   /* because the supervisor has died */
	bool
	    is_upgrading; /* nothing is started any more: the supervisor is to give way to a newer one */
	bool has_yielded; /* it was told so */
	bool is_managed;  /* a service manager starts the daemon again when it ends */
};

/* Adds a number; when memory is short the turn fails. */
void server_note(struct server *s, struct numbers *n, int64_t number);

/*
 * Takes a store call's result: returns it, and if it is a failure of the store (not -ENOENT,
 * -EEXIST, -EINVAL) the turn fails.
 */
int server_check(struct server *s, int r);

/*
 * Starts are paused, or the supervisor asked again, for a while that doubles from 100 ms to 5 s
 * with each call.
 */
void server_back_off(struct server *s);

/* Once nothing has been written for a while, the store's log is emptied. */
void server_tidy_later(struct server *s);

/* The pools of the configuration, into the queue. 0 or -ENOMEM. */
int server_set_pools(struct server *s);

/* max_running as far as the supervisor has slots, and the other limits, into the queue. */
void server_set_room(struct server *s);

/* Whether something of a job that has ended lives on: it takes the room of one that runs. */
void server_set_stuck(struct server *s, int64_t job, bool is_stuck);

/*
 * The latest job of a child id; where no child has that id and it is a number, the job of that
 * number. As store_read_child().
 */
int server_find_child(struct server *s, const char *child, store_job_cb *cb, void *arg);

/* The supervisor is to tell all that it has. */
void server_ask_all(struct server *s);

/*
 * Something of what it has told was not taken, or is forgotten: what it tells from now on counts, up to a
 * SYNCED that was certainly sent after it.
 */
void server_doubt(struct server *s);

/* A SYNCED has come: whether it is one to believe. Else another is asked for. */
bool server_is_synced_by(struct server *s);

/* The outlets of the store that was just opened. 0 or -errno. */
int server_new_deliver(struct server *s);

/* What children the parent waits for: for struct deliver_handlers. */
size_t server_unfinished(void *server, const char *parent);

/* Its records may be had again: for holds_release(). */
void server_touch_parent(void *server, const char *parent);

#endif
