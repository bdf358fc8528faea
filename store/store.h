/*
 * store: everything durable, in one SQLite file. Run by the server only.
 *
 * Writes begin a transaction by themselves; nothing is durable before store_commit(). When any call
 * fails with something else than -ENOENT, -EEXIST or -EINVAL, the caller must store_rollback() and
 * believe nothing of what it wrote since the last commit; the store stays usable.
 * Strings handed out by a reading call live until the callback returns. Times are wall-clock
 * milliseconds. Errors: -ENOSPC (disk or quota full), -EIO, -EROFS, -EBUSY (locked by somebody),
 * -ENOMEM, -EBADMSG (damaged, or not ours); store_fault() has the words.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/fault.h"
#include "base/id.h"
#include "base/policy.h"
#include "base/status.h"
#include "watchdog/watchdog.h"
#include "wire/standing.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Fits the names of all tools that a profile disables, with its NUL. */
#define STORE_TOOLS_SIZE 1024

/* When a job may run, before and after whom, and how often. A value, but for its strings. */
struct store_order {
	int32_t priority;        /* higher is first */
	const char *pool;        /* or NULL */
	uint32_t retries;        /* how often it is run again, at the most */
	uint32_t retry_on;       /* after what: bits by enum store_retry */
	uint32_t retried;        /* how often it was */
	uint64_t retry_delay_ns; /* before the first retry */
	int64_t due_ms;          /* not before this, on the wall clock; 0: at once */
	uint64_t due_ns; /* the same on CLOCK_BOOTTIME, which counts then; 0: the wall clock does */
	const char *due_boot; /* the boot whose clock that is, or NULL */
	uint64_t delay_ns;    /* the length of the wait that ends at due_ns */
};

enum store_retry {
	STORE_RETRY_ERROR = 1,
	STORE_RETRY_TIMEOUT = 2,
	STORE_RETRY_LOST = 4
};

/* One row of jobs. */
struct store_job {
	int64_t job; /* its number, never reused */
	int64_t run; /* how many times this child id has been run, this one included */
	const char *parent;
	const char *child;
	enum status status;
	int64_t depth;       /* 0: its parent is no job */
	bool is_delivered;   /* whether its record waits for the parent (not for made-up parents) */
	const char *command; /* argv for people, one line, cut */
	const char *meta;    /* JSON object, or NULL */
	struct limits limits;
	const char *profile;        /* it was made with, or NULL */
	const char *model;          /* or NULL */
	const char *disabled_tools; /* or NULL */
	enum policy policy;         /* in force: what its profile and those above it say */
	struct store_order order;
	int64_t queued_ms;
	int64_t started_ms;       /* 0: not yet, or never */
	int64_t ended_ms;         /* 0: not yet */
	struct standing standing; /* as the supervisor told it last; its mark from `starting` on */
	const char *boot_id;      /* of the machine when it was started, or NULL */
	uint64_t supervisor;      /* instance that was told to start it, 0: none */
	int64_t record_seq;       /* of its record, 0: none yet */
	bool is_cancelled;        /* somebody asked for its end while it ran */
};

/* One completion record. */
struct store_record {
	int64_t seq;
	int64_t job;
	const char *parent;
	const char *child;
	const char *body; /* the record: one line of JSON without newline */
};

/* One event of the feed. */
struct store_event {
	int64_t seq;
	int64_t at_ms;
	const char *kind;
	int64_t job;        /* 0: not about a job */
	const char *parent; /* or NULL */
	const char *child;  /* or NULL */
	const char *body;   /* JSON object in one line; of completed: the record */
};

/* The FIFO of a parent as `fifo` set it. */
struct store_parent {
	const char *name;
	const char *path;   /* NULL: the usual place */
	const char *format; /* "json" or "tsv" */
};

/*
 * Opens or makes the file (0600) and brings its schema up to date. is_full: each commit is synced to
 * disk. Refuses, touching nothing, a file that is not SQLite's, or not spawnd's (-EBADMSG), of a newer
 * schema (-EPROTONOSUPPORT), no regular file (-EOPNOTSUPP), or that others own or may read (-EPERM); f
 * names path, fault and mend. At most one store of a file is open in a process.
 */
int store_open(const char *path, bool is_full, struct store **ret_store, struct fault *f);
/* Closes a store that is not to be trusted: the file stays as it is, with its write-ahead log. */
void store_abandon(struct store *s);
void store_close(struct store *s); /* rolls back what was not committed; NULL is fine */

/* Changes durability from the next transaction on. */
int store_set_full(struct store *s, bool is_full);

/* Words for the last error of this store. */
const char *store_fault(const struct store *s);

bool store_is_dirty(const struct store *s); /* whether there is anything to commit */
int store_commit(struct store *s);          /* 0 at once where nothing is */
void store_rollback(struct store *s);

