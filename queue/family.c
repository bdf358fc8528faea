/*
 * family: see family.h. Runs in the server. Must not call itself from node to node: trees may be deep.
 */
#include "queue/family.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

RB_HEAD(family_tree, family_node);

struct family {
	struct family_tree nodes;
};

static int
compare(const struct family_node *a, const struct family_node *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(family_tree, family_node, by_number, compare, static __attribute__((unused)))

struct family *
family_new(void)
{
	struct family *f = calloc(1, sizeof(*f));

	if (f != NULL)
		RB_INIT(&f->nodes);
	return f;
}

void
family_free(struct family *f)
{
	if (f == NULL)
		return;
	family_clear(f);
	free(f);
}

void
family_clear(struct family *f)
{
	struct family_node *n;

	while ((n = RB_ROOT(&f->nodes)) != NULL) {
		RB_REMOVE(family_tree, &f->nodes, n);
		free(n);
	}
}

struct family_node *
family_find(struct family *f, int64_t number)
{
	struct family_node key = {.number = number};

	return RB_FIND(family_tree, &f->nodes, &key);
}

struct family_node *
family_next(struct family *f, struct family_node *n)
{
	return n == NULL ? RB_MIN(family_tree, &f->nodes) : RB_NEXT(family_tree, &f->nodes, n);
}

struct family_node *
family_walk(const struct family_node *top, struct family_node *n)
{
	struct family_node *next = TAILQ_FIRST(&n->below);

	while (next == NULL && n != top) {
		next = TAILQ_NEXT(n, beside);
		n = n->above;
	}
	return next;
}

bool
family_is_below(struct family *f, int64_t number, int64_t top)
{
	struct family_node *n = family_find(f, number);

	while (n != NULL && n->above != NULL && n->above->number != top)
		n = n->above;
	return n != NULL && n->above != NULL;
}

/* The ids need not end in NUL. */
static struct family_node *
make(struct family *f, int64_t number, const char *parent, size_t parent_len, const char *child,
    size_t child_len)
{
	struct family_node *n = calloc(1, sizeof(*n) + child_len + 1 + parent_len + 1);

	if (n == NULL)
		return NULL;
	n->number = number;
	n->parent = n->child + child_len + 1;
	memcpy(n->child, child, child_len);
	memcpy(n->parent, parent, parent_len);
	TAILQ_INIT(&n->below);
	RB_INSERT(family_tree, &f->nodes, n);
	return n;
}

/* Takes away what nobody needs any more, from here upward. */
static void
drop(struct family *f, struct family_node *n)
{
	while (n != NULL && !n->is_member && TAILQ_EMPTY(&n->below)) {
		struct family_node *above = n->above;

		if (above != NULL)
			TAILQ_REMOVE(&above->below, n, beside);
		RB_REMOVE(family_tree, &f->nodes, n);
		free(n);
		n = above;
	}
}

static void
put_below(struct family_node *n, struct family_node *above)
{
	if (above == NULL || n->above != NULL)
		return;
	n->above = above;
	TAILQ_INSERT_TAIL(&above->below, n, beside);
}

/* One "/12=M": what is behind it, or NULL where it is none. */
static const char *
read_step(const char *text, int64_t *ret_number, const char **ret_child, size_t *ret_len)
{
	char *end;

	if (text[0] != '/' || text[1] < '1' || text[1] > '9')
		return NULL;
	errno = 0;
	*ret_number = strtoll(text + 1, &end, 10);
	if (errno != 0 || *end != '=')
		return NULL;
	*ret_child = end + 1;
	*ret_len = strcspn(*ret_child, "/");
	return *ret_len > 0 && *ret_len <= ID_MAX ? *ret_child + *ret_len : NULL;
}

int64_t
family_step(const char **rest)
{
	const char *text = *rest + (**rest == '/' ? 0 : strcspn(*rest, "/")), *child, *behind;
	int64_t number;
	size_t len;

	behind = read_step(text, &number, &child, &len);
	if (behind == NULL)
		return 0;
	*rest = behind;
	return number;
}

/* Makes those above who are not there; *ret_above gets the lowest, also where it fails. */
static int
make_above(struct family *f, const char *ancestry, struct family_node **ret_above)
{
	size_t parent_len = strcspn(ancestry, "/"), len;
	const char *parent = ancestry, *text = ancestry + parent_len, *child;
	int64_t number;

	if (*text == '\0')
		return -EINVAL;
	while (*text != '\0') {
		struct family_node *n;

		text = read_step(text, &number, &child, &len);
		if (text == NULL)
			return -EINVAL;
		n = family_find(f, number);
		if (n == NULL)
			n = make(f, number, parent, parent_len, child, len);
		if (n == NULL)
			return -ENOMEM;
		put_below(n, *ret_above);
		*ret_above = n;
		parent = child;
		parent_len = len;
	}
	return 0;
}

int
family_add(struct family *f, int64_t number, const char *parent, const char *child,
    const char *ancestry)
{
	struct family_node *above = NULL, *n;
	int r;

	if (ancestry == NULL)
		return 0;
	n = family_find(f, number);
	if (n != NULL && n->is_member)
		return -EEXIST;
	r = make_above(f, ancestry, &above);
	if (r == 0 && n == NULL) {
		n = make(f, number, parent, strlen(parent), child, strlen(child));
		r = n == NULL ? -ENOMEM : 0;
	}
	if (r < 0) {
		drop(f, above);
		return r;
	}
	put_below(n, above);
	n->is_member = true;
	return 0;
}

void
family_remove(struct family *f, int64_t number)
{
	struct family_node *n = family_find(f, number);

	if (n == NULL)
		return;
	n->is_member = false;
	drop(f, n);
}

char *
family_extend(const char *ancestry, const char *parent, int64_t number, const char *child)
{
	char *text;
	int len = asprintf(&text, "%s/%" PRId64 "=%s", ancestry != NULL ? ancestry : parent, number,
	    child);

	return len < 0 ? NULL : text;
}
