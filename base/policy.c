/*
 * policy: see policy.h. Any process. Pure.
 */
#include "base/policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

const char *const policy_words[] =
    {[POLICY_ALLOW] = "allow", [POLICY_ASK] = "ask", [POLICY_DENY] = "deny", [POLICY_COUNT] = NULL};

const char *
policy_name(enum policy p)
{
	return policy_words[p];
}

int
policy_parse(const char *name)
{
	for (int p = 0; p < POLICY_COUNT; p++)
		if (strcmp(name, policy_words[p]) == 0)
			return p;
	return -EINVAL;
}

enum policy
policy_inherit(int own, int above)
{
	if (own < 0 && above < 0)
		return POLICY_ASK;
	return (enum policy)(own > above ? own : above);
}
