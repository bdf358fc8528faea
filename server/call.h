/*
 * call: one call of a client, from its message to its last reply. A call that cannot be answered
 * yet waits: it is asked again (pump) whenever something has happened, until it is answered. Runs
 * in the server.
 */
#ifndef SERVER_CALL_H
#define SERVER_CALL_H

#include "server/api.h"
#include "server/state.h"

#include <bsd/sys/queue.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct await;

struct call {
	TAILQ_ENTRY(call) entry;
	struct server *server;
	struct conn *conn;
	struct api_call api;
	void (*pump)(struct call *call);   /* NULL: nothing to wait for but the client's buffer */
	void (*stream)(struct call *call); /* the client's buffer has room: go on, or NULL */
	void (*looked)(struct call *call,
	    const struct wire_looked *m);   /* the supervisor's answer, or NULL */
	void (*expired)(struct call *call); /* in place of TimedOut, or NULL */
	void (*fini)(struct call *call);    /* releases what own points to, or NULL */
	void *own;                          /* the method's state */
	/*
	 * What the job of which the client is waits for in this call, as long as only that ends it; NULL: it does not
	 * wait, or is no job's, or has a time limit.
	 */
	const struct await *awaits;
	int64_t waiting_job; /* with awaits: that job */
	struct timer timeout;
	bool is_resting;
};

/*
 * Makes a call of the message, which it takes over. It ends with its last reply. NULL: the client
 * was dropped.
 */
struct call *call_new(struct server *s, struct conn *c, json_t *message);

/* One reply of several; needs "more". */
void call_reply_more(struct call *call, json_t *parameters);

/* The last reply, or an error: takes parameters over, ends and frees the call. */
void call_reply(struct call *call, json_t *parameters);
void call_fail(struct call *call, const char *error, json_t *parameters);

/* InvalidArgument{field, reason}; NotFound{what}; StoreFailed{reason}. */
void call_fail_argument(struct call *call, const char *field, const char *reason);
void call_fail_not_found(struct call *call, const char *what);
void call_fail_store(struct call *call);

/* NotFound{what}, which says why as well: of any id, and of a child's. */
void call_fail_unknown(struct call *call, const char *id, const char *why);
void call_fail_no_child(struct call *call, const char *child);

/* TimedOut after timeout_ms; a negative one, or one of centuries, is none. */
void call_set_timeout(struct call *call, int64_t timeout_ms);

/* Somebody else moves it on: calls_pump() and the supervisor's answers pass it by. */
void call_rest(struct call *call);

/* The client is gone: frees the call, and releases what it held. */
void call_abandon(struct call *call);

/* Asks all waiting calls. */
void calls_pump(struct server *s);

/*
 * Answers all waiting calls with ShuttingDown: what they wait for will not happen in this
 * daemon's life.
 */
void calls_end(struct server *s);

#endif
