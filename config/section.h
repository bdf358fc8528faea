/*
 * section: what spawnd.ini says under headings that carry a name, such as [profile NAME]: each section with
 * its entries, as texts, in the order of the file. Allocates; knows nothing of what the keys mean.
 */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include <stddef.h>

enum section_kind {
	SECTION_POOL,
	SECTION_PROFILE,
	SECTION_RUNNER,
	SECTION_COUNT
};

struct section_entry {
	char *key, *value;
	int line;
};

struct section {
	enum section_kind kind;
	char *name;
	int line; /* of its heading */
	struct section_entry *entries;
	size_t count;
};

/* All of a file. Shared by counting: whoever keeps it has a reference, and nobody changes it then. */
struct sections {
	unsigned references;
	struct section **items;
	size_t count;
};

/* "pool", "profile", "runner": the word before the name. */
const char *section_word(enum section_kind kind);

/* One without sections, and one reference to it; NULL if memory is short. */
struct sections *sections_new(void);
struct sections *sections_ref(struct sections *s);
void sections_unref(struct sections *s); /* NULL is fine */

/* The section, which lives as long as s; NULL if memory is short. */
struct section *sections_add(struct sections *s, enum section_kind kind, const char *name,
    int line);

/* The section of that kind and name, or NULL; s may be NULL. */
const struct section *sections_find(const struct sections *s, enum section_kind kind,
    const char *name);

/* The names of that kind, with commas between; "" where there are none. */
void sections_list(const struct sections *s, enum section_kind kind, char *text, size_t size);

/* 0 or -ENOMEM. */
int section_add(struct section *section, const char *key, const char *value, int line);

/* The entry of that key, or NULL. */
const struct section_entry *section_find(const struct section *section, const char *key);

#endif
