/*
 * results: files that tell a job how its children ended: a line of JSON for each child, in the order
 * of their ends: its record, and in it what it wrote into SPAWND_RESULT (server/inlined.h). A job that
 * is resumed finds such a file by SPAWND_RESULTS. Runs in the server.
 *
 * A file is made bit by bit, a millisecond a turn, however much there is to read: the loop goes on
 * meanwhile. It is written beside its place and renamed: whoever finds it, finds it whole. It is made
 * anew from the store and the children's files whenever that is asked for, so nothing of it is in the
 * store, it is not synced to the disk, and one that a server's death cuts off is begun again. Files
 * are removed with their job's output (prune.c).
 */
#ifndef SERVER_RESULTS_H
#define SERVER_RESULTS_H

#include "base/loop.h"
#include "base/path.h"
#include "store/store.h"

#include <limits.h>
#include <stdint.h>

/* Whose file it is, and what is in it. */
struct results_order {
	int64_t job;        /* the parent's; it names the file, starter_results_path() */
	const char *parent; /* its child id, which is its children's parent; copied */
	/*
	 * The records of that parent with since < seq <= last, acknowledged or not. Of a job that is
	 * resumed: since is the `last` of its file before, or where there was none, anything between the
	 * end of the run before and its own start, such as the seq of its `started` event; last is
	 * store_last_seq() when its wait was met, at the most.
	 */
	int64_t since, last;
};

struct results_handlers {
	/*
	 * The file stands at path, mode 0600 (error 0), or could not be written (-errno, with a line
	 * for people that names it; no file is left but that of an earlier order). Never called from
	 * within results_begin(). It may write to the store, and begin and forget any order.
	 */
	void (*done)(void *arg, int64_t job, int error, const char *text);
	/*
	 * A call of the store failed with this -errno: for server_check(). The order is forgotten
	 * without done().
	 */
	void (*store_failed)(void *arg, int error);
	void *arg;
};

struct results;

/*
 * l, p and *store must outlive it; *store may change meanwhile, and while it is NULL orders are
 * forgotten as if it had failed, but without a word. 0 or -ENOMEM.
 */
int results_new(struct loop *l, const struct paths *p, struct store *const *store,
    const struct results_handlers *h, struct results **ret_results);
void results_free(struct results *all); /* NULL is fine */

/*
 * Begins to make a job's file, in place of an order for it that is not done. Several are made by turns.
 * 0 or -ENOMEM.
 */
int results_begin(struct results *all, const struct results_order *o);

/* Nobody wants the file any more. Nothing happens where none is being made. */
void results_forget(struct results *all, int64_t job);

/* Forgets all orders, as when what the server knows is loaded again: whoever wants them begins them anew. */
void results_clear(struct results *all);

#endif
