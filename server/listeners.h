/*
 * listeners: who listens to the feed, to what, and how far each has come. Runs in the server; knows
 * connections, but not what is said. server/feed.h has the rules.
 */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include "server/conn.h"
#include "store/store.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond this much a listener's buffer is full, below the second it has room again. */
#define LISTENER_HIGH (64 * 1024)
#define LISTENER_LOW (16 * 1024)

/* What to listen to, and whom to tell. */
struct listener_request {
	struct conn *conn;
	const char *parent; /* NULL: everything. Must live as long as the listener */
	int64_t since;      /* the number of the last event that it knows; -1: none given */
	bool is_tree;       /* also what is below the parent's children */
	bool is_followed;   /* goes on when all that is stored was told */
	bool is_single;     /* ends with the first event */
	/*
	 * All was told (0), with the line of a single one, or the store failed (-errno). The callee
	 * must end the listener.
	 */
	void (*ended)(void *arg, int result, const char *line);
	void *arg;
};

enum listener_state {
	LISTENER_BEHIND,  /* is told from the store */
	LISTENER_BLOCKED, /* the same, when its buffer has room again */
	LISTENER_LIVE,    /* is told what is new */
	LISTENER_STATE_COUNT
};

TAILQ_HEAD(listener_list, listener);
RB_HEAD(audiences, audience);

struct listeners {
	struct audiences audiences;
	struct listener_list all, behind, blocked;
	uint64_t serial; /* of the last that was told to those who are live */
	size_t trees;    /* listeners to a whole tree */
};

/* Those who listen to one parent, or, with an empty name, to everything. */
struct audience {
	RB_ENTRY(audience) by_name;
	struct listener_list live;
	size_t count; /* in any state */
	char name[];
};

struct listener {
	TAILQ_ENTRY(listener) entry; /* of its state */
	TAILQ_ENTRY(listener) in_all;
	struct listeners *listeners;
	struct audience *audience;
	struct listener_request request;
	enum listener_state state; /* listener_set() */
	int64_t after;             /* was told everything up to here; unused while live */
	int64_t goal;              /* where it ends, unless it follows */
	uint64_t serial;           /* of the last delivery, which may come by two ways */
	bool has_begun;            /* something was read for it, or it said where to begin */
	bool is_late;              /* to be told the lines that are kept, when it goes live */
	char *line;                /* of a single one; owned */
};

void listeners_init(struct listeners *ls);

/* A new listener, behind. NULL: ENOMEM. */
struct listener *listeners_add(struct listeners *ls, const struct listener_request *request);
void listeners_remove(struct listener *l);

/* To the end of the line of those who are in that state. */
void listener_set(struct listener *l, enum listener_state state);

/* Whether anybody who is live may listen to the children of that parent (NULL: of none). */
bool listeners_hear(struct listeners *ls, const char *parent);

/*
 * Sends a message to all who are live and listen to this job (0: none) of that parent. seq is the event's,
 * 0 for one that is not stored: whose buffer is full misses that, and is blocked before the others. 0
 * or -errno of the store.
 */
int listeners_tell(struct listeners *ls, struct store *store, const char *text, size_t len,
    int64_t seq, int64_t job, const char *parent);

/* 1: it listens to this job of that parent; 0; or -errno of the store. */
int listener_hears(const struct listener *l, struct store *store, int64_t job, const char *parent);

#endif
