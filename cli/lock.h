/*
 * lock: one daemon per runtime directory and per store, by flock(2). Taken by the daemon before it
 * serves; by the server where somebody has removed the file. The file's text names the holder for
 * people; nothing is ever decided by it.
 */
#ifndef CLI_LOCK_H
#define CLI_LOCK_H

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Takes the lock at path, making the file if need be. It is held until the last copy of *ret_fd,
 * close-on-exec, is closed. 0; -EWOULDBLOCK if another daemon holds it; or another -errno. f is
 * filled where not 0.
 */
int lock_take(const char *path, int *ret_fd, struct fault *f);

/* Whether path still names the locked file behind fd: somebody may clean up in /tmp. 1, 0 or -errno. */
int lock_is_at(int fd, const char *path);

/* Writes the process number of the daemon, and the directory in which it serves, into the file. */
void lock_sign(int fd, pid_t pid, const char *place);

/*
 * Whether the daemon that holds the lock at path serves somewhere else than in place, as it has signed: then
 * f says so, and how it is reached.
 */
bool lock_is_elsewhere(const char *path, const char *place, struct fault *f);

#endif