/*
 * Empties the write-ahead log, in which launch blocks that were deleted may still stand, and begins it
 * anew, so that the next commit need not wait for that. To be called when the server has had nothing to
 * do for a while; costs three syncs or four. 0; -EBUSY while somebody
 * reads the file, or there is something to commit.
 */
int store_tidy(struct store *s);

/*
 * Adds a queued job with its launch block. j->job, run and record_seq are ignored: *ret_job and
 * *ret_run get the new ones. token (NULL: none) names this request: -EEXIST with *ret_job, *ret_run
 * of the job that an earlier request with the same token made. Also adds the `queued` event.
 */
int store_add_job(struct store *s, const struct store_job *j, const char *token, const void *block,
    size_t block_len, int64_t *ret_job, int64_t *ret_run);

/* The job that an earlier request with this token made. -ENOENT if there is none. */
int store_find_token(struct store *s, const char *token, int64_t *ret_job, int64_t *ret_run);

/*
 * The job is about to be handed to supervisor `instance`, with the mark (0: none) that its processes will
 * carry. -ENOENT if it runs, has ended or is not there.
 */
int store_set_starting(struct store *s, int64_t job, uint64_t instance, const char *boot_id,
    uint64_t mark);

/* Back to queued: it was certainly never started. -ENOENT if it runs, has ended or is not there. */
int store_set_queued(struct store *s, int64_t job);

/*
 * It runs. Also adds the `started` event. Nothing happens if it is running already. -ENOENT if it has
 * ended or is not there.
 */
int store_set_running(struct store *s, const struct standing *st);

/*
 * How it stands has changed; nothing happens if it does not run, or that revision is known. Also adds the
 * `paused` or `unpaused` event where that is what has changed.
 */
int store_set_standing(struct store *s, const struct standing *st);

/*
 * Whom a job is below, as queue/family.h writes it; to be set when it has been added. *ret_ancestry is the
 * caller's to free, NULL: it is below none. -ENOENT if there is no such job.
 */
int store_set_ancestry(struct store *s, int64_t job, const char *ancestry);
int store_read_ancestry(struct store *s, int64_t job, char **ret_ancestry);

/*
 * It has ended, but is to be run again: queued, with the next run's number and what of the order has changed
 * (retried, and when it is due). started_ms: of the run that has ended, 0: unknown. Also adds the `retry`
 * event with this body. -ENOENT if it does not start or run.
 */
int store_set_retry(struct store *s, int64_t job, int64_t started_ms, const struct store_order *o,
    const char *body);

/* When a queued job is due has changed: due_ms, due_ns, due_boot and delay_ns. -ENOENT if it is not queued. */
int store_set_due(struct store *s, int64_t job, const struct store_order *o);

/* Somebody asked for its end: whoever takes the job over asks again. -ENOENT if it has ended. */
int store_set_cancelled(struct store *s, int64_t job);

/*
 * The sequence number that the next event will get; the record, which names its own number, is
 * made with it and stored by store_end_job() before any other event is.
 */
int store_next_seq(struct store *s, int64_t *ret_seq);

/*
 * Ends a job: status, times, the `completed` event `body` at `seq`, the delivery to its parent if the
 * job is_delivered, and forgets (overwrites) its launch block. -ENOENT if there is no such job or it
 * has ended; -EINVAL if status is not final or seq is not the next.
 */
int store_end_job(struct store *s, int64_t job, enum status status, int64_t started_ms,
    int64_t ended_ms, int64_t seq, const char *body);

/*
 * A durable event of another kind ("warning"); body is a JSON object of what is said besides seq, kind, time,
 * job, parent and child. job may be 0.
 */
int store_add_event(struct store *s, const char *kind, int64_t job, const char *parent,
    const char *child, const char *body);

/* Copies the launch block; the caller frees it. -ENOENT if it is gone. */
int store_read_launch(struct store *s, int64_t job, void **ret_block, size_t *ret_len);

typedef int store_job_cb(void *arg, const struct store_job *j);
typedef int store_record_cb(void *arg, const struct store_record *r);
typedef int store_event_cb(void *arg, const struct store_event *e);
typedef int store_parent_cb(void *arg, const struct store_parent *p);
typedef int store_id_cb(void *arg, const char *id, int64_t count);

/*
 * Callbacks: a return other than 0 ends the walk and is returned. They must not write to the store,
 * nor call the function that has called them (-EINVAL). A limit below 0 is none.
 */

/* All jobs that have not ended, oldest first. */
int store_each_live_job(struct store *s, store_job_cb *cb, void *arg);

/* One job by number, or the latest job of a child id. -ENOENT. */
int store_read_job(struct store *s, int64_t job, store_job_cb *cb, void *arg);
int store_read_child(struct store *s, const char *child, store_job_cb *cb, void *arg);

/*
 * Jobs with number above `after`, ascending, at most `limit`: of a parent (NULL: any) and a status
 * (-1: any). "queued" includes starting ones.
 */
