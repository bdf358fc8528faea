/*
 * alive: tells the service manager that the loop turns, WATCHDOG=1 of sd_notify(3), where it asked for
 * that.
 */
#ifndef SUPERVISOR_ALIVE_H
#define SUPERVISOR_ALIVE_H

#include "base/loop.h"

struct alive {
	struct loop *loop;
	struct timer timer;
};

/* From now on, twice in the time that there is. Nothing happens where nobody asked. After notify_init(). */
void alive_start(struct alive *a, struct loop *loop);

#endif
