/*
 * progress: a line on the terminal that says how far a command is. Where standard error is none, it
 * says nothing.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool is_on;       /* there is a terminal */
	bool is_shown;    /* there is a line on it now */
	bool is_late;     /* what was to be shown last was not, for it was too early */
	uint64_t next_ns; /* not changed before */
};

void progress_init(struct progress *p);

/* Shows the line, if the last change is long enough ago. */
void progress_show(struct progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How long to wait at the most before the next progress_show(), for poll(2): -1 is for ever. */
int progress_timeout_ms(const struct progress *p);

/* What a message must begin with: it removes the line where there is one. */
const char *progress_prefix(const struct progress *p);

/* Removes the line; to be called before anything else is written to the terminal. */
void progress_clear(struct progress *p);

#endif
