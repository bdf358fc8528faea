/*
 * keeper: keeps a server alive: starts it, notices its death, starts it again. One that died young
 * twice in a row is waited for: a moment if it has served, else longer each time.
 */
#ifndef SUPERVISOR_KEEPER_H
#define SUPERVISOR_KEEPER_H

#include "base/loop.h"
#include "base/timer.h"
#include "supervisor/proc.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What each server inherits; -1: none. */
struct keeper_fds {
	int listen;
	int lock;
	int notify; /* borrowed, supervisor/notices.h */
	int store_lock;
};

#define KEEPER_WORDS_MAX 4

struct keeper {
	struct loop *loop;
	struct proc_abilities *abilities;
	char *const *argv;
	struct keeper_fds fds; /* owned */
	uint64_t nofile_limit; /* the server's soft limit at its start; the caller sets it */
	struct proc server;
	struct loop_io wire_io; /* its descriptor is owned */
	struct timer restart;
	struct timer patience; /* the wire is closed, the server has not exited */
	uint64_t started_ns;
	unsigned young_deaths;                     /* in a row */
	unsigned unserved_deaths;                  /* of these, the last that never served */
	bool has_served;                           /* this server has */
	bool has_ever_served;                      /* or one before it */
	pid_t last_pid;                            /* of the one that was reaped */
	int last_code;                             /* its exit code, -1: a signal ended it */
	char last_end[48];                         /* and how it ended, in words */
	void (*started)(void *arg);                /* a new server is there */
	void (*ready)(void *arg, uint32_t events); /* something on the wire */
	void *arg;
};

/*
 * Fills k, whose fds are there already. argv[0] is what the server is called; it is always /proc/self/exe that is executed. At
 * most KEEPER_WORDS_MAX words; three are added, as server/setup.h reads them.
 */
void keeper_init(struct keeper *k, struct loop *loop, struct proc_abilities *abilities,
    char *const *argv);

/* Later servers inherit fd instead; what is an enum wire_renewed. fd is k's, or closed. */
void keeper_renew(struct keeper *k, uint32_t what, int fd);

/* Starts a server and calls started(); logs a failure, and tries again later. */
void keeper_start(struct keeper *k);

/* The server has said that it serves. */
void keeper_served(struct keeper *k);

/* The supervisor's end of the wire, -1 if it is closed. */
int keeper_wire(const struct keeper *k);

/* EPOLLIN, EPOLLOUT: what to wait for on the wire. */
void keeper_wait_for(struct keeper *k, uint32_t events);

/* Closes the wire. The server has to end then; where it does not it is killed after some seconds. */
void keeper_close_wire(struct keeper *k);

/* Whether a server was started and has not been found to have exited. */
bool keeper_has_server(const struct keeper *k);

bool keeper_is_server(const struct keeper *k, pid_t pid);

/*
 * Closes the wire, waits for the server to end, and kills it if it does not in some seconds: for a
 * supervisor at the end of its own life, which must do nothing else meanwhile. Returns as keeper_reap().
 */
int keeper_end_server(struct keeper *k);

/*
 * The server has exited, and the wire has nothing left to read: reaps it and closes the wire. Returns
 * its exit code, -1 if a signal ended it.
 */
int keeper_reap(struct keeper *k);

/* Logs how the one that was reaped ended, and starts another, now or later. */
void keeper_restart(struct keeper *k);

void keeper_fini(struct keeper *k);

/* Closes what servers inherited. Needs no keeper_init(). */
void keeper_close_fds(struct keeper *k);

#endif
