/*
 * detach: the daemon into the background, while its caller waits until it serves.
 */
#ifndef CLI_DETACH_H
#define CLI_DETACH_H

#include "base/fault.h"

/*
 * Returns 0 in the daemon only: a new session without terminal, in the root directory, /dev/null
 * as standard input, the end of log_path (made 0600) as standard output and error. *ret_ready_fd,
 * its own, is where it writes a newline when it serves. The calling process waits for that
 * newline, writes one to caller_ready_fd unless that is -1, and exits 0; if the daemon ends
 * before, it prints what the log says and exits with its code, or EX_TEMPFAIL if it was killed. Does
 * not wait for jobs that it leaves behind. -errno with f filled where not
 * even the first step was possible.
 */
int detach(const char *log_path, int caller_ready_fd, int *ret_ready_fd, struct fault *f);

#endif