int store_each_job(struct store *s, const char *parent, int status, int64_t after, int64_t limit,
    store_job_cb *cb, void *arg);

/* The first parent behind this text in the order of bytes. -ENOENT: none is. May be where `text` is. */
int store_next_parent(struct store *s, const char *text, char ret_parent[ID_SIZE]);

/*
 * Records of a parent (NULL: all) with seq above since, ascending, at most `limit`, acknowledged or
 * not.
 */
int store_each_record(struct store *s, const char *parent, int64_t since, int64_t limit,
    store_record_cb *cb, void *arg);

/* The record of a job. -ENOENT. */
int store_read_record(struct store *s, int64_t job, store_record_cb *cb, void *arg);

/* The number of the last event that is durable; 0: there never was one. */
int64_t store_last_seq(const struct store *s);

/* The number of the last event that was added, durable or not. */
int64_t store_added_seq(const struct store *s);

/* Events with seq above `after` up to `last`, ascending, at most `limit`. */
int store_each_event(struct store *s, int64_t after, int64_t last, int64_t limit,
    store_event_cb *cb, void *arg);

/*
 * Whom a job is below: its parent; where that was a job at the time, that one's parent; and so on. Ends
 * where a row is not kept any more. The count is how many are still to come, at most.
 */
int store_each_above(struct store *s, int64_t job, store_id_cb *cb, void *arg);

/* Records of a parent that nobody has acknowledged, oldest first, seq above `after`, at most `limit`. */
int store_each_pending(struct store *s, const char *parent, int64_t after, int64_t limit,
    store_record_cb *cb, void *arg);

/* Each parent that has such records, with their count. */
int store_each_pending_parent(struct store *s, store_id_cb *cb, void *arg);

/*
 * The feed is whole from this number on; of events below it only those are still there whose job is.
 */
int store_oldest_seq(struct store *s, int64_t *ret_seq);

/* What of the history is kept. */
struct store_keep {
	int64_t now_ms;
	int64_t keep_ms;  /* how long a job that has ended; INT64_MAX: for ever */
	int64_t jobs;     /* how many that have ended; INT64_MAX: any number */
	int64_t spare_ms; /* none goes sooner than this after its end */
};

/*
 * When there will be something to remove, or now_ms or less: now; INT64_MAX: not before another job
 * ends or a record is acknowledged. Costs the same whatever the history.
 */
int store_prune_due(struct store *s, const struct store_keep *k, int64_t *ret_due_ms);

/*
 * Removes the jobs that are beyond the bounds, oldest first, with their events, until about `budget`
 * rows were written. Never one that has not ended, nor one whose record is pending; such a one
 * goes, and is counted, once that was acknowledged. Where store_prune_due() says now, again with the
 * next transaction.
 */
int store_prune(struct store *s, const struct store_keep *k, int budget);

/*
 * The jobs that were removed, until they are forgotten: once the removal is committed their files may
 * go, and only then is it to be forgotten.
 */
typedef int store_number_cb(void *arg, int64_t number);
int store_each_removed(struct store *s, store_number_cb *cb, void *arg);
int store_forget_removed(struct store *s);

/* Writes what is there already: to find out whether the store can be written to. */
int store_probe(struct store *s);

/*
 * The next event, which is to be added before the commit, gets this number if that is higher than its own would
 * be; what was before may be missing (store_oldest_seq()).
 */
int store_raise_seq(struct store *s, int64_t seq);

/* The next job gets a number above this one; and the highest that was given away, 0: none. */
int store_raise_numbers(struct store *s, int64_t job);
int store_last_job(struct store *s, int64_t *ret_job);

/*
 * Adds a job that is known to run, but not to the store, as one that is starting, with its own number.
 * Without launch block and without `queued` event. -EEXIST if that number was given away here.
 */
int store_add_found_job(struct store *s, const struct store_job *j);

/*
 * Looks whether the file is sound: pages and tables; is_thorough: also whether the indices agree with
 * them. Costs as much as the file is long. 0; -EBADMSG with f filled; -errno.
 */
int store_check(struct store *s, bool is_thorough, struct fault *f);

/* Remembers, or reads (-ENOENT: there was none), where the damaged file was put that stood here before. */
int store_set_aside_path(struct store *s, const char *path);
int store_read_aside_path(struct store *s, char path[PATH_MAX]);

/* Marks a record as delivered; whether it was pending in *ret_was_pending. */
int store_acknowledge(struct store *s, int64_t seq, bool *ret_was_pending);

/* Remembers, or reads (-ENOENT: never set), a parent's FIFO settings. */
int store_set_parent(struct store *s, const struct store_parent *p);
int store_read_parent(struct store *s, const char *name, store_parent_cb *cb, void *arg);

/*
 * The parent other than this one whose settings put its FIFO at path; -ENOENT: none. Reads the
 * settings of all parents.
 */
int store_find_fifo(struct store *s, const char *path, const char *parent, store_parent_cb *cb,
    void *arg);

#endif
