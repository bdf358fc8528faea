/*
 * conn: the clients of the control interface: accept, frame, buffer, limit. Runs in the server; the
 * loop never waits for a client. Knows JSON and descriptors, but no method.
 *
 * A client has one call at a time: what it sends meanwhile waits. What is sent to it stays in its
 * buffer until conns_flush(), so that replies leave after the commit that they depend on.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include "base/loop.h"

#include <bsd/sys/queue.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The longest message, its NUL included. What is larger comes as a descriptor. */
#define CONN_MESSAGE_MAX (1024 * 1024)

/* A client whose replies pile up beyond this without being read is dropped. */
#define CONN_OUTPUT_MAX (16 * 1024 * 1024)

/* When more than this waits to be sent, a stream pauses until it is gone. */
#define CONN_OUTPUT_HIGH (256 * 1024)

/* How long a client may be silent, or take over one message, outside a call. */
#define CONN_SILENCE_NS (60 * UINT64_C(1000000000))
#define CONN_MESSAGE_NS (10 * UINT64_C(1000000000))

struct conns;
struct conn;

struct conn_handlers {
	/*
	 * A whole message, a JSON object, with the descriptors that came with it. The message is
	 * the callee's to keep; fds are taken with conn_take_fd(), the others are closed
	 * with conn_close_fds() or at the end of the call.
	 */
	void (*message)(void *arg, struct conn *c, json_t *message);
	/* The output buffer of a call that streams has room again. */
	void (*writable)(void *arg, struct conn *c);
	/* The client is gone; c is freed after this returns. */
	void (*closed)(void *arg, struct conn *c);
	void *arg;
};

/*
 * Serves listen_fd (the caller's), with at most max_clients at once: beyond it the longest silent
 * one is dropped. 0 or -errno.
 */
int conns_new(struct loop *l, int listen_fd, unsigned max_clients, const struct conn_handlers *h,
    struct conns **ret_conns);
void conns_free(struct conns *cs);

/*
 * Serves another socket in place of listen_fd, whose number it gets; who waits at the old one is
 * served too. Closes fd. 0 or -errno.
 */
int conns_renew(struct conns *cs, int fd);

/*
 * Writes out what was sent in this turn, handles the next message of those whose call ended, and
 * lets streams go on. Returns whether that made new output: the caller commits, and flushes
 * again.
 */
bool conns_flush(struct conns *cs);

/*
 * The commit of this turn failed: what it put into the buffers is taken back, and failed(arg, c)
 * is called for each client that had something, to answer otherwise or to conn_drop() it. Who was
 * answered more than one call is dropped.
 */
void conns_take_back(struct conns *cs, void (*failed)(void *arg, struct conn *c), void *arg);

/*
 * Between a message and conn_end_call() no further message of this client is handled. is_refused: the
 * call was answered with an error.
 */
void conn_end_call(struct conn *c, bool is_refused);

/* Whether the client's call before this one was answered with an error. */
bool conn_is_refused(const struct conn *c);

/*
 * Puts message and a NUL into the buffer; takes the reference. Messages that cannot be stored
 * drop the client.
 */
void conn_send(struct conn *c, json_t *message);

/* The same for a message that is text already; len has its NUL. */
void conn_send_text(struct conn *c, const char *text, size_t len);

/* Closes in the next conns_flush(), after one attempt to send what is in the buffer. */
void conn_drop(struct conn *c);

/* The client's socket, which stays the connection's: to ask who it is. */
int conn_fd(const struct conn *c);

/* How many bytes wait to be sent. */
size_t conn_pending(const struct conn *c);

/* Hands over descriptor `index` of the message being handled, or -1. */
int conn_take_fd(struct conn *c, size_t index);

/* Closes those that were not taken. */
void conn_close_fds(struct conn *c);

/* The process that has connected, unix(7), SO_PEERCRED; 0: not known. It may have ended since. */
pid_t conn_pid(const struct conn *c);

/* The caller's state for this client; NULL at first. */
void *conn_state(const struct conn *c);
void conn_set_state(struct conn *c, void *state);

/* What has been found out about this client, for caller.h alone; 0 at first. */
int conn_note(const struct conn *c);
void conn_set_note(struct conn *c, int note);

#endif
