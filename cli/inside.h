/*
 * inside: what a command knows of the job that it is part of, by its environment. Run by commands. The daemon
 * believes none of it without looking.
 */
#ifndef CLI_INSIDE_H
#define CLI_INSIDE_H

#include <jansson.h>

/* The number of the job, or NULL outside of one; the caller's. */
json_t *inside_job(void);

/* The same, but NULL also where this parent (NULL: none) is not that job. */
json_t *inside_parent_job(const char *parent);

#endif
