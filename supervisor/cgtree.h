/*
 * cgtree: directories of cgroup v2, made and held, and removed with what lies below them.
 *
 * A supervisor holds the one that its jobs' lie in by a lock, flock(2), until it ends or gives way to another program.
 * That alone tells whether it lives: its process number may mean nothing in the namespace of who looks.
 */
#ifndef SUPERVISOR_CGTREE_H
#define SUPERVISOR_CGTREE_H

/*
 * Makes a directory, if need be, and holds it. A descriptor (close-on-exec), the caller's, that holds it until it is
 * closed; -EWOULDBLOCK: somebody else holds it; or another -errno.
 */
int cgtree_make_held(int dir_fd, const char *name);

/*
 * Removes the cgroup and what lies below it, as far as nobody lives there; *budget is how many may be tried, and counts
 * down. 0; -EBUSY: somebody does, or the way down is longer than that; -EAGAIN: call it again; or another -errno.
 */
int cgtree_remove(int dir_fd, const char *name, int *budget);

/* Removes those in dir_fd whose names begin so, that nobody holds and nobody lives in. */
void cgtree_remove_stale(int dir_fd, const char *prefix, int *budget);

#endif
