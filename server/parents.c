/*
 * parents: see parents.h. Must not look at all parents that there are: there may be any number.
 */
#include "server/parents.h"

#include "base/id.h"
#include "base/near.h"
#include "server/state.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* So many are compared, from the first of all on, and from the first that begins alike. */
#define COMPARED_MAX 64

/* As many letters must be alike for that. */
#define ALIKE 2

struct nearest {
	size_t distance;
	char name[ID_SIZE];
};

static int
stop_at_first(void *arg, const struct store_job *j)
{
	(void)arg;
	(void)j;
	return 1;
}

static void
compare(struct server *s, const char *given, const char *from, struct nearest *n)
{
	char name[ID_SIZE];
	size_t distance;

	strlcpy(name, from, sizeof(name));
	for (int i = 0; i < COMPARED_MAX; i++) {
		if (store_next_parent(s->store, name, name) < 0)
			return;
		/* Of a name that is longer the end would not be looked at. */
		distance = strlen(name) < NEAR_NAME_SIZE ? near_distance(given, name) : n->distance;
		if (distance >= n->distance)
			continue;
		n->distance = distance;
		strlcpy(n->name, name, sizeof(n->name));
	}
}

static void
fail(struct call *call, const char *parent)
{
	struct nearest n = {.distance = near_limit(parent)};
	char beginning[ALIKE + 1], why[ID_SIZE + 128];

	strlcpy(beginning, parent, sizeof(beginning));
	compare(call->server, parent, "", &n);
	compare(call->server, parent, beginning, &n);
	if (n.name[0] != '\0')
		snprintf(why, sizeof(why), "no child has had that parent; did you mean %s?",
		    n.name);
	else
		strlcpy(why, "no child has had that parent; 'spawnd list' shows all", sizeof(why));
	call_fail_unknown(call, parent, why);
}

bool
parents_check(struct call *call, const char *parent)
{
	struct server *s = call->server;
	int r = server_check(s, store_each_job(s->store, parent, -1, 0, 1, stop_at_first, NULL));

	if (r == 0)
		r = server_find_child(s, parent, stop_at_first, NULL);
	if (r != -ENOENT)
		return true;
	fail(call, parent);
	return false;
}
