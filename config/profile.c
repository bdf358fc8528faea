/*
 * profile: see profile.h. Used by the server and by `config`.
 */
#include "config/profile.h"

#include "base/id.h"
#include "base/policy.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

static int
check_inherits(const char *value, struct fault *f)
{
	const char *fault = id_fault(value);

	return fault == NULL ? 0 : fault_set(f, EINVAL, "no name of a profile: %s", fault);
}

static int
check_model(const char *value, struct fault *f)
{
	const char *fault = id_model_fault(value);

	return fault == NULL ? 0 : fault_set(f, EINVAL, "no name of a model: %s", fault);
}

static int
check_tools(const char *value, struct fault *f)
{
	(void)value;
	(void)f;
	return 0;
}

static int
check_approvals(const char *value, struct fault *f)
{
	if (policy_parse(value) >= 0)
		return 0;
	return fault_set(f, EINVAL, "not one of its words; write ask, allow or deny");
}

static int
check_pool(const char *value, struct fault *f)
{
	const char *fault = id_fault(value);

	return fault == NULL ? 0 : fault_set(f, EINVAL, "no name of a pool: %s", fault);
}

static int
check_priority(const char *value, struct fault *f)
{
	const char *why = "invalid";

	if (isdigit((unsigned char)value[value[0] == '-']))
		strtonum(value, CONFIG_PRIORITY_LEAST, CONFIG_PRIORITY_MOST, &why);
	if (why == NULL)
		return 0;
	return fault_set(f, EINVAL, "%s; write a whole number from %d to %d (first)",
	    strcmp(why, "invalid") != 0 ? why : "not a whole number", CONFIG_PRIORITY_LEAST,
	    CONFIG_PRIORITY_MOST);
}

/* The keys that only a profile has. */
static const struct {
	const char *key;
	int (*check)(const char *value, struct fault *f);
} own_keys[] = {
    {"inherits", check_inherits},
    {"model", check_model},
    {"disabled_tools", check_tools},
    {"approvals", check_approvals},
    {"pool", check_pool},
    {"priority", check_priority},
};

#define OWN_COUNT (sizeof(own_keys) / sizeof(own_keys[0]))

const char *
profile_key(size_t number)
{
	const struct config_row *row;

	if (number < OWN_COUNT)
		return own_keys[number].key;
	row = config_limit(number - OWN_COUNT);
	return row != NULL ? row->key : NULL;
}

