/*
 * excess: see excess.h.
 */
#include "server/excess.h"

#include "base/log.h"
#include "server/state.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char *const actions[OUTPUTS_ACTION_COUNT] = {
    [OUTPUTS_TRIM] = "trim",
    [OUTPUTS_KILL] = "kill",
    [OUTPUTS_KEEP] = "none",
};

static char *
make_body(const struct outputs_excess *x)
{
	json_t *o = json_pack("{s:s, s:I, s:I}", "action", actions[x->action], "max_output",
	    (json_int_t)x->max_output, "output_bytes", (json_int_t)x->output_bytes);
	char *body;

	if (x->action == OUTPUTS_KEEP)
		json_object_set_new(o, "errno", json_string("EOPNOTSUPP"));
	body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return body;
}

static void
add_event(struct server *s, const struct queue_job *j, const struct outputs_excess *x)
{
	char *body = make_body(x);

	server_check(s,
	    body == NULL ? -ENOMEM
			 : store_add_event(s->store, "output_limit", j->number, j->parent->name,
			       j->child, body));
	free(body);
}

/*
 * The supervisor is told the cause, so that the job is not taken for one that was cancelled; told
 * again by the next server, it does no harm.
 */
void
excess_exceeded(void *server, const struct outputs_excess *x)
{
	struct server *s = server;
	const struct queue_job *j = queue_find(s->queue, x->job);

	if (j == NULL)
		return;
	if (x->action == OUTPUTS_KEEP)
		log_line("job %" PRId64
			 " (%s): its output is over max_output, and the file system cannot free "
			 "parts of a file: it stays whole",
		    x->job, j->child);
	if (x->is_new)
		add_event(s, j, x);
	if (x->action == OUTPUTS_KILL)
		link_cancel(s->link, (uint64_t)x->job, WIRE_CAUSE_OUTPUT);
}

void
excess_trouble(void *server, const char *text)
{
	(void)server;
	log_line("%s", text);
}
