/*
 * records: the feed, the records in it, and which of them nobody has acknowledged. Run by the
 * server only; see store.h. Events are only ever added here;
 * prune.c removes them.
 */
#include "store/records.h"

#include "base/clock.h"
#include "store/store.h"

#include <errno.h>

int
records_add_event(struct store *s, int64_t at_ms, const char *kind, int64_t job, const char *body)
{
	struct sql_use u;

	sql_use(&u, s, SQL_ADD_JOB_EVENT);
	sql_bind_int(&u, 1, s->marks.next_seq);
	sql_bind_int(&u, 2, at_ms);
	sql_bind_text(&u, 3, kind);
	sql_bind_int(&u, 4, job);
	sql_bind_text(&u, 5, body);
	int rc = sql_run(&u, NULL);
	if (rc == 0)
		s->marks.next_seq++;
	return rc;
}

int
store_next_seq(struct store *s, int64_t *ret_seq)
{
	int rc = sql_begin(s);

	if (rc == 0)
		*ret_seq = s->marks.next_seq;
	return rc;
}

int
store_add_event(struct store *s, const char *kind, int64_t job, const char *parent,
    const char *child, const char *body)
{
	struct sql_use u;
	int rc;

	if (kind == NULL || body == NULL)
		return fault_set(&s->fault, EINVAL, "an event without kind or body");
	rc = sql_begin(s);
	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_ADD_EVENT);
	sql_bind_int(&u, 1, s->marks.next_seq);
	sql_bind_int(&u, 2, clock_wall_ms());
	sql_bind_text(&u, 3, kind);
	sql_bind_known(&u, 4, job);
	sql_bind_text(&u, 5, parent);
	sql_bind_text(&u, 6, child);
	sql_bind_text(&u, 7, body);
	rc = sql_run(&u, NULL);
	if (rc == 0)
		s->marks.next_seq++;
	return rc;
}

/* Hands the rows to cb and ends the use. *ret_count (may be NULL) gets how many there were. */
static int
walk_records(struct sql_use *u, store_record_cb *cb, void *arg, int64_t *ret_count)
{
	int64_t count = 0;
	int rc = 0, end;

	while (rc == 0 && sql_step(u)) {
		struct store_record r = {
		    .seq = sql_int(u, 0),
		    .job = sql_int(u, 1),
		    .parent = sql_text(u, 2),
		    .child = sql_text(u, 3),
		    .body = sql_text(u, 4),
		};
		if (r.parent == NULL || r.child == NULL || r.body == NULL)
			rc = sql_fail(u->store, SQLITE_NOMEM);
		else
			rc = cb(arg, &r);
		count++;
	}
	end = sql_end(u);
	if (ret_count != NULL)
		*ret_count = count;
	return rc != 0 ? rc : end;
}

int
store_each_record(struct store *s, const char *parent, int64_t since, int64_t limit,
    store_record_cb *cb, void *arg)
{
	struct sql_use u;

	sql_use(&u, s, parent != NULL ? SQL_EACH_RECORD_OF_PARENT : SQL_EACH_RECORD);
	sql_bind_int(&u, 1, since);
	sql_bind_int(&u, 2, limit);
	if (parent != NULL)
		sql_bind_text(&u, 3, parent);
	return walk_records(&u, cb, arg, NULL);
}

int
store_read_record(struct store *s, int64_t job, store_record_cb *cb, void *arg)
{
	struct sql_use u;
	int64_t count;

	sql_use(&u, s, SQL_READ_RECORD);
	sql_bind_int(&u, 1, job);
	int rc = walk_records(&u, cb, arg, &count);
	return rc == 0 && count == 0 ? -ENOENT : rc;
}

int
store_each_pending(struct store *s, const char *parent, int64_t after, int64_t limit,
    store_record_cb *cb, void *arg)
{
	struct sql_use u;

	sql_use(&u, s, SQL_EACH_PENDING);
	sql_bind_int(&u, 1, after);
	sql_bind_int(&u, 2, limit);
	sql_bind_text(&u, 3, parent);
	return walk_records(&u, cb, arg, NULL);
}

int
store_each_pending_parent(struct store *s, store_id_cb *cb, void *arg)
{
	struct sql_use u;
	int rc = 0;

	sql_use(&u, s, SQL_EACH_PENDING_PARENT);
	while (rc == 0 && sql_step(&u)) {
		const char *parent = sql_text(&u, 0);
		rc = parent != NULL ? cb(arg, parent, sql_int(&u, 1)) : sql_fail(s, SQLITE_NOMEM);
	}
	int end = sql_end(&u);
	return rc != 0 ? rc : end;
}

int
store_acknowledge(struct store *s, int64_t seq, bool *ret_was_pending)
{
	struct sql_use u;
	int changes, rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_ACKNOWLEDGE);
	sql_bind_int(&u, 1, seq);
	rc = sql_run(&u, &changes);
	if (rc < 0)
		return rc;
	*ret_was_pending = changes > 0;
	if (changes == 0 || seq >= s->marks.oldest_seq)
		return 0;
	/* Its job was passed over when others of its age were removed. */
	s->has_due = true;
	sql_use(&u, s, SQL_ADD_DUE);
	sql_bind_int(&u, 1, seq);
	return sql_run(&u, NULL);
}
