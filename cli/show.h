/*
 * show: what commands print on standard output: JSON for programs, lines and tables for people.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

/* One JSON document on a line of its own. */
void show_json(json_t *value);

/* An object (a job, the daemon) as lines "key  value", in its order, without what is null. */
void show_object(json_t *object);

/*
 * The heading of the table of jobs, and one job of it. What runs has the time since its start, or
 * "paused".
 */
void show_job_heading(void);
void show_job_line(json_t *job);

/*
 * Flushes standard output. Returns code; EX_IOERR after telling why if what was printed did not
 * arrive.
 */
int show_flush(int code);

#endif
