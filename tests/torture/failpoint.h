/*
 * failpoint: where a daemon under test may be made to die or to stall: before and after whatever it
 * writes, sends, receives or starts. Linked into a build for tests only (wrap.c, ld's --wrap).
 *
 * The daemon's two processes and whoever drives them share one page, the file $TORTURE_PAGE: the
 * driver writes what is to happen at which passage of which point, and reads how often each was passed.
 */
#ifndef TESTS_TORTURE_FAILPOINT_H
#define TESTS_TORTURE_FAILPOINT_H

#include "wire/wire.h"

#include <stdatomic.h>
#include <stdint.h>

/* The functions that are points; the Makefile takes its list from here. */
#define FAILPOINTS(X) \
	X(store_open) \
	X(store_add_job) \
	X(store_set_starting) \
	X(store_set_queued) \
	X(store_set_retry) \
	X(store_set_running) \
	X(store_set_standing) \
	X(store_end_job) \
	X(store_set_ancestry) \
	X(store_set_cancelled) \
	X(store_add_event) \
	X(store_acknowledge) \
	X(store_set_parent) \
	X(waiters_add) \
	X(waiters_end) \
	X(waiters_suspend) \
	X(waiters_resume) \
	X(store_add_approval) \
	X(store_put_approval) \
	X(store_decide_approval) \
	X(store_commit) \
	X(store_rollback) \
	X(store_tidy) \
	X(pwrite64) \
	X(fdatasync) \
	X(ftruncate64) \
	X(starter_open) \
	X(load_all) \
	X(recovery_synced) \
	X(takeover_exec) \
	X(fifo_make) \
	X(fifo_open) \
	X(fifo_drain) \
	X(write) \
	X(send) \
	X(unlink) \
	X(proc_clone) \
	X(proc_wait)

#define FAILPOINT_ENUM(name) FAILPOINT_##name,

/* And each type of message in each direction. Of those received there is an `after` alone. */
enum failpoint {
	FAILPOINTS(FAILPOINT_ENUM) FAILPOINT_WIRE_SEND,
	FAILPOINT_WIRE_RECEIVE = FAILPOINT_WIRE_SEND + WIRE_TYPE_COUNT,
	FAILPOINT_COUNT = FAILPOINT_WIRE_RECEIVE + WIRE_TYPE_COUNT
};

enum failpoint_phase {
	FAILPOINT_BEFORE,
	FAILPOINT_AFTER
};

enum failpoint_role {
	FAILPOINT_SUPERVISOR,
	FAILPOINT_SERVER,
	FAILPOINT_ROLE_COUNT
};

#define FAILPOINT_PAGE_SIZE 16384
#define FAILPOINT_PLAN_SIZE 128
#define FAILPOINT_NAME_SIZE 32

/* tests/torture/page.py knows where what lies. */
struct failpoint_page {
	/*
	 * "!POINT:PHASE:NUMBER:ROLE:ACTION": at that passage from now on, once. PHASE: before, after.
	 * ROLE: server, supervisor. ACTION: kill-self, kill-other, kill-both, stall-SECONDS. The
	 * mark in front is written last, and taken away when the action begins.
	 */
	char plan[FAILPOINT_PLAN_SIZE];
	_Atomic uint32_t passed;  /* passages of the plan's point; who writes a plan makes it 0 */
	_Atomic uint32_t done;    /* plans that were carried out, ever */
	_Atomic int64_t done_ms;  /* when the last was, by the machine's wall clock */
	_Atomic int64_t shift_ms; /* by how much the daemon's wall clock is off */
	_Atomic int32_t pid[FAILPOINT_ROLE_COUNT];
	char reserved[96];
	struct {
		char name[FAILPOINT_NAME_SIZE];
		_Atomic uint32_t count[FAILPOINT_ROLE_COUNT]; /* passages, ever */
	} points[FAILPOINT_COUNT];
};

/* From here on this process, and no child of it, is the one or the other. */
void failpoint_begin(enum failpoint_role role);

/* It passes a point. errno stays as it is. */
void failpoint_pass(enum failpoint point, enum failpoint_phase phase);

/* Whether this process, not a child of it, is that one. */
int failpoint_is(enum failpoint_role role);

/* By how much the wall clock is off. */
int64_t failpoint_shift_ms(void);

#endif
