/*
 * lines: a file or pipe line by line, in bounded memory, by a reader that waits for other things as
 * well. Run by `enqueue --batch`.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line, its newline included. */
#define LINES_MAX (8 * 1024 * 1024)

struct lines {
	int fd; /* the caller's */
	char *data;
	size_t start, end, size;
	int64_t number; /* of the line that was taken last, from 1 */
	bool is_at_end; /* nothing more is to be read */
};

void lines_init(struct lines *l, int fd);
void lines_fini(struct lines *l);

/*
 * Takes the next line, without its newline, into *ret_line, which lives until the next lines_fill(). 0;
 * -EAGAIN where it has not come yet; -ENODATA behind the last. A last line without newline is one.
 */
int lines_take(struct lines *l, const char **ret_line, size_t *ret_len);

/* Reads once; waits if nothing is there. 0; -EMSGSIZE for a line that is too long; or another -errno. */
int lines_fill(struct lines *l);

#endif
