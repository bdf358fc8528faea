/*
 * report: what the supervisor has to tell the server, slot by slot. Nothing is queued: what is to
 * be told is a flag, and its message is made when there is room for it. Order: HELLO, slots
 * (STARTED before ENDED), SYNCED, RELOAD, STOPPING.
 *
 * News for those who watch (a line, a silence) is told at most every REPORT_NEWS_NS, of all slots at
 * once: of a flood the last line alone, and a thousand beats a second cost the server few turns.
 */
#ifndef SUPERVISOR_REPORT_H
#define SUPERVISOR_REPORT_H

#include "supervisor/slots.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#define REPORT_NEWS_NS (50 * UINT64_C(1000000))

TAILQ_HEAD(report_slots, slot);

struct report {
	struct report_slots telling;
	struct timer tick;     /* wakes the loop for news that had to wait */
	uint64_t news_ns;      /* when news may be told again */
	uint64_t instance;     /* of this supervisor */
	bool counts_processes; /* wire_hello */
	uint64_t mark_limit;   /* what HELLO says of it; the caller sets it */
	uint32_t slot_count;
	uint32_t awaited; /* slots that SYNCED waits for */
	bool is_stopping; /* each server is told */
	bool has_hello;   /* the rest: to be told */
	bool has_synced;
	bool has_reload;
	bool has_stopping;
};

/* 0 or -errno of getrandom(2). */
int report_init(struct report *r, uint32_t slot_count);

/* A new server listens: it gets everything, whatever the one before was told. */
void report_new_server(struct report *r, struct slots *slots);

/* Tells all slots again, then SYNCED. */
void report_all(struct report *r, struct slots *slots);

/* what: SLOT_TELL_ bits. */
void report_slot(struct report *r, struct slot *slot, unsigned what);

/* slot's standing has changed. */
void report_standing(struct slot *slot);

/* What is new in the slots is to be told, or wakes the loop later. To be called in each turn. */
void report_news(struct report *r, struct slots *slots);

/* It is known now whether the job's program was executed, and report_slot() was told. */
void report_settled(struct report *r, struct slot *slot);

/* The slot goes away. */
void report_forget(struct report *r, struct slot *slot);

void report_reload(struct report *r);
void report_stopping(struct report *r);

/*
 * Sends until nothing is left (0) or wire_fd takes no more: -EAGAIN, or another -errno of wire_send().
 * What was not sent is still to be told.
 */
int report_send(struct report *r, int wire_fd);

#endif
