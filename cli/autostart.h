/*
 * autostart: the daemon, started by the first command that needs it.
 */
#ifndef CLI_AUTOSTART_H
#define CLI_AUTOSTART_H

#include "base/fault.h"
#include "base/path.h"

/*
 * Starts the daemon of these paths in the background, unless the configuration says autostart =
 * no or another one has begun to serve meanwhile, and connects to it. However many do this at
 * once, one daemon comes of it, and all are connected. In a job of that daemon, by SPAWND_JOB and
 * SPAWND_SOCKET, it starts none and waits 10 s for one that others start. Returns 0 with *ret_fd, the caller's; or
 * -errno with f filled and *ret_exit_code a value of sysexits(3). What keeps the daemon from
 * starting, it says on standard error itself.
 */
int autostart_connect(const struct paths *p, int *ret_fd, int *ret_exit_code, struct fault *f);

#endif
