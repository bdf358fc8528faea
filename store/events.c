/*
 * events: the feed as it is read again, and whom its jobs are below. Run by the server only; see
 * store.h. Adds nothing.
 */
#include "store/sql.h"
#include "store/store.h"

int64_t
store_last_seq(const struct store *s)
{
	return s->committed.next_seq - 1;
}

int64_t
store_added_seq(const struct store *s)
{
	return s->marks.next_seq - 1;
}

int
store_each_event(struct store *s, int64_t after, int64_t last, int64_t limit, store_event_cb *cb,
    void *arg)
{
	struct sql_use u;
	int rc = 0, end;

	sql_use(&u, s, SQL_EACH_OF_FEED);
	sql_bind_int(&u, 1, after);
	sql_bind_int(&u, 2, limit);
	sql_bind_int(&u, 3, last);
	while (rc == 0 && sql_step(&u)) {
		struct store_event e = {
		    .seq = sql_int(&u, 0),
		    .at_ms = sql_int(&u, 1),
		    .kind = sql_text(&u, 2),
		    .job = sql_int(&u, 3),
		    .parent = sql_text(&u, 4),
		    .child = sql_text(&u, 5),
		    .body = sql_text(&u, 6),
		};
		if (e.kind == NULL || e.body == NULL)
			rc = sql_fail(s, SQLITE_NOMEM);
		else
			rc = cb(arg, &e);
	}
	end = sql_end(&u);
	return rc != 0 ? rc : end;
}

int
store_each_above(struct store *s, int64_t job, store_id_cb *cb, void *arg)
{
	struct sql_use u;
	int rc = 0, end;

	sql_use(&u, s, SQL_EACH_ABOVE);
	sql_bind_int(&u, 1, job);
	while (rc == 0 && sql_step(&u)) {
		const char *parent = sql_text(&u, 0);
		rc = parent != NULL ? cb(arg, parent, sql_int(&u, 1)) : sql_fail(s, SQLITE_NOMEM);
	}
	end = sql_end(&u);
	return rc != 0 ? rc : end;
}
