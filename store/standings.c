/*
 * standings: see standings.h. Run by the server. NULL is "not known" or "never".
 */
#include "store/standings.h"

#include "wire/wire.h"

/* In the order of STANDING_COLUMNS in sql.c. */
enum column {
	COLUMN_STARTED_MS,
	COLUMN_PID,
	COLUMN_START_TIME,
	COLUMN_MARK,
	COLUMN_STARTED_NS,
	COLUMN_PAUSED_NS,
	COLUMN_LULL_NS,
	COLUMN_SIGN_NS,
	COLUMN_GRANTED_NS,
	COLUMN_ENDING_NS,
	COLUMN_VERDICT_NS,
	COLUMN_IDLE_NS,
	COLUMN_CPU_NS,
	COLUMN_MAX_RSS_KB,
	COLUMN_WAIT_STATUS,
	COLUMN_REVISION,
	COLUMN_CONTAINMENT,
	COLUMN_CAUSE,
	COLUMN_FLAGS,
	COLUMN_COUNT
};

_Static_assert(COLUMN_COUNT == STANDINGS_COUNT, "jobs.c counts as many columns");

static void
bind_amount(struct sql_use *u, int index, uint64_t amount)
{
	if (amount != STANDING_UNKNOWN)
		sql_bind_int(u, index, (int64_t)amount);
}

void
standings_bind(struct sql_use *u, int first, const struct standing *st)
{
	sql_bind_known(u, first + COLUMN_STARTED_MS, st->started_wall_ms);
	sql_bind_known(u, first + COLUMN_PID, st->pid);
	sql_bind_known(u, first + COLUMN_START_TIME, (int64_t)st->start_time);
	sql_bind_known(u, first + COLUMN_MARK, (int64_t)st->mark);
	sql_bind_known(u, first + COLUMN_STARTED_NS, (int64_t)st->started_ns);
	sql_bind_known(u, first + COLUMN_PAUSED_NS, (int64_t)st->paused_ns);
	sql_bind_known(u, first + COLUMN_LULL_NS, (int64_t)st->lull_ns);
	sql_bind_known(u, first + COLUMN_SIGN_NS, (int64_t)st->sign_ns);
	sql_bind_known(u, first + COLUMN_GRANTED_NS, (int64_t)st->granted_ns);
	sql_bind_known(u, first + COLUMN_ENDING_NS, (int64_t)st->ending_ns);
	sql_bind_known(u, first + COLUMN_VERDICT_NS, (int64_t)st->verdict_ns);
	sql_bind_known(u, first + COLUMN_IDLE_NS, (int64_t)st->idle_ns);
	bind_amount(u, first + COLUMN_CPU_NS, st->cpu_ns);
	bind_amount(u, first + COLUMN_MAX_RSS_KB, st->max_rss_kb);
	if (st->wait_status != WIRE_WAIT_UNKNOWN)
		sql_bind_int(u, first + COLUMN_WAIT_STATUS, st->wait_status);
	sql_bind_int(u, first + COLUMN_REVISION, st->revision);
	sql_bind_known(u, first + COLUMN_CONTAINMENT, st->containment);
	sql_bind_known(u, first + COLUMN_CAUSE, st->cause);
	sql_bind_known(u, first + COLUMN_FLAGS, st->flags);
}

static uint64_t
load_amount(const struct sql_use *u, int column)
{
	if (sqlite3_column_type(u->stmt, column) == SQLITE_NULL)
		return STANDING_UNKNOWN;
	return (uint64_t)sql_int(u, column);
}

void
standings_load(const struct sql_use *u, int first, struct standing *st)
{
	int wait_status = first + COLUMN_WAIT_STATUS;
	bool is_known = sqlite3_column_type(u->stmt, wait_status) != SQLITE_NULL;

	*st = (struct standing){
	    .started_wall_ms = sql_int(u, first + COLUMN_STARTED_MS),
	    .pid = (int32_t)sql_int(u, first + COLUMN_PID),
	    .start_time = (uint64_t)sql_int(u, first + COLUMN_START_TIME),
	    .mark = (uint64_t)sql_int(u, first + COLUMN_MARK),
	    .started_ns = (uint64_t)sql_int(u, first + COLUMN_STARTED_NS),
	    .paused_ns = (uint64_t)sql_int(u, first + COLUMN_PAUSED_NS),
	    .lull_ns = (uint64_t)sql_int(u, first + COLUMN_LULL_NS),
	    .sign_ns = (uint64_t)sql_int(u, first + COLUMN_SIGN_NS),
	    .granted_ns = (uint64_t)sql_int(u, first + COLUMN_GRANTED_NS),
	    .ending_ns = (uint64_t)sql_int(u, first + COLUMN_ENDING_NS),
	    .verdict_ns = (uint64_t)sql_int(u, first + COLUMN_VERDICT_NS),
	    .idle_ns = (uint64_t)sql_int(u, first + COLUMN_IDLE_NS),
	    .cpu_ns = load_amount(u, first + COLUMN_CPU_NS),
	    .max_rss_kb = load_amount(u, first + COLUMN_MAX_RSS_KB),
	    .wait_status = is_known ? (int32_t)sql_int(u, wait_status) : WIRE_WAIT_UNKNOWN,
	    .revision = (uint32_t)sql_int(u, first + COLUMN_REVISION),
	    .containment = (uint32_t)sql_int(u, first + COLUMN_CONTAINMENT),
	    .cause = (uint32_t)sql_int(u, first + COLUMN_CAUSE),
	    .flags = (uint32_t)sql_int(u, first + COLUMN_FLAGS),
	};
}
