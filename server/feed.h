/*
 * feed: who listens to the feed, and what each is told. Runs in the server; waits for nobody.
 *
 * A listener is live, behind or blocked. Who is live is told each event after the commit that made it
 * durable; a line is made once for all. Whose buffer is full is blocked until it has room, then behind:
 * it is told from the store, a batch in a turn, until it has caught up, and is live again. It begins behind.
 * So nothing is kept in memory for those who are slow, and nobody waits for them.
 *
 * Invariants: (1) up to its number each was told everything that it asked for, once; (2) the live ones have
 * no number of their own: it is the feed's; (3) what is not durable yet, nobody was told.
 */
#ifndef SERVER_FEED_H
#define SERVER_FEED_H

#include "queue/queue.h"
#include "server/listeners.h"
#include "store/store.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;

/* Takes a result of the store: server_check(). */
typedef int feed_check_cb(void *arg, int result);

/* store and queue are only kept; *store is NULL while there is none. 0 or -ENOMEM. */
int feed_new(struct store *const *store, struct queue *queue, feed_check_cb *checked, void *arg,
    struct feed **ret_feed);
void feed_free(struct feed *f); /* after the last listener */

/*
 * Nothing is told before the next feed_flush(). NULL: ENOMEM. listeners_remove() ends it.
 */
struct listener *feed_subscribe(struct feed *f, const struct listener_request *request);

/* Up to which number it was told everything: what to say as since to go on from there. */
int64_t feed_position(const struct feed *f, const struct listener *l);

/* Its connection has taken something. */
void feed_resume(struct listener *l);

/* What the supervisor says of jobs that live; told in the next feed_flush(), to those who are live. */
void feed_progress(struct feed *f, const struct wire_progress *m);
void feed_idle(struct feed *f, const struct wire_idle *m);

/* The job may have ended: if so, its lines are forgotten; the same for all. */
void feed_forget(struct feed *f, int64_t job);
void feed_sweep(struct feed *f);

/* To be called when nothing waits to be committed: tells some of what is due. */
void feed_flush(struct feed *f);

/* Whether anybody listens. */
bool feed_is_heard(const struct feed *f);

/* Whether there is more that could be told now. */
bool feed_has_more(const struct feed *f);

#endif
