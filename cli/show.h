/*
 * show: what commands print on standard output: JSON for programs, lines and tables for people.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>
#include <stdbool.h>

/* One JSON document on a line of its own. */
void show_json(json_t *value);

/* An object (a job, the daemon) as lines "key  value", in its order, without what is null. */
void show_object(json_t *object);

/*
 * The table of jobs. Rows are kept back until there are some hundreds, so that the columns are as
 * wide as what stands in them: wider ones may follow, narrower ones never. Zero-initialised is empty.
 */
struct show_table {
	json_t *rows; /* that are kept back */
	int parent_width, child_width;
};

/* One more job. What runs has the time since its start, or "paused". */
void show_job(struct show_table *t, json_t *job);

/* Prints what was kept back. To be called in the end. */
void show_rest(struct show_table *t);

/* Rows of families, as they come. Zeroed at first. */
struct show_tree {
	bool has_head;
};

/* One more job, so deep below the top of its family. What waits has the reason besides. */
void show_branch(struct show_tree *t, json_t *job, int level);

/* Whether a job is paused: its status is "running" then. */
bool show_is_paused(const json_t *job);

/*
 * Flushes standard output. Returns code; EX_IOERR after telling why if what was printed did not
 * arrive.
 */
int show_flush(int code);

#endif
