/*
 * kept: the last lines from the heartbeat pipes of jobs that live, for those who come later, and which of
 * these jobs are silent. Pure. Runs in the server.
 *
 * Invariants: (1) of a job no more than KEPT_PER_JOB lines; (2) of all jobs no more than KEPT_SIZE_MAX
 * bytes, of which the oldest lines go first.
 */
#ifndef SERVER_KEPT_H
#define SERVER_KEPT_H

#include "wire/wire.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_PER_JOB 32
#define KEPT_SIZE_MAX (4 * 1024 * 1024)

struct kept_line {
	TAILQ_ENTRY(kept_line) in_job;
	TAILQ_ENTRY(kept_line) in_all;
	struct kept_job *job;
	int64_t at_ms;
	uint32_t skipped; /* lines before it that nobody saw */
	uint16_t len;
	bool is_cut;
	char text[];
};

TAILQ_HEAD(kept_lines, kept_line);

struct kept_job {
	RB_ENTRY(kept_job) by_number;
	struct kept_lines lines; /* oldest first */
	size_t count;
	int64_t number;
	bool is_idle;   /* the caller's mark */
	bool is_wanted; /* the caller's mark */
	const char *parent;
	const char *child;
	char names[];
};

struct kept;

struct kept *kept_new(void); /* NULL: ENOMEM */
void kept_free(struct kept *k);

/* The job of this number, made where there is none. NULL: ENOMEM. */
struct kept_job *kept_job(struct kept *k, int64_t number, const char *parent, const char *child);

/* Keeps a line; the oldest give way. NULL, and nothing kept: ENOMEM. */
struct kept_line *kept_add(struct kept *k, struct kept_job *job, const struct wire_progress *m);

/* The job has ended, or is unknown already. */
void kept_forget(struct kept *k, int64_t number);

/* In order of their numbers; in the order in which they came. NULL begins and ends. */
struct kept_job *kept_next_job(struct kept *k, struct kept_job *job);
struct kept_line *kept_next_line(struct kept *k, struct kept_line *line);

#endif
