/*
 * regular: files that jobs leave behind, and that may be anything by now: a link, a FIFO, a device.
 * Nothing but a regular file is ever opened, so none of these is followed or waited for. Runs in the
 * server.
 */
#ifndef SERVER_REGULAR_H
#define SERVER_REGULAR_H

#include <stdint.h>

/*
 * Opens the regular file at path for reading; *ret_size gets its length. Returns the descriptor, the
 * caller's, or -errno; -EOPNOTSUPP where something else stands there.
 */
int regular_open(const char *path, int64_t *ret_size);

/*
 * Closes the regular file at path to other users, mode 0600, if it can. Returns its length; 0 where there
 * is none.
 */
int64_t regular_close_to_others(const char *path);

#endif
