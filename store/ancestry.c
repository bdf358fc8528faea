/*
 * ancestry: whom a job is below. Run by the server only; see store.h.
 */
#include "store/sql.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
store_set_ancestry(struct store *s, int64_t job, const char *ancestry)
{
	struct sql_use u;
	int changes, rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_ANCESTRY);
	sql_bind_int(&u, 1, job);
	sql_bind_text(&u, 2, ancestry);
	rc = sql_run(&u, &changes);
	return rc == 0 && changes == 0 ? -ENOENT : rc;
}

int
store_read_ancestry(struct store *s, int64_t job, char **ret_ancestry)
{
	const char *text = NULL;
	char *copy = NULL;
	struct sql_use u;

	sql_use(&u, s, SQL_READ_ANCESTRY);
	sql_bind_int(&u, 1, job);
	bool is_found = sql_step(&u);
	if (is_found)
		text = sql_text(&u, 0);
	if (text != NULL)
		copy = strdup(text);
	bool is_short = text != NULL && copy == NULL;
	int rc = sql_end(&u);
	if (rc == 0 && is_short)
		return -ENOMEM;
	if (rc == 0 && is_found)
		*ret_ancestry = copy;
	else
		free(copy);
	return rc == 0 && !is_found ? -ENOENT : rc;
}