/* The row of a limit, or NULL. */
static const struct config_row *
find_limit(const char *key)
{
	const struct config_row *row;

	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		if (strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

static bool
is_variable(const char *key)
{
	return strncmp(key, PROFILE_ENV, strlen(PROFILE_ENV)) == 0;
}

static int
check_variable(const char *name, struct fault *f)
{
	if (name[0] == '\0')
		return fault_set(f, EINVAL, "no name of a variable; write env.NAME = VALUE");
	for (const char *p = name; *p != '\0'; p++) {
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
			return fault_set(f, EINVAL,
			    "a blank in the name of a variable; write env.NAME = VALUE");
	}
	if (strncmp(name, "SPAWND_", strlen("SPAWND_")) == 0)
		return fault_set(f, EINVAL, "SPAWND_ names are spawnd's own; use another");
	return 0;
}

int
profile_check(const char *key, const char *value, struct fault *f)
{
	const struct config_row *row = find_limit(key);
	struct limits scratch;

	limits_default(&scratch);
	if (row != NULL)
		return config_set_limit(&scratch, row, value, f);
	if (is_variable(key))
		return check_variable(key + strlen(PROFILE_ENV), f);
	for (size_t i = 0; i < OWN_COUNT; i++) {
		if (strcmp(own_keys[i].key, key) == 0)
			return own_keys[i].check(value, f);
	}
	return -ENOENT;
}

/* The profile that this one inherits from, or NULL. */
static const struct section *
above(const struct sections *s, const struct section *profile)
{
	const struct section_entry *entry = section_find(profile, "inherits");

	return entry == NULL ? NULL : sections_find(s, SECTION_PROFILE, entry->value);
}

const struct section_entry *
profile_find(const struct sections *s, const struct section *profile, const char *key,
    const struct section **ret_from)
{
	for (; profile != NULL; profile = above(s, profile)) {
		const struct section_entry *entry = section_find(profile, key);

		if (entry == NULL)
			continue;
		if (ret_from != NULL)
			*ret_from = profile;
		return entry;
	}
	return NULL;
}

const char *
profile_value(const struct sections *s, const struct section *profile, const char *key)
{
	const struct section_entry *entry = profile_find(s, profile, key, NULL);

	return entry == NULL ? NULL : entry->value;
}

const struct section_entry *
profile_variable(const struct sections *s, const struct section *profile, size_t number,
    const struct section **ret_from)
{
	for (const struct section *p = profile; p != NULL; p = above(s, p)) {
		for (size_t i = 0; i < p->count; i++) {
			const struct section_entry *entry = &p->entries[i];

			/* One that is nearer replaces it. */
			if (!is_variable(entry->key) ||
			    profile_find(s, profile, entry->key, NULL) != entry)
				continue;
			if (number-- > 0)
				continue;
			if (ret_from != NULL)
				*ret_from = p;
			return entry;
		}
	}
	return NULL;
}

void
profile_limits(const struct sections *s, const struct section *profile, struct limits *l)
{
	const struct config_row *row;

	for (size_t i = 0; (row = config_limit(i)) != NULL; i++) {
		const char *text = profile_value(s, profile, row->key);

		if (text != NULL)
			config_set_limit(l, row, text, NULL);
	}
}

int
profile_check_above(const struct sections *s, const struct section *profile, struct fault *f)
{
	const struct section_entry *entry = section_find(profile, "inherits");
	const struct section *seen[PROFILE_DEPTH_MAX + 1], *p = profile;
	char names[512];

	if (entry == NULL)
		return 0;
	if (above(s, profile) == NULL) {
		sections_list(s, SECTION_PROFILE, names, sizeof(names));
		return fault_set(f, ENOENT, "there is no such profile; there are %s", names);
	}
	/* Whoever leads into a circle without being part of it is not at fault. */
	strlcpy(names, profile->name, sizeof(names));
	for (size_t steps = 0; steps <= PROFILE_DEPTH_MAX; steps++) {
		for (size_t i = 0; i < steps; i++) {
			if (seen[i] == p)
				return 0;
		}
		seen[steps] = p;
		p = above(s, p);
		if (p == NULL)
			return 0;
		strlcat(names, " from ", sizeof(names));
		strlcat(names, p->name, sizeof(names));
		if (p == profile)
			return fault_set(f, ELOOP,
			    "it inherits in a circle, %s; remove one of these lines", names);
	}
	return fault_set(f, E2BIG,
	    "profile '%s' inherits from more than %d others, one from the next; let it inherit from one "
	    "that is nearer to the end of them, or repeat their keys in it",
	    profile->name, PROFILE_DEPTH_MAX);
}

int
profile_check_pool(const struct sections *s, const struct section *profile,
    const struct section_entry **ret_entry, struct fault *f)
{
	const struct section_entry *entry = section_find(profile, "pool");
	char names[256];

	if (entry == NULL || sections_find(s, SECTION_POOL, entry->value) != NULL)
		return 0;
	*ret_entry = entry;
	sections_list(s, SECTION_POOL, names, sizeof(names));
	return fault_set(f, ENOENT, "there is no such pool; there %s%s",
	    names[0] != '\0' ? "are " : "is none", names);
}

void
profile_format(const struct section_entry *entry, char *text, size_t size)
{
	const struct config_row *row = find_limit(entry->key);
	struct limits scratch;

	strlcpy(text, entry->value, size);
	limits_default(&scratch);
	if (row != NULL && config_set_limit(&scratch, row, entry->value, NULL) == 0)
		config_format_limit(&scratch, row, text, size);
}
