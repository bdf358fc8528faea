/*
 * preset: see preset.h.
 */
#include "server/preset.h"

#include "base/id.h"
#include "base/policy.h"
#include "config/profile.h"
#include "server/state.h"

#include <stdio.h>

static void
fail_unknown(struct call *call, const struct preset *p, const char *name)
{
	char names[400], reason[600];

	sections_list(p->sections, SECTION_PROFILE, names, sizeof(names));
	snprintf(reason, sizeof(reason), "there is no profile '%.100s'; there %s%s", name,
	    names[0] != '\0' ? "are " : "is none", names);
	call_fail_argument(call, "profile", reason);
}

bool
preset_read(struct call *call, const struct preset_given *g, struct preset *p)
{
	const char *fault = g->model == NULL ? NULL : id_model_fault(g->model);
	const char *policy;

	if (fault != NULL) {
		call_fail_argument(call, "model", fault);
		return false;
	}
	if (call->server->sections != NULL)
		p->sections = sections_ref(call->server->sections);
	if (g->profile != NULL)
		p->profile = sections_find(p->sections, SECTION_PROFILE, g->profile);
	if (g->profile != NULL && p->profile == NULL) {
		fail_unknown(call, p, g->profile);
		return false;
	}
	policy = profile_value(p->sections, p->profile, "approvals");
	p->model = g->model != NULL ? g->model : profile_value(p->sections, p->profile, "model");
	p->disabled_tools = profile_value(p->sections, p->profile, "disabled_tools");
	p->policy = policy == NULL ? -1 : policy_parse(policy);
	return true;
}

void
preset_fini(struct preset *p)
{
	sections_unref(p->sections);
	p->sections = NULL;
}
