/*
 * after: see after.h.
 */
#include "server/after.h"

#include "base/id.h"
#include "server/kin.h"
#include "server/waiting.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE (4 * ID_SIZE + 200)

/* What one name stands for. */
struct found {
	int64_t job;
	enum status status;
};

static int
copy_found(void *arg, const struct store_job *j)
{
	struct found *found = arg;

	found->job = j->job;
	found->status = j->status;
	return 0;
}

static int
add_edge(struct after *a, const struct found *found, bool is_strict)
{
	struct waits_edge *edges;

	for (size_t i = 0; i < a->count; i++) {
		if (a->edges[i].after == found->job) {
			a->edges[i].is_strict |= is_strict;
			return 0;
		}
	}
	edges = reallocarray(a->edges, a->count + 1, sizeof(*edges));
	if (edges == NULL)
		return -ENOMEM;
	a->edges = edges;
	edges[a->count++] = (struct waits_edge){found->job, is_strict, found->status};
	return 0;
}

/* The functions below answer the call where they refuse, and return false. */

static bool
read_name(struct call *call, const char *field, const char *name, const char *child,
    struct after *a)
{
	struct server *s = call->server;
	struct found found = {0};
	char text[TEXT_SIZE];
	const char *fault = id_fault(name);
	int r;

	if (fault != NULL) {
		snprintf(text, sizeof(text), "'%.*s' is no child: its id %s", ID_MAX, name, fault);
		call_fail_argument(call, field, text);
		return false;
	}
	if (strcmp(name, child) == 0) {
		snprintf(text, sizeof(text), "%s is to wait for itself; name others", child);
		call_fail_argument(call, field, text);
		return false;
	}
	r = server_find_child(s, name, copy_found, &found);
	if (r == -ENOENT) {
		snprintf(text, sizeof(text),
		    "%s, for which %s is to wait: no child has had that id, and no job that number; "
		    "enqueue it first",
		    name, child);
		call_fail_not_found(call, text);
		return false;
	}
	if (r == 0)
		r = server_check(s, add_edge(a, &found, strcmp(field, "after_ok") == 0));
	if (r < 0)
		call_fail_store(call);
	return r == 0;
}

static bool
read_names(struct call *call, const char *field, const char *names, const char *child,
    struct after *a)
{
	char name[ID_SIZE + 1];
	size_t len;

	for (; names != NULL; names = names[len] == ',' ? names + len + 1 : NULL) {
		len = strcspn(names, ",");
		/* One that is too long stays too long. */
		strlcpy(name, names, len < ID_SIZE ? len + 1 : sizeof(name));
		if (!read_name(call, field, name, child, a))
			return false;
	}
	return true;
}

/* The name under which one of the jobs is known, or "". */
static const char *
name_of(struct server *s, int64_t job)
{
	const struct queue_job *j = queue_find(s->queue, job);

	return j == NULL ? "" : j->child;
}

/* Fills text where the new child is below this one, which is among those that it is to wait for, or one of them
 * waits for it. 1, 0 or -ENOMEM. */
static int
check_one(struct server *s, const struct queue_job *above, const char *child,
    const int64_t *numbers, size_t count, char text[TEXT_SIZE])
{
	int64_t found = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		if (numbers[i] != above->number)
			continue;
		snprintf(text, TEXT_SIZE,
		    "%s is above %s, and would wait for it in turn; name others", above->child,
		    child);
		return 1;
	}
	r = waits_find_circle(s->waits, above->number, numbers, count, &found);
	if (r == 1)
		snprintf(text, TEXT_SIZE,
		    "%s waits for %s, which is above %s, and would wait for it in turn; name others",
		    name_of(s, found), above->child, child);
	return r;
}

/* Whoever is above the new job may come to wait for it, and must not be waited for. */
static bool
check_above(struct call *call, const char *parent, int64_t parent_job, const char *child,
    const struct after *a)
{
	struct server *s = call->server;
	int64_t *numbers = reallocarray(NULL, a->count + 1, sizeof(*numbers));
	const struct family_node *node;
	const struct queue_job *above;
	struct kin kin = {0};
	char text[TEXT_SIZE];
	int r = numbers == NULL ? -ENOMEM : kin_find(s, parent, parent_job, &kin);

	for (size_t i = 0; r == 0 && i < a->count; i++)
		numbers[i] = a->edges[i].after;
	while (r == 0 && kin.job != 0) {
		above = queue_find(s->queue, kin.job);
		if (above != NULL)
			r = check_one(s, above, child, numbers, a->count, text);
		node = family_find(s->family, kin.job);
		kin.job = node == NULL || node->above == NULL ? 0 : node->above->number;
	}
	free(numbers);
	if (r == 1)
		call_fail_argument(call, "after", text);
	else if (server_check(s, r) < 0)
		call_fail_store(call);
	return r == 0;
}

bool
after_read(struct call *call, const struct after_names *names, const char *parent,
    int64_t parent_job, const char *child, struct after *ret_after)
{
	struct after a = {.edges = NULL};
	int policy = names->policy == NULL ? WAITS_ALL : waits_policy_parse(names->policy);
	bool is_good = policy >= 0;

	if (!is_good)
		call_fail_argument(call, "after_policy", "must be all, any or first_error");
	if (is_good && names->policy != NULL && names->after == NULL && names->after_ok == NULL) {
		call_fail_argument(call, "after_policy",
		    "says how to wait, but not for whom; give `after` or `after_ok` as well");
		is_good = false;
	}
	is_good = is_good && read_names(call, "after", names->after, child, &a) &&
	    read_names(call, "after_ok", names->after_ok, child, &a) &&
	    (a.count == 0 || check_above(call, parent, parent_job, child, &a));
	if (!is_good) {
		free(a.edges);
		return false;
	}
	a.policy = (enum waits_policy)policy;
	free(ret_after->edges);
	*ret_after = a;
	return true;
}

void
after_fini(struct after *after)
{
	free(after->edges);
}

int
after_add(struct server *s, int64_t job, const struct after *after)
{
	const struct waiters_row row = {.job = job, .kind = WAITERS_AFTER, .policy = after->policy};

	if (after->count == 0)
		return 0;
	return waiting_add(s, queue_find(s->queue, job), &row, after->edges, after->count);
}
