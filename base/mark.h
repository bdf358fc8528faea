/*
 * mark: what all processes of a job carry, whatever becomes of them: a number in the soft limit
 * RLIMIT_LOCKS, and that of the outermost spawnd in the hard one. supervisor/contain.h has the why.
 */
#ifndef BASE_MARK_H
#define BASE_MARK_H

#include <stdint.h>
#include <sys/types.h>

/* Both marks of a process; 0: none. 0, -ESRCH (there is no such process), or another -errno. */
int mark_read(pid_t pid, uint64_t *ret_mark, uint64_t *ret_outer);

#endif
