/*
 * echo: see echo.h.
 */
#include "server/echo.h"

bool
echo_is_start(const struct queue_job *j, const struct standing *st)
{
	if (!queue_is_live(j))
		return j->is_retry || j->is_resumed || j->status == STATUS_SUSPENDED;
	return st->mark != j->mark;
}

bool
echo_is_end(const struct queue_job *j, const struct wire_ended *m, int64_t started_ms)
{
	if (!queue_is_live(j))
		return true;
	if (m->mark != 0)
		return m->mark != j->mark;
	return j->status == STATUS_STARTING && m->stage == WIRE_STAGE_NONE && started_ms != 0 &&
	    m->started_wall_ms == started_ms;
}
