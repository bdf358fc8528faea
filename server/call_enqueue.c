/*
 * call_enqueue: see call_enqueue.h. First all that can be wrong is found, without a trace left;
 * then the job is added, at once or when there is room for it.
 */
#include "server/call_enqueue.h"

#include "base/id.h"
#include "config/profile.h"
#include "server/admit.h"
#include "server/after.h"
#include "server/caller.h"
#include "server/cancel.h"
#include "server/command.h"
#include "server/jobs.h"
#include "server/order.h"
#include "server/preset.h"
#include "server/starter.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parameters {
	const char *parent, *child;
	json_t *argv, *env, *env_given;
	const char *cwd, *stdin_path;
	int64_t umask, launch, parent_job;
	const char *limits[CONFIG_LIMITS_MAX]; /* as config_limit() counts them */
	json_t *meta;
	const char *profile, *model;
	struct order_parameters order;
	const char *if_exists, *token;
	struct after_names after;
	bool no_wait, chained;
};

#define AT(member) offsetof(struct parameters, member)

static const struct api_field own_fields[] = {
    {"parent", API_STRING, AT(parent), false},
    {"parent_job", API_INTEGER, AT(parent_job), false},
    {"child", API_STRING, AT(child), false},
    {"argv", API_STRINGS, AT(argv), false},
    {"env", API_STRINGS, AT(env), false},
    {"env_given", API_STRINGS, AT(env_given), false},
    {"cwd", API_STRING, AT(cwd), false},
    {"umask", API_INTEGER, AT(umask), false},
    {"stdin", API_STRING, AT(stdin_path), false},
    {"launch", API_INTEGER, AT(launch), false},
    {"meta", API_OBJECT, AT(meta), false},
    {"profile", API_STRING, AT(profile), false},
    {"model", API_STRING, AT(model), false},
    {"if_exists", API_STRING, AT(if_exists), false},
    {"no_wait", API_BOOLEAN, AT(no_wait), false},
    {"token", API_STRING, AT(token), false},
    {"after", API_STRING, AT(after.after), false},
    {"after_ok", API_STRING, AT(after.after_ok), false},
    {"after_policy", API_STRING, AT(after.policy), false},
    {"chained", API_BOOLEAN, AT(chained), false},
};

#define OWN_FIELDS (sizeof(own_fields) / sizeof(own_fields[0]))

/* Limits that the metadata may carry, in whole seconds. */
static const struct {
	const char *name;
	const char *key;
} meta_limits[] = {
    {"child_watchdog.max_total_secs", "max_total"},
    {"child_watchdog.max_idle_secs", "max_idle"},
    {"child_watchdog.check_interval_secs", "check_interval"},
};

enum if_exists {
	EXISTS_REFUSE,
	EXISTS_IGNORE,
	EXISTS_REPLACE
};

struct enqueue {
	struct parameters p;
	char parent[ID_SIZE];
	char child[ID_SIZE];
	bool is_parent_made_up;
	enum if_exists if_exists;
	struct limits limits;
	struct store_order order;
	struct preset preset;
	struct command_given given;
	struct command command;
	char *meta;
	json_t *warnings;
	struct after after;
	struct lender lender;
};

static void
enqueue_fini(struct call *call)
{
	struct enqueue *e = call->own;

	command_fini(&e->command);
	preset_fini(&e->preset);
	free(e->meta);
	json_decref(e->warnings);
	after_fini(&e->after);
	lender_fini(call->server, &e->lender);
}

/* The checks below answer the call themselves where they find a fault, and return false. */

static bool
check_id(struct call *call, const char *field, const char *given, const char *prefix,
    char id[ID_SIZE])
{
	const char *fault = given == NULL ? NULL : id_fault(given);

	if (fault != NULL) {
		call_fail_argument(call, field, fault);
		return false;
	}
	if (given != NULL)
		strlcpy(id, given, ID_SIZE);
	else
		id_make_up(prefix, id);
	return true;
}

