/*
 * kept: see kept.h. Makes no system call.
 */
#include "server/kept.h"

#include <stdlib.h>
#include <string.h>

RB_HEAD(kept_jobs, kept_job);

struct kept {
	struct kept_jobs jobs;
	struct kept_lines lines; /* of all, oldest first */
	size_t size;             /* of all lines */
};

static int
compare(const struct kept_job *a, const struct kept_job *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(kept_jobs, kept_job, by_number, compare, static __attribute__((unused)))

struct kept *
kept_new(void)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	RB_INIT(&k->jobs);
	TAILQ_INIT(&k->lines);
	return k;
}

static size_t
size_of(const struct kept_line *line)
{
	return sizeof(*line) + line->len;
}

static void
drop_line(struct kept *k, struct kept_line *line)
{
	TAILQ_REMOVE(&k->lines, line, in_all);
	TAILQ_REMOVE(&line->job->lines, line, in_job);
	line->job->count--;
	k->size -= size_of(line);
	free(line);
}

static void
drop_job(struct kept *k, struct kept_job *job)
{
	struct kept_line *line;

	while ((line = TAILQ_FIRST(&job->lines)) != NULL)
		drop_line(k, line);
	RB_REMOVE(kept_jobs, &k->jobs, job);
	free(job);
}

void
kept_free(struct kept *k)
{
	struct kept_job *job;

	if (k == NULL)
		return;
	while ((job = RB_MIN(kept_jobs, &k->jobs)) != NULL)
		drop_job(k, job);
	free(k);
}

static struct kept_job *
find(struct kept *k, int64_t number)
{
	struct kept_job key = {.number = number};

	return RB_FIND(kept_jobs, &k->jobs, &key);
}

struct kept_job *
kept_job(struct kept *k, int64_t number, const char *parent, const char *child)
{
	struct kept_job *job = find(k, number);
	size_t parent_size = strlen(parent) + 1, child_size = strlen(child) + 1;

	if (job != NULL)
		return job;
	job = calloc(1, sizeof(*job) + parent_size + child_size);
	if (job == NULL)
		return NULL;
	TAILQ_INIT(&job->lines);
	job->number = number;
	memcpy(job->names, parent, parent_size);
	memcpy(job->names + parent_size, child, child_size);
	job->parent = job->names;
	job->child = job->names + parent_size;
	RB_INSERT(kept_jobs, &k->jobs, job);
	return job;
}

struct kept_line *
kept_add(struct kept *k, struct kept_job *job, const struct wire_progress *m)
{
	struct kept_line *line = malloc(sizeof(*line) + m->last.len);

	if (line == NULL)
		return NULL;
	line->job = job;
	line->at_ms = m->at_wall_ms;
	line->skipped = m->skipped;
	line->len = (uint16_t)m->last.len;
	line->is_cut = m->last.is_cut != 0;
	memcpy(line->text, m->last.text, m->last.len);
	TAILQ_INSERT_TAIL(&k->lines, line, in_all);
	TAILQ_INSERT_TAIL(&job->lines, line, in_job);
	job->count++;
	k->size += size_of(line);
	if (job->count > KEPT_PER_JOB)
		drop_line(k, TAILQ_FIRST(&job->lines));
	while (k->size > KEPT_SIZE_MAX)
		drop_line(k, TAILQ_FIRST(&k->lines));
	return line;
}

void
kept_forget(struct kept *k, int64_t number)
{
	struct kept_job *job = find(k, number);

	if (job != NULL)
		drop_job(k, job);
}

struct kept_job *
kept_next_job(struct kept *k, struct kept_job *job)
{
	return job == NULL ? RB_MIN(kept_jobs, &k->jobs) : RB_NEXT(kept_jobs, &k->jobs, job);
}

struct kept_line *
kept_next_line(struct kept *k, struct kept_line *line)
{
	return line == NULL ? TAILQ_FIRST(&k->lines) : TAILQ_NEXT(line, in_all);
}
