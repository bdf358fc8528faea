/*
 * listeners: see listeners.h.
 */
#include "server/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
compare(const struct audience *a, const struct audience *b)
{
	return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(audiences, audience, by_name, compare, static __attribute__((unused)))

void
listeners_init(struct listeners *ls)
{
	*ls = (struct listeners){0};
	RB_INIT(&ls->audiences);
	TAILQ_INIT(&ls->all);
	TAILQ_INIT(&ls->behind);
	TAILQ_INIT(&ls->blocked);
}

static struct audience *
find(struct listeners *ls, const char *name)
{
	struct audience *a = RB_ROOT(&ls->audiences);
	int order;

	while (a != NULL && (order = strcmp(name, a->name)) != 0)
		a = order < 0 ? RB_LEFT(a, by_name) : RB_RIGHT(a, by_name);
	return a;
}

static struct audience *
make(struct listeners *ls, const char *name)
{
	struct audience *a = find(ls, name);
	size_t size = strlen(name) + 1;

	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a) + size);
	if (a == NULL)
		return NULL;
	memcpy(a->name, name, size);
	TAILQ_INIT(&a->live);
	RB_INSERT(audiences, &ls->audiences, a);
	return a;
}

static struct listener_list *
list_of(struct listener *l)
{
	switch (l->state) {
	case LISTENER_BEHIND:
		return &l->listeners->behind;
	case LISTENER_BLOCKED:
		return &l->listeners->blocked;
	case LISTENER_LIVE:
	case LISTENER_STATE_COUNT:
		break;
	}
	return &l->audience->live;
}

/* Without a parent there is nothing above. */
static bool
is_for_tree(const struct listener *l)
{
	return l->request.is_tree && l->request.parent != NULL;
}

struct listener *
listeners_add(struct listeners *ls, const struct listener_request *request)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->audience = make(ls, request->parent != NULL ? request->parent : "");
	if (l->audience == NULL) {
		free(l);
		return NULL;
	}
	l->listeners = ls;
	l->request = *request;
	l->state = LISTENER_BEHIND;
	l->audience->count++;
	ls->trees += is_for_tree(l);
	TAILQ_INSERT_TAIL(&ls->all, l, in_all);
	TAILQ_INSERT_TAIL(&ls->behind, l, entry);
	return l;
}

void
listeners_remove(struct listener *l)
{
	struct listeners *ls = l->listeners;
	struct audience *a = l->audience;

	TAILQ_REMOVE(list_of(l), l, entry);
	TAILQ_REMOVE(&ls->all, l, in_all);
	ls->trees -= is_for_tree(l);
	free(l->line);
	free(l);
	if (--a->count > 0)
		return;
	RB_REMOVE(audiences, &ls->audiences, a);
	free(a);
}

void
listener_set(struct listener *l, enum listener_state state)
{
	TAILQ_REMOVE(list_of(l), l, entry);
	l->state = state;
	TAILQ_INSERT_TAIL(list_of(l), l, entry);
}

bool
listeners_hear(struct listeners *ls, const char *parent)
{
	const struct audience *of_all = find(ls, ""),
			      *own = parent == NULL ? NULL : find(ls, parent);

	return ls->trees > 0 || (of_all != NULL && !TAILQ_EMPTY(&of_all->live)) ||
	    (own != NULL && !TAILQ_EMPTY(&own->live));
}

/* One message on its way to all who are live and listen to it. */
struct delivery {
	struct listeners *listeners;
	const char *text;
	size_t len;
	int64_t seq;
};

static void
push(struct listener *l, const struct delivery *d)
{
	if (l->serial == l->listeners->serial)
		return;
	l->serial = l->listeners->serial;
	if (conn_pending(l->request.conn) <= LISTENER_HIGH) {
		conn_send_text(l->request.conn, d->text, d->len);
	} else if (d->seq != 0) {
		l->after = d->seq - 1;
		listener_set(l, LISTENER_BLOCKED);
	}
}

/* To those who listen to that name; with trees_only to those of them who listen to all below. */
static void
push_to(const struct delivery *d, const char *name, bool trees_only)
{
	struct audience *a = find(d->listeners, name);
	struct listener *l, *next;

	if (a == NULL)
		return;
	TAILQ_FOREACH_SAFE (l, &a->live, entry, next) {
		if (!trees_only || l->request.is_tree)
			push(l, d);
	}
}

static int
push_above(void *arg, const char *name, int64_t depth)
{
	(void)depth;
	push_to(arg, name, true);
	return 0;
}

int
listeners_tell(struct listeners *ls, struct store *store, const char *text, size_t len, int64_t seq,
    int64_t job, const char *parent)
{
	struct delivery d = {ls, text, len, seq};

	ls->serial++;
	push_to(&d, "", false);
	if (parent != NULL)
		push_to(&d, parent, false);
	return ls->trees > 0 && job != 0 ? store_each_above(store, job, push_above, &d) : 0;
}

static int
is_name(void *arg, const char *name, int64_t depth)
{
	(void)depth;
	return strcmp(name, arg) == 0;
}

int
listener_hears(const struct listener *l, struct store *store, int64_t job, const char *parent)
{
	const char *name = l->request.parent;

	if (name == NULL || (parent != NULL && strcmp(parent, name) == 0))
		return 1;
	if (!l->request.is_tree || job == 0)
		return 0;
	return store_each_above(store, job, is_name, l->audience->name);
}
