/*
 * joblimits: see joblimits.h. Run by the server. NULL is no limit.
 */
#include "store/joblimits.h"

/* In the order of LIMIT_COLUMNS in sql.c. */
enum limit {
	LIMIT_MAX_TOTAL,
	LIMIT_MAX_IDLE,
	LIMIT_CHECK_INTERVAL,
	LIMIT_KILL_GRACE,
	LIMIT_KILL_SIGNAL,
	LIMIT_ACTIVITY,
	LIMIT_IDLE_FROM,
	LIMIT_MAX_EXTEND,
	LIMIT_LEFTOVERS,
	LIMIT_NICE,
	LIMIT_MAX_MEMORY,
	LIMIT_MAX_PROCESSES,
	LIMIT_MAX_OPEN_FILES,
	LIMIT_MAX_CPU,
	LIMIT_MAX_OUTPUT,
	LIMIT_ON_OUTPUT_LIMIT,
	LIMIT_COUNT
};

_Static_assert(LIMIT_COUNT == JOBLIMITS_COUNT, "jobs.c counts as many columns");

static void
bind_limit(struct sql_use *u, int index, uint64_t limit)
{
	if (limit != WATCHDOG_OFF)
		sql_bind_int(u, index, (int64_t)limit);
}

void
joblimits_bind(struct sql_use *u, int first, const struct limits *l)
{
	bind_limit(u, first + LIMIT_MAX_TOTAL, l->max_total_ns);
	bind_limit(u, first + LIMIT_MAX_IDLE, l->max_idle_ns);
	sql_bind_int(u, first + LIMIT_CHECK_INTERVAL, (int64_t)l->check_interval_ns);
	bind_limit(u, first + LIMIT_KILL_GRACE, l->kill_grace_ns);
	sql_bind_int(u, first + LIMIT_KILL_SIGNAL, l->kill_signal);
	sql_bind_int(u, first + LIMIT_ACTIVITY, l->activity);
	sql_bind_int(u, first + LIMIT_IDLE_FROM, l->idle_from);
	sql_bind_int(u, first + LIMIT_MAX_EXTEND, (int64_t)l->max_extend_ns);
	sql_bind_int(u, first + LIMIT_LEFTOVERS, l->leftovers);
	if (l->nice != LIMITS_NICE_INHERIT)
		sql_bind_int(u, first + LIMIT_NICE, l->nice);
	bind_limit(u, first + LIMIT_MAX_MEMORY, l->max_memory);
	bind_limit(u, first + LIMIT_MAX_PROCESSES, l->max_processes);
	bind_limit(u, first + LIMIT_MAX_OPEN_FILES, l->max_open_files);
	bind_limit(u, first + LIMIT_MAX_CPU, l->max_cpu_ns);
	bind_limit(u, first + LIMIT_MAX_OUTPUT, l->max_output);
	sql_bind_int(u, first + LIMIT_ON_OUTPUT_LIMIT, l->on_output_limit);
}

static uint64_t
load_limit(const struct sql_use *u, int column)
{
	if (sqlite3_column_type(u->stmt, column) == SQLITE_NULL)
		return WATCHDOG_OFF;
	return (uint64_t)sql_int(u, column);
}

void
joblimits_load(const struct sql_use *u, int first, struct limits *l)
{
	int nice = first + LIMIT_NICE;
	bool has_nice = sqlite3_column_type(u->stmt, nice) != SQLITE_NULL;

	*l = (struct limits){
	    .max_total_ns = load_limit(u, first + LIMIT_MAX_TOTAL),
	    .max_idle_ns = load_limit(u, first + LIMIT_MAX_IDLE),
	    .check_interval_ns = (uint64_t)sql_int(u, first + LIMIT_CHECK_INTERVAL),
	    .kill_grace_ns = load_limit(u, first + LIMIT_KILL_GRACE),
	    .max_extend_ns = (uint64_t)sql_int(u, first + LIMIT_MAX_EXTEND),
	    .max_memory = load_limit(u, first + LIMIT_MAX_MEMORY),
	    .max_processes = load_limit(u, first + LIMIT_MAX_PROCESSES),
	    .max_open_files = load_limit(u, first + LIMIT_MAX_OPEN_FILES),
	    .max_cpu_ns = load_limit(u, first + LIMIT_MAX_CPU),
	    .max_output = load_limit(u, first + LIMIT_MAX_OUTPUT),
	    .kill_signal = (int32_t)sql_int(u, first + LIMIT_KILL_SIGNAL),
	    .nice = has_nice ? (int32_t)sql_int(u, nice) : LIMITS_NICE_INHERIT,
	    .activity = (uint32_t)sql_int(u, first + LIMIT_ACTIVITY),
	    .idle_from = (uint32_t)sql_int(u, first + LIMIT_IDLE_FROM),
	    .leftovers = (uint32_t)sql_int(u, first + LIMIT_LEFTOVERS),
	    .on_output_limit = (uint32_t)sql_int(u, first + LIMIT_ON_OUTPUT_LIMIT),
	};
}