static bool
check_if_exists(struct call *call, struct enqueue *e)
{
	const char *word = e->p.if_exists;

	if (word == NULL || strcmp(word, "refuse") == 0)
		e->if_exists = EXISTS_REFUSE;
	else if (strcmp(word, "ignore") == 0)
		e->if_exists = EXISTS_IGNORE;
	else if (strcmp(word, "replace") == 0)
		e->if_exists = EXISTS_REPLACE;
	else {
		call_fail_argument(call, "if_exists", "must be refuse, ignore or replace");
		return false;
	}
	return true;
}

static bool
check_preset(struct call *call, struct enqueue *e)
{
	const struct preset_given g = {.profile = e->p.profile, .model = e->p.model};

	if (!preset_read(call, &g, &e->preset))
		return false;
	order_inherit(&e->p.order, e->preset.sections, e->preset.profile);
	return true;
}

static bool
check_command(struct call *call, struct enqueue *e)
{
	const struct parameters *p = &e->p;
	const struct runner_job j = {.child = e->child,
	    .parent = e->parent,
	    .model = e->preset.model,
	    .profile = p->profile};

	e->given = (struct command_given){.argv = p->argv,
	    .env = p->env,
	    .cwd = p->cwd,
	    .stdin_path = p->stdin_path,
	    .umask = p->umask,
	    .launch = p->launch,
	    .env_given = p->env_given};
	return command_make(call, &e->command, &e->given, e->preset.sections, e->preset.profile,
	    &j);
}

static bool
check_token(struct call *call, const struct enqueue *e)
{
	if (e->p.token == NULL || (e->p.token[0] != '\0' && strlen(e->p.token) <= ID_MAX))
		return true;
	call_fail_argument(call, "token", "must be 1 to 100 bytes");
	return false;
}

/* From the profile, the metadata, then from the options, over the configuration's. */
static bool
check_limits(struct call *call, struct enqueue *e)
{
	const struct config_row *row;
	struct fault f;
	size_t i;

	e->limits = call->server->config.limits;
	profile_limits(e->preset.sections, e->preset.profile, &e->limits);
	for (i = 0; i < sizeof(meta_limits) / sizeof(meta_limits[0]); i++) {
		const char *text =
		    json_string_value(json_object_get(e->p.meta, meta_limits[i].name));
		const char *fault = NULL;

		row = config_find("watchdog", meta_limits[i].key);
		if (text == NULL)
			continue;
		strtonum(text, 1, 100LL * 365 * 24 * 3600, &fault);
		if (fault == NULL && text[0] >= '0' && text[0] <= '9' &&
		    config_set_limit(&e->limits, row, text, NULL) == 0)
			continue;
		json_array_append_new(e->warnings,
		    json_sprintf("meta %s=%s is ignored: not a positive whole number of seconds",
			meta_limits[i].name, text));
	}
	for (i = 0; (row = config_limit(i)) != NULL; i++) {
		if (e->p.limits[i] != NULL &&
		    config_set_limit(&e->limits, row, e->p.limits[i], &f) < 0) {
			call_fail_argument(call, row->key, f.text);
			return false;
		}
	}
	return true;
}

/* Root may have as many processes as it wants, getrlimit(2), unless a cgroup counts them. */
static void
warn_of_limits(const struct server *s, struct enqueue *e)
{
	bool has_cgroup = s->config.containment <= WIRE_CONTAIN_CGROUP;

	if (e->limits.max_processes != WATCHDOG_OFF && geteuid() == 0 &&
	    !(has_cgroup && s->counts_processes))
		json_array_append_new(e->warnings,
		    json_sprintf("max_processes %" PRIu64 " has no effect: for root, processes are "
				 "counted only by the cgroup controller pids, and there is none",
			e->limits.max_processes));
}

