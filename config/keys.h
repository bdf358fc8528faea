/*
 * keys: which sections and keys spawnd.ini has, and which of them somebody meant who wrote another. A
 * section is named by its word alone: "watchdog", "profile". Pure.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stddef.h>

/* Whether the section carries a name, and which kind that is: enum section_kind, or -1. */
int keys_kind(const char *section);

/* The section (NULL), or the key of a section, that is closest to `name`, or NULL where none is close. */
const char *keys_nearest(const char *section, const char *name);

/* A section that has this key, as its heading is written: "watchdog", "profile NAME"; or NULL. */
const char *keys_home(const char *key);

/* The sections (NULL), as their headings are written, or the keys of a section, with commas between. */
void keys_list(const char *section, char *text, size_t size);

#endif
