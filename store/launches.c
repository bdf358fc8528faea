/*
 * launches: what a job that has not ended is executed with. Run by the server only; see store.h. Written and
 * dropped by jobs.c, with the job.
 */
#include "store/sql.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
store_read_launch(struct store *s, int64_t job, void **ret_block, size_t *ret_len)
{
	struct sql_use u;
	void *block = NULL;
	size_t len = 0;
	int rc = -ENOENT, end;

	sql_use(&u, s, SQL_READ_LAUNCH);
	sql_bind_int(&u, 1, job);
	if (sql_step(&u)) {
		const void *bytes = sqlite3_column_blob(u.stmt, 0);
		len = (size_t)sqlite3_column_bytes(u.stmt, 0);
		block = malloc(len > 0 ? len : 1);
		rc = block == NULL || (bytes == NULL && len > 0) ? sql_fail(s, SQLITE_NOMEM) : 0;
		if (rc == 0 && len > 0)
			memcpy(block, bytes, len);
	}
	end = sql_end(&u);
	if (end < 0)
		rc = end;
	if (rc < 0) {
		free(block);
		return rc;
	}
	*ret_block = block;
	*ret_len = len;
	return 0;
}
