/*
 * signals: none interrupts the supervisor; those that it knows are read from a descriptor.
 */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

/*
 * Blocks all signals, sets all to what they do by default but SIGPIPE, which is ignored, and makes
 * this process the subreaper of all that it starts. *ret_fd tells of SIGCHLD, SIGHUP, SIGTERM and SIGINT:
 * close-on-exec, not blocking, the caller's. 0 or -errno. signalfd(2), prctl(2).
 */
int signals_take(int *ret_fd);

#endif
