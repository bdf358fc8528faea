/*
 * launch: what execve(2) needs, as one block of bytes: directory, standard input, umask, argv,
 * environment. The client packs it, the server stores it, the forked child unpacks it; so each byte
 * arrives as it was given, whatever it is.
 */
#ifndef WIRE_LAUNCH_H
#define WIRE_LAUNCH_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct launch {
	const char *directory;  /* absolute */
	const char *stdin_path; /* absolute, or "/dev/null" */
	/* NULL-terminated; argv[0] is looked up in the environment's PATH. Empty: no command was given yet. */
	char **argv;
	char **env; /* NULL-terminated, "NAME=value", or whatever else its user had there */
	mode_t umask;
};

/* Packs l into a block that the caller frees. 0, -ENOMEM, or -EOVERFLOW (4 GiB). */
int launch_pack(const struct launch *l, void **ret_block, size_t *ret_len);

/*
 * Unpacks: *ret_l gets pointers into block, which must outlive it, and two arrays in one allocation
 * that starts at ret_l->argv (free(ret_l->argv)). Every length is checked. 0, -ENOMEM, or -EBADMSG.
 */
int launch_unpack(const void *block, size_t len, struct launch *ret_l);

/*
 * Whether the system can execute this: each string below 128 KiB, all strings with their pointers
 * below ARG_MAX (execve(2)) with `spare` bytes left for variables to come. 0, or -E2BIG with f
 * saying what is too long, by how much, and the limit.
 */
int launch_check_size(const struct launch *l, size_t spare, struct fault *f);

/*
 * Puts a block into a sealed memfd (memfd_create(2)), close-on-exec, positioned at 0. Returns the
 * descriptor or -errno.
 */
int launch_to_memfd(const void *block, size_t len);

/*
 * Maps a memfd read-only (sealed against change, else -EPERM; at most max_len bytes, else -EFBIG).
 * *ret_block is munmap(2)ed by the caller. 0 or -errno.
 */
int launch_map_memfd(int fd, size_t max_len, const void **ret_block, size_t *ret_len);

#endif
