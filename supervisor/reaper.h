/*
 * reaper: children that have exited: leaders of jobs, the server, strays.
 */
#ifndef SUPERVISOR_REAPER_H
#define SUPERVISOR_REAPER_H

#include "supervisor/state.h"

/*
 * Sees to all that have exited; while we give way, to the server alone: how the others ended is for
 * the next program. To be called on SIGCHLD, and when something could not be seen to.
 */
void reaper_reap(struct supervisor *s);

#endif
