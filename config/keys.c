/*
 * keys: see keys.h. Used by the INI reader, for what it says of a name that is not known.
 */
#include "config/keys.h"

#include "base/near.h"
#include "config/config.h"
#include "config/pool.h"
#include "config/profile.h"
#include "config/runner.h"
#include "config/section.h"

#include <bsd/string.h>
#include <string.h>

static const struct {
	const char *heading;
	const char *(*key)(size_t number);
} kinds[SECTION_COUNT] = {
    [SECTION_POOL] = {"pool NAME", pool_key},
    [SECTION_PROFILE] = {"profile NAME", profile_key},
    [SECTION_RUNNER] = {"runner NAME", runner_key},
};

int
keys_kind(const char *section)
{
	for (int kind = 0; kind < SECTION_COUNT; kind++) {
		if (strcmp(section, section_word((enum section_kind)kind)) == 0)
			return kind;
	}
	return -1;
}

/* The section of that number among those without a name, or NULL. */
static const char *
plain_section(size_t number)
{
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if ((row == config_rows || strcmp(row->section, row[-1].section) != 0) &&
		    number-- == 0)
			return row->section;
	}
	return NULL;
}

/* All sections, by their words, or by their headings where is_heading. */
static const char *
section_at(size_t number, int is_heading)
{
	size_t count = 0;

	while (plain_section(count) != NULL)
		count++;
	if (number < count)
		return plain_section(number);
	if (number - count >= SECTION_COUNT)
		return NULL;
	return is_heading ? kinds[number - count].heading
			  : section_word((enum section_kind)(number - count));
}

/* The key of that number in a section, or NULL. */
static const char *
key_at(const char *section, size_t number)
{
	int kind = keys_kind(section);

	if (kind >= 0)
		return kinds[kind].key(number);
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if (strcmp(row->section, section) == 0 && number-- == 0)
			return row->key;
	}
	return NULL;
}

const char *
keys_nearest(const char *section, const char *name)
{
	const char *found = NULL, *candidate;
	size_t least = near_limit(name);

	for (size_t i = 0;
	     (candidate = section != NULL ? key_at(section, i) : section_at(i, 0)) != NULL; i++) {
		size_t d = near_distance(name, candidate);
		if (d < least) {
			least = d;
			found = candidate;
		}
	}
	return found;
}

const char *
keys_home(const char *key)
{
	const char *section, *k;

	for (size_t i = 0; (section = section_at(i, 0)) != NULL; i++) {
		for (size_t n = 0; (k = key_at(section, n)) != NULL; n++) {
			if (strcmp(k, key) == 0)
				return section_at(i, 1);
		}
	}
	return NULL;
}

void
keys_list(const char *section, char *text, size_t size)
{
	const char *name;

	text[0] = '\0';
	for (size_t i = 0; (name = section != NULL ? key_at(section, i) : section_at(i, 1)) != NULL;
	     i++) {
		if (i > 0)
			strlcat(text, ", ", size);
		strlcat(text, name, size);
	}
}