/* The parameters by name: those of the table above, and every limit. As api_read(). */
static const char *
read_parameters(struct call *call, struct parameters *p, struct fault *f)
{
	struct api_field fields[OWN_FIELDS + ORDER_FIELDS + CONFIG_LIMITS_MAX + 1] = {0};
	struct api_field *limits = fields + OWN_FIELDS + ORDER_FIELDS;
	const struct config_row *row;

	memcpy(fields, own_fields, sizeof(own_fields));
	order_fields(fields + OWN_FIELDS, AT(order));
	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		limits[i] = (struct api_field){row->key, API_STRING,
		    AT(limits) + i * sizeof(p->limits[0]), false};
	}
	return api_read(&call->api, fields, p, f);
}

static void
answer(struct call *call, struct enqueue *e, int64_t job, int64_t run, const char *parent,
    const char *child, bool is_new)
{
	char output[PATH_MAX] = "";

	starter_output_path(&call->server->paths, job, output);
	call_reply(call,
	    json_pack("{s:I, s:I, s:s, s:s, s:b, s:s, s:O}", "job", (json_int_t)job, "run",
		(json_int_t)run, "parent", parent, "child", child, "is_new", is_new, "output",
		output, "warnings", e->warnings));
}

/* What `ignore` and a repeated token answer with. */
struct known {
	int64_t run;
	char parent[ID_SIZE];
	char child[ID_SIZE];
};

static int
copy_known(void *arg, const struct store_job *j)
{
	struct known *known = arg;

	known->run = j->run;
	strlcpy(known->parent, j->parent, sizeof(known->parent));
	strlcpy(known->child, j->child, sizeof(known->child));
	return 0;
}

static void
answer_known(struct call *call, struct enqueue *e, int64_t job)
{
	struct known known = {0};

	if (server_check(call->server,
		store_read_job(call->server->store, job, copy_known, &known)) < 0)
		call_fail_store(call);
	else
		answer(call, e, job, known.run, known.parent, known.child, false);
}

/*
 * A call that is repeated, because the answer to the first was lost, is answered as that was, whatever would be
 * refused by now: a time may have passed, a profile be gone. Returns whether it is one.
 */
static bool
answer_repeated(struct call *call, struct enqueue *e)
{
	struct server *s = call->server;
	int64_t job, run;

	if (e->p.token == NULL || s->store == NULL ||
	    server_check(s, store_find_token(s->store, e->p.token, &job, &run)) < 0)
		return false;
	answer_known(call, e, job);
	return true;
}

static bool
check(struct call *call, struct enqueue *e)
{
	struct fault f;
	const char *field = read_parameters(call, &e->p, &f);

	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return false;
	}
	if (e->p.chained && conn_is_refused(call->conn)) {
		call_fail(call, "PreviousRefused", NULL);
		return false;
	}
	e->is_parent_made_up = e->p.parent == NULL;
	e->meta = e->p.meta == NULL ? NULL : json_dumps(e->p.meta, JSON_COMPACT);
	return check_id(call, "parent", e->p.parent, "p", e->parent) &&
	    check_id(call, "child", e->p.child, "c", e->child) && check_if_exists(call, e) &&
	    check_token(call, e) && !answer_repeated(call, e) && check_preset(call, e) &&
	    check_limits(call, e) && order_check(call, &e->p.order, &e->order) &&
	    check_command(call, e);
}

static void
fail_existing(struct call *call, const struct queue_job *j)
{
	enum status status = j->status == STATUS_STARTING ? STATUS_QUEUED : j->status;

	call_fail(call, "AlreadyQueued",
	    json_pack("{s:I, s:s, s:s}", "job", (json_int_t)j->number, "child", j->child, "status",
		status_name(status)));
}

