/*
 * due: jobs whose time has not come. A time on the wall clock (--at) follows that when it is set; the
 * end of a wait (--delay, retries) is on CLOCK_BOOTTIME, which nobody sets, and which goes on while the
 * machine sleeps. After a restart of the machine that clock begins anew: then the wall clock says how much of the
 * wait has passed, and never makes it longer than it was. Runs in the server.
 */
#ifndef SERVER_DUE_H
#define SERVER_DUE_H

#include "server/state.h"

/* 0 or -errno; server->loop is there. */
int due_init(struct server *s);
void due_fini(struct server *s);

/* The order of a job that waits for its delay_ns from now on. Its due_boot is the server's. */
void due_delay(const struct server *s, struct store_order *order);

/* Whether the job had to wait for a time, which may have come. */
bool due_is_set(const struct store_order *order);

/*
 * A queued job that is held for its time waits for that, or is held no more if it has come. One whose wait
 * began before the machine was started stays held, for due_renew().
 */
void due_load(const struct server *s, struct queue_job *j, const struct store_order *order);

/* Puts such a wait onto the clock of this boot, and stores it so. 0 or -errno. */
int due_renew(struct server *s, struct queue_job *j, const struct store_order *order);

/* At the end of a turn: the timers are set for the earliest. */
void due_arm(struct server *s);

/* When the time of such a job comes, on the wall clock as it is now; 0: it has none. */
int64_t due_wall_ms(const struct server *s, const struct store_order *order);

#endif
