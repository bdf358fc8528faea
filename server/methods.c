/*
 * methods: see methods.h. The rooms below each hold a few methods of one kind.
 */
#include "server/methods.h"

#include "org_spawnd_varlink.h"
#include "server/call.h"
#include "server/call_acknowledge.h"
#include "server/call_approvals.h"
#include "server/call_ask.h"
#include "server/call_control.h"
#include "server/call_enqueue.h"
#include "server/call_events.h"
#include "server/call_pause.h"
#include "server/call_query.h"
#include "server/call_suspend.h"
#include "server/call_tree.h"
#include "server/call_wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char service_description[] =
    "# What every Varlink service answers; varlink.org.\n"
    "interface org.varlink.service\n\n"
    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
    "interfaces: []string)\n\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
    "error InterfaceNotFound(interface: string)\n"
    "error MethodNotFound(method: string)\n"
    "error MethodNotImplemented(method: string)\n"
    "error InvalidParameter(parameter: string)\n"
    "error PermissionDenied()\n";

static void
get_info(struct call *call)
{
	call_reply(call,
	    json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "spawnd", "product", "spawnd",
		"version", SPAWND_VERSION, "url", "", "interfaces", "org.varlink.service",
		"org.spawnd"));
}

static void
get_interface_description(struct call *call)
{
	const char *name = json_string_value(json_object_get(call->api.parameters, "interface"));
	const char *description = NULL;

	if (name != NULL && strcmp(name, "org.spawnd") == 0)
		description = ORG_SPAWND_VARLINK;
	else if (name != NULL && strcmp(name, "org.varlink.service") == 0)
		description = service_description;
	if (description != NULL)
		call_reply(call, json_pack("{s:s}", "description", description));
	else if (name == NULL)
		call_fail(call, "org.varlink.service.InvalidParameter",
		    json_pack("{s:s}", "parameter", "interface"));
	else
		call_fail(call, "org.varlink.service.InterfaceNotFound",
		    json_pack("{s:s}", "interface", name));
}

/* What a method needs to be answered at all. */
enum need {
	NEEDS_NOTHING,
	NEEDS_ORDER, /* where there is a store, that it is known what runs */
	NEEDS_STORE,
	NEEDS_ROOM, /* a store that can be written to */
};

static const struct method {
	const char *name;
	void (*run)(struct call *call);
	enum need need;
} methods[] = {
    {"org.spawnd.Acknowledge", call_acknowledge, NEEDS_ROOM},
    {"org.spawnd.Answer", call_answer, NEEDS_ROOM},
    {"org.spawnd.Approvals", call_approvals, NEEDS_STORE},
    {"org.spawnd.Ask", call_ask, NEEDS_ROOM},
    {"org.spawnd.Cancel", call_cancel, NEEDS_STORE},
    {"org.spawnd.Enqueue", call_enqueue, NEEDS_ROOM},
    {"org.spawnd.Events", call_events, NEEDS_STORE},
    {"org.spawnd.Fifo", call_fifo, NEEDS_STORE},
    {"org.spawnd.Info", call_info, NEEDS_NOTHING},
    {"org.spawnd.List", call_list, NEEDS_STORE},
    {"org.spawnd.Next", call_next, NEEDS_STORE},
    {"org.spawnd.Pause", call_pause, NEEDS_STORE},
    {"org.spawnd.Reload", call_reload, NEEDS_NOTHING},
    {"org.spawnd.Results", call_results, NEEDS_STORE},
    {"org.spawnd.Status", call_status, NEEDS_STORE},
    {"org.spawnd.Stop", call_stop, NEEDS_ORDER},
    {"org.spawnd.Suspend", call_suspend, NEEDS_ROOM},
    {"org.spawnd.Tree", call_tree, NEEDS_STORE},
    {"org.spawnd.TakeApprovals", call_take_approvals, NEEDS_STORE},
    {"org.spawnd.Unpause", call_unpause, NEEDS_STORE},
    {"org.spawnd.Wait", call_wait, NEEDS_STORE},
    {"org.varlink.service.GetInfo", get_info, NEEDS_NOTHING},
    {"org.varlink.service.GetInterfaceDescription", get_interface_description, NEEDS_NOTHING},
};

/* Whether any method is of the interface whose name, with its dot, has len bytes. */
static bool
is_known_interface(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strncmp(methods[i].name, name, len) == 0 &&
		    strchr(methods[i].name + len, '.') == NULL)
			return true;
	}
	return false;
}

/*
 * While the store cannot be written to, what would only fail is not tried with every call: that would
 * undo the turns of all others.
 */
static bool
is_possible(const struct server *s, enum need need)
{
	if (s->store == NULL)
		return need < NEEDS_STORE;
	return need != NEEDS_ROOM || !s->is_store_down;
}

/*
 * A store that was begun anew knows none of the jobs that run until the supervisor has told of them: who asks for
 * one is not to hear that there is none, and its child's id is not to be given away. Nothing is told
 * while a store cannot be written to.
 */
static bool
is_to_wait(const struct server *s, enum need need)
{
	return need != NEEDS_NOTHING && s->store != NULL && !s->is_ready && !s->is_synced &&
	    !s->is_store_down;
}

static void
run(struct call *call, const struct method *method)
{
	const struct server *s = call->server;
	struct conn *conn = call->conn;

	call->pump = NULL;
	if (is_possible(s, method->need) && is_to_wait(s, method->need)) {
		/* With the descriptors that came with it. */
		call->pump = method_run;
		return;
	}
	if (is_possible(s, method->need))
		method->run(call);
	else
		call_fail_store(call);
	conn_close_fds(conn);
}

void
method_run(struct call *call)
{
	const char *name = call->api.method, *dot = strrchr(name, '.');
	size_t len = dot == NULL ? strlen(name) : (size_t)(dot - name);

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, name) == 0) {
			run(call, &methods[i]);
			return;
		}
	}
	if (dot != NULL && is_known_interface(name, len + 1))
		call_fail(call, "org.varlink.service.MethodNotFound",
		    json_pack("{s:s}", "method", name));
	else
		call_fail(call, "org.varlink.service.InterfaceNotFound",
		    json_pack("{s:s%}", "interface", name, len));
}