/* A child of this id has not ended. Returns whether it is out of the way now. */
static bool
meet_existing(struct call *call, struct enqueue *e, struct queue_job *j)
{
	struct server *s = call->server;

	if (answer_repeated(call, e))
		return false;
	if (e->if_exists == EXISTS_IGNORE)
		answer_known(call, e, j->number);
	else if (e->if_exists == EXISTS_REFUSE)
		fail_existing(call, j);
	else if (!j->is_cancelled) {
		cancel_job(s, j->number);
		return queue_find_child(s->queue, e->child) == NULL;
	}
	return false;
}

static void
store_warnings(struct server *s, const struct jobs_new *n, const json_t *warnings)
{
	size_t i;
	const json_t *warning;

	json_array_foreach (warnings, i, warning) {
		json_t *body = json_pack("{s:O}", "message", warning);
		char *text = json_dumps(body, JSON_COMPACT);

		server_check(s,
		    text == NULL ? -ENOMEM
				 : store_add_event(s->store, "warning", n->job.job, n->job.parent,
				       n->job.child, text));
		free(text);
		json_decref(body);
	}
}

/* A runner that names the job's number is told it: that of the next job, which this one will be. */
static int
number_command(struct server *s, struct command *c)
{
	int64_t last = 0;
	int r = command_names_job(c) ? store_last_job(s->store, &last) : 0;

	if (r == 0 && command_names_job(c))
		r = command_number(c, last + 1);
	return server_check(s, r);
}

static void
add(struct call *call, struct enqueue *e)
{
	struct jobs_new n = {.job = {.parent = e->parent,
				 .child = e->child,
				 .is_delivered = !e->is_parent_made_up,
				 .command = e->command.text,
				 .meta = e->meta,
				 .profile = e->p.profile,
				 .model = e->preset.model,
				 .disabled_tools = e->preset.disabled_tools,
				 .limits = e->limits,
				 .order = e->order},
	    .policy = e->preset.policy,
	    .token = e->p.token,
	    .parent_job = e->p.parent_job};
	int r = caller_policy(call->server, call->conn, e->p.parent_job, &n.caller_policy);

	if (r == 0)
		r = number_command(call->server, &e->command);
	n.block = e->command.block;
	n.block_len = e->command.block_len;
	if (r == 0)
		r = jobs_add(call->server, &n);
	if (r == 0)
		r = after_add(call->server, n.job.job, &e->after);
	if (r == -EEXIST) {
		answer_known(call, e, n.job.job);
	} else if (r < 0) {
		call_fail_store(call);
	} else {
		store_warnings(call->server, &n, e->warnings);
		answer(call, e, n.job.job, n.job.run, e->parent, e->child, true);
	}
}

static void
enqueue_pump(struct call *call)
{
	struct server *s = call->server;
	struct enqueue *e = call->own;
	struct queue_job *existing = queue_find_child(s->queue, e->child);
	char path[PATH_MAX];
	struct fault f;

	if (s->is_stopping) {
		call_fail(call, "ShuttingDown", NULL);
		return;
	}
	if (!admit_child(call, e->parent, e->p.parent_job, e->child) ||
	    (existing != NULL && !meet_existing(call, e, existing)) ||
	    !after_read(call, &e->p.after, e->parent, e->p.parent_job, e->child, &e->after) ||
	    !admit_to_queue(call, e->p.no_wait, e->p.parent_job, &e->lender))
		return;
	warn_of_limits(s, e);
	if (!e->is_parent_made_up && deliver_prepare(s->deliver, e->parent, path, &f) < 0) {
		call_fail_argument(call, "parent", f.text);
		return;
	}
	add(call, e);
}

void
call_enqueue(struct call *call)
{
	struct enqueue *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		conn_drop(call->conn);
		return;
	}
	e->p.umask = 022;
	e->p.order.priority = ORDER_NO_PRIORITY;
	e->p.launch = -1;
	e->warnings = json_array();
	call->own = e;
	call->fini = enqueue_fini;
	if (!check(call, e))
		return;
	call->pump = enqueue_pump;
	enqueue_pump(call);
}
