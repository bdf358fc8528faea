/*
 * row: see row.h.
 */
#include "server/row.h"

#include <bsd/string.h>
#include <stddef.h>

/* Returns the copy, or NULL where there is nothing to copy. */
static const char *
copy_text(char *copy, size_t size, const char *text)
{
	if (text == NULL)
		return NULL;
	strlcpy(copy, text, size);
	return copy;
}

int
row_copy(void *arg, const struct store_job *j)
{
	struct row *row = arg;

	row->job = *j;
	row->job.parent = copy_text(row->parent, sizeof(row->parent), j->parent);
	row->job.child = copy_text(row->child, sizeof(row->child), j->child);
	row->job.profile = copy_text(row->profile, sizeof(row->profile), j->profile);
	row->job.model = copy_text(row->model, sizeof(row->model), j->model);
	row->job.disabled_tools =
	    copy_text(row->disabled_tools, sizeof(row->disabled_tools), j->disabled_tools);
	row->job.order.pool = copy_text(row->pool, sizeof(row->pool), j->order.pool);
	row->job.order.due_boot =
	    copy_text(row->due_boot, sizeof(row->due_boot), j->order.due_boot);
	row->job.command = row->job.meta = row->job.boot_id = NULL;
	return 0;
}
