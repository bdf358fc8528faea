/*
 * jobprofiles: see jobprofiles.h. Run by the server. NULL is none.
 */
#include "store/jobprofiles.h"

/* In the order of PROFILE_COLUMNS in sql.c. */
enum part {
	PART_PROFILE,
	PART_MODEL,
	PART_DISABLED_TOOLS,
	PART_POLICY,
	PART_COUNT
};

_Static_assert(PART_COUNT == JOBPROFILES_COUNT, "jobs.c counts as many columns");

void
jobprofiles_bind(struct sql_use *u, int first, const struct store_job *j)
{
	sql_bind_text(u, first + PART_PROFILE, j->profile);
	sql_bind_text(u, first + PART_MODEL, j->model);
	sql_bind_text(u, first + PART_DISABLED_TOOLS, j->disabled_tools);
	sql_bind_int(u, first + PART_POLICY, j->policy);
}

/* What no spawnd has written is taken for the tightest. */
static enum policy
load_policy(int64_t number)
{
	return number >= 0 && number < POLICY_COUNT ? (enum policy)number : POLICY_DENY;
}

void
jobprofiles_load(const struct sql_use *u, int first, struct store_job *j)
{
	j->profile = sql_text(u, first + PART_PROFILE);
	j->model = sql_text(u, first + PART_MODEL);
	j->disabled_tools = sql_text(u, first + PART_DISABLED_TOOLS);
	j->policy = load_policy(sql_int(u, first + PART_POLICY));
}
