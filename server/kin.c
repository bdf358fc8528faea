/*
 * kin: see kin.h.
 */
#include "server/kin.h"

#include "base/log.h"
#include "server/row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Whether the job that the client says it is part of is, or was, of that id; then *ret_above is filled. */
static int
find_claimed(struct server *s, const char *parent, int64_t claimed, struct kin *ret_above)
{
	struct row row;
	int r;

	if (claimed <= 0)
		return -ENOENT;
	r = server_check(s, store_read_job(s->store, claimed, row_copy, &row));
	if (r == 0 && strcmp(row.child, parent) != 0)
		r = -ENOENT;
	if (r < 0)
		return r;
	*ret_above = (struct kin){claimed, row.job.depth + 1, status_is_final(row.job.status)};
	return 0;
}

int
kin_find(struct server *s, const char *parent, int64_t claimed, struct kin *ret_above)
{
	const struct queue_job *j = queue_find_child(s->queue, parent);
	int r = 0;

	*ret_above = (struct kin){0};
	if (j != NULL && (claimed <= 0 || claimed == j->number))
		*ret_above = (struct kin){j->number, j->depth + 1, false};
	else
		r = find_claimed(s, parent, claimed, ret_above);
	if (r == -ENOENT && j != NULL)
		*ret_above = (struct kin){j->number, j->depth + 1, false};
	return r == -ENOENT ? 0 : r;
}

static int
copy_is_cancelled(void *arg, const struct store_job *j)
{
	*(bool *)arg = j->is_cancelled || j->status == STATUS_CANCELLED;
	return 0;
}

static bool
is_cancelled(struct server *s, int64_t job)
{
	const struct queue_job *j = queue_find(s->queue, job);
	bool is = j != NULL && j->is_cancelled;

	if (j == NULL)
		server_check(s, store_read_job(s->store, job, copy_is_cancelled, &is));
	return is;
}

int64_t
kin_cancelled(struct server *s, int64_t job)
{
	char *ancestry = NULL;
	const char *rest;
	int64_t number;

	if (is_cancelled(s, job))
		return job;
	/* One that lives was marked together with whoever is above it. */
	if (queue_find(s->queue, job) != NULL ||
	    server_check(s, store_read_ancestry(s->store, job, &ancestry)) < 0 || ancestry == NULL)
		return 0;
	rest = ancestry;
	do
		number = family_step(&rest);
	while (number != 0 && !is_cancelled(s, number));
	free(ancestry);
	return number;
}

/* What a child of that job has stored of it: NULL, or the caller's to free. */
static char *
extend(struct server *s, int64_t above)
{
	char *ancestry = NULL, *extended = NULL;
	struct row row;

	if (server_check(s, store_read_job(s->store, above, row_copy, &row)) < 0 ||
	    server_check(s, store_read_ancestry(s->store, above, &ancestry)) < 0)
		return NULL;
	extended = family_extend(ancestry, row.parent, above, row.child);
	if (extended == NULL)
		server_check(s, -ENOMEM);
	free(ancestry);
	return extended;
}

int
kin_join(struct server *s, const struct store_job *j, const struct kin *above)
{
	char *ancestry = extend(s, above->job);
	int r = ancestry == NULL ? -ENOENT : 0;

	if (r == 0)
		r = store_set_ancestry(s->store, j->job, ancestry);
	if (r == 0)
		r = family_add(s->family, j->job, j->parent, j->child, ancestry);
	free(ancestry);
	return server_check(s, r);
}

/* Of a job that was stored before there was such a thing, or was found running: its parent, if that lives. */
static char *
guess(struct server *s, const struct store_job *j)
{
	const struct queue_job *above = queue_find_child(s->queue, j->parent);

	return above == NULL || above->number >= j->job ? NULL : extend(s, above->number);
}

int
kin_load(struct server *s, const struct store_job *j)
{
	char *ancestry = NULL;
	int r;

	if (j->depth == 0)
		return 0;
	r = store_read_ancestry(s->store, j->job, &ancestry);
	if (r == 0 && ancestry == NULL)
		ancestry = guess(s, j);
	if (r == 0)
		r = family_add(s->family, j->job, j->parent, j->child, ancestry);
	if (r == -EINVAL) {
		log_line("job %" PRId64 " (%s): whom it is below is not understood: %s", j->job,
		    j->child, ancestry);
		r = 0;
	}
	free(ancestry);
	return r;
}

void
kin_leave(struct server *s, int64_t job)
{
	const struct family_node *n = family_find(s->family, job);

	if (n != NULL && !TAILQ_EMPTY(&n->below) && s->config.orphans == ORPHANS_CANCEL)
		server_note(s, &s->orphaned, job);
	family_remove(s->family, job);
}
