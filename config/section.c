/*
 * section: see section.h. Used by the server and by `config`.
 */
#include "config/section.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *
section_word(enum section_kind kind)
{
	static const char *const words[SECTION_COUNT] =
	    {[SECTION_POOL] = "pool", [SECTION_PROFILE] = "profile", [SECTION_RUNNER] = "runner"};

	return words[kind];
}

struct sections *
sections_new(void)
{
	struct sections *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->references = 1;
	return s;
}

struct sections *
sections_ref(struct sections *s)
{
	s->references++;
	return s;
}

static void
section_free(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		free(section->entries[i].key);
		free(section->entries[i].value);
	}
	free(section->entries);
	free(section->name);
	free(section);
}

void
sections_unref(struct sections *s)
{
	if (s == NULL || --s->references > 0)
		return;
	for (size_t i = 0; i < s->count; i++)
		section_free(s->items[i]);
	free(s->items);
	free(s);
}

struct section *
sections_add(struct sections *s, enum section_kind kind, const char *name, int line)
{
	struct section **items = reallocarray(s->items, s->count + 1, sizeof(*items)), *section;

	if (items == NULL)
		return NULL;
	s->items = items;
	section = calloc(1, sizeof(*section));
	if (section == NULL)
		return NULL;
	section->kind = kind;
	section->line = line;
	section->name = strdup(name);
	if (section->name == NULL) {
		free(section);
		return NULL;
	}
	s->items[s->count++] = section;
	return section;
}

const struct section *
sections_find(const struct sections *s, enum section_kind kind, const char *name)
{
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		if (s->items[i]->kind == kind && strcmp(s->items[i]->name, name) == 0)
			return s->items[i];
	}
	return NULL;
}

void
sections_list(const struct sections *s, enum section_kind kind, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		if (s->items[i]->kind != kind)
			continue;
		if (text[0] != '\0')
			strlcat(text, ", ", size);
		strlcat(text, s->items[i]->name, size);
	}
}

int
section_add(struct section *section, const char *key, const char *value, int line)
{
	struct section_entry *entries =
	    reallocarray(section->entries, section->count + 1, sizeof(*entries));
	struct section_entry *e;

	if (entries == NULL)
		return -ENOMEM;
	section->entries = entries;
	e = &entries[section->count];
	*e = (struct section_entry){strdup(key), strdup(value), line};
	if (e->key == NULL || e->value == NULL) {
		free(e->key);
		free(e->value);
		return -ENOMEM;
	}
	section->count++;
	return 0;
}

const struct section_entry *
section_find(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++) {
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	}
	return NULL;
}
