/*
 * joborders: see joborders.h. Run by the server; see also store.h. NULL is none.
 */
#include "store/joborders.h"

#include "base/clock.h"
#include "store/records.h"

#include <errno.h>

/* In the order of ORDER_COLUMNS in sql.c. */
enum part {
	PART_PRIORITY,
	PART_POOL,
	PART_RETRIES,
	PART_RETRY_DELAY,
	PART_RETRY_ON,
	PART_RETRIED,
	PART_DUE,
	PART_DUE_BOOTTIME,
	PART_DUE_BOOT,
	PART_DELAY,
	PART_COUNT
};

_Static_assert(PART_COUNT == JOBORDERS_COUNT, "jobs.c counts as many columns");

void
joborders_bind(struct sql_use *u, int first, const struct store_order *o)
{
	sql_bind_int(u, first + PART_PRIORITY, o->priority);
	sql_bind_text(u, first + PART_POOL, o->pool);
	sql_bind_int(u, first + PART_RETRIES, o->retries);
	sql_bind_int(u, first + PART_RETRY_DELAY, (int64_t)o->retry_delay_ns);
	sql_bind_int(u, first + PART_RETRY_ON, o->retry_on);
	sql_bind_int(u, first + PART_RETRIED, o->retried);
	joborders_bind_due(u, first + PART_DUE, o);
}

void
joborders_bind_due(struct sql_use *u, int first, const struct store_order *o)
{
	sql_bind_known(u, first, o->due_ms);
	sql_bind_known(u, first + PART_DUE_BOOTTIME - PART_DUE, (int64_t)o->due_ns);
	sql_bind_text(u, first + PART_DUE_BOOT - PART_DUE, o->due_boot);
	sql_bind_known(u, first + PART_DELAY - PART_DUE, (int64_t)o->delay_ns);
}

void
joborders_load(const struct sql_use *u, int first, struct store_order *o)
{
	o->priority = (int32_t)sql_int(u, first + PART_PRIORITY);
	o->pool = sql_text(u, first + PART_POOL);
	o->retries = (uint32_t)sql_int(u, first + PART_RETRIES);
	o->retry_delay_ns = (uint64_t)sql_int(u, first + PART_RETRY_DELAY);
	o->retry_on = (uint32_t)sql_int(u, first + PART_RETRY_ON);
	o->retried = (uint32_t)sql_int(u, first + PART_RETRIED);
	o->due_ms = sql_int(u, first + PART_DUE);
	o->due_ns = (uint64_t)sql_int(u, first + PART_DUE_BOOTTIME);
	o->due_boot = sql_text(u, first + PART_DUE_BOOT);
	o->delay_ns = (uint64_t)sql_int(u, first + PART_DELAY);
}

/* Runs a guarded update that was bound; -ENOENT where the guard let nothing through. */
static int
run_guarded(struct sql_use *u)
{
	int changes, rc = sql_run(u, &changes);

	return rc == 0 && changes == 0 ? -ENOENT : rc;
}

int
store_set_retry(struct store *s, int64_t job, int64_t started_ms, const struct store_order *o,
    const char *body)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_RETRY);
	sql_bind_int(&u, 1, job);
	sql_bind_known(&u, 2, started_ms);
	sql_bind_int(&u, 3, o->retried);
	joborders_bind_due(&u, 4, o);
	rc = run_guarded(&u);
	return rc < 0 ? rc : records_add_event(s, clock_wall_ms(), "retry", job, body);
}

int
store_set_due(struct store *s, int64_t job, const struct store_order *o)
{
	struct sql_use u;
	int rc = sql_begin(s);

	if (rc < 0)
		return rc;
	sql_use(&u, s, SQL_SET_DUE);
	sql_bind_int(&u, 1, job);
	joborders_bind_due(&u, 2, o);
	return run_guarded(&u);
}
