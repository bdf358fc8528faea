/*
 * tail: a file that somebody else appends to, passed on as it grows. inotify(7). Its oldest part may
 * be freed at any time (server/outputs.h): what was is skipped, up to the next whole line; never
 * are the NULs passed on that the hole reads as.
 */
#ifndef CLI_TAIL_H
#define CLI_TAIL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tail {
	char path[PATH_MAX];
	int fd;          /* -1: the file is not there yet */
	int inotify_fd;  /* -1: there is none to be had */
	int watch;       /* on the file, or while that is not there, on its directory; -1: none */
	off_t offset;    /* what is before this has been passed on */
	off_t skipped;   /* how many bytes of that were freed, and so were not */
	bool is_in_line; /* the last byte that was passed on is no newline */
};

/* Begins at the start of the file, which need not exist yet. 0 or -errno. tail_fini() after 0. */
int tail_init(struct tail *t, const char *path);
void tail_fini(struct tail *t);

/* Goes to where the last `count` lines begin, as far as the file is there. 0 or -errno. */
int tail_seek_lines(struct tail *t, int64_t count);

/*
 * Where what comes next has been freed: goes on to the first whole line behind that, and counts it
 * in `skipped`; of a line that was passed on in part, the newline is kept. Where there is no newline
 * near, a part of a line is better than nothing.
 */
void tail_skip_freed(struct tail *t);

/*
 * Poll inotify_fd for POLLIN, no longer than tail_timeout_ms() (-1: for ever), and call this. 0
 * or -errno.
 */
int tail_wake(struct tail *t);
int tail_timeout_ms(const struct tail *t);

/* Whether there is something to pass on. */
bool tail_is_behind(const struct tail *t);

/*
 * Passes on one piece, at most `size` bytes. 0, also where out_fd takes nothing now (EAGAIN); or
 * -errno of write(2) or read(2).
 */
int tail_copy(struct tail *t, int out_fd, size_t size);

#endif
