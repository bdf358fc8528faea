/*
 * lock: one daemon per runtime directory, by flock(2). The file's text names the holder for
 * people; nothing is ever decided by it.
 */
#ifndef CLI_LOCK_H
#define CLI_LOCK_H

#include "base/fault.h"

/*
 * Takes the lock at path, making the file if need be. It is held until the last copy of *ret_fd,
 * close-on-exec, is closed. 0; -EWOULDBLOCK if another daemon holds it; or another -errno. f is
 * filled where not 0.
 */
int lock_take(const char *path, int *ret_fd, struct fault *f);

/* Writes the caller's process number into the file. */
void lock_sign(int fd);

#endif
