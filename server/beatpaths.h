/*
 * beatpaths: the paths of heartbeat pipes ($SPAWND_HEARTBEAT), made anew where somebody removed them
 * under jobs that run. Runs in the server.
 */
#ifndef SERVER_BEATPATHS_H
#define SERVER_BEATPATHS_H

#include "base/path.h"

#include <sys/types.h>

/*
 * A FIFO that was removed cannot be given a name again, but those that the supervisor reads can be
 * opened by way of its descriptors, proc_pid_fd(5): for each that has no name any more, its path
 * becomes a link to there. What is at such a path already is left alone.
 */
void beatpaths_mend(const struct paths *p, pid_t supervisor);

#endif
