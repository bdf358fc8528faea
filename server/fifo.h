/*
 * fifo: one FIFO as its writer sees it. Makes system calls, never waits, knows no record and no
 * store. Runs in the server.
 */
#ifndef SERVER_FIFO_H
#define SERVER_FIFO_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes the FIFO 0600 at path if nothing is there. Refuses what is no FIFO (-EEXIST), a link
 * (-ELOOP), another's, or one that is open to others (-EPERM). 0 or -errno, with f naming path, fault and mend.
 */
int fifo_make(const char *path, struct fault *f);

/*
 * Opens it for writing only, without waiting for a reader: through O_RDWR, which fifo(7) lets
 * Linux do, then by /proc/self/fd. So the descriptor keeps readers from the end of the file, and
 * is not taken for one of them. Returns the descriptor, close-on-exec and non-blocking, or -errno
 * with f filled.
 */
int fifo_open(const char *path, struct fault *f);

/* Whether anybody has it open for reading: poll(2) says POLLERR if not. */
bool fifo_has_reader(int fd);

/* How many bytes nobody has read yet; ioctl(2), FIONREAD. */
size_t fifo_unread(int fd);

/* Takes out of the pipe whatever nobody has read. Returns how many bytes that were. */
size_t fifo_drain(int fd);

/* Which FIFO it is, by whatever path it was opened. */
struct fifo_id {
	dev_t device;
	ino_t inode;
};

void fifo_identify(int fd, struct fifo_id *ret_id);

/* The same of a path, no link followed. Whether something is there. */
bool fifo_identify_at(const char *path, struct fifo_id *ret_id);

/* Whether path still names the FIFO that fd has open. */
bool fifo_is_same(int fd, const char *path);

#endif
