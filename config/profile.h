/*
 * profile: [profile NAME] of spawnd.ini: defaults for jobs that name it. What may be given per job, the
 * rows of config_limit(), is a key of a profile too; a few keys are its own. Pure.
 */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include "base/fault.h"
#include "config/config.h"
#include "config/section.h"

/* Begins the keys that are variables: env.NAME. */
#define PROFILE_ENV "env."

/* From so many others does a profile inherit at the most, which inherit one from the next. */
#define PROFILE_DEPTH_MAX 32

/* The key of that number, in the order in which they are shown, without env.NAME; NULL behind the last. */
const char *profile_key(size_t number);

/* 0; -ENOENT: there is no such key; or -EINVAL/-ERANGE with f saying what is wrong with the value. */
int profile_check(const char *key, const char *value, struct fault *f);

/*
 * What the profile says, or the nearest of those that it inherits from; NULL where none does. *ret_from
 * (may be NULL) gets the section where it stands. There must be no circle.
 */
const struct section_entry *profile_find(const struct sections *s, const struct section *profile,
    const char *key, const struct section **ret_from);

/* The value of that entry, or NULL; profile may be NULL. */
const char *profile_value(const struct sections *s, const struct section *profile, const char *key);

/* The variable of that number that the profile and those it inherits from give, or NULL behind the last. */
const struct section_entry *profile_variable(const struct sections *s,
    const struct section *profile, size_t number, const struct section **ret_from);

/* Puts the limits of a profile (NULL: none) over those in l. */
void profile_limits(const struct sections *s, const struct section *profile, struct limits *l);

/* 0; or -ENOENT, -ELOOP or -E2BIG (PROFILE_DEPTH_MAX) with f saying what is wrong with whom it inherits from. */
int profile_check_above(const struct sections *s, const struct section *profile, struct fault *f);

/* 0; or -ENOENT with f saying that there is no such pool as its own entry *ret_entry names. */
int profile_check_pool(const struct sections *s, const struct section *profile,
    const struct section_entry **ret_entry, struct fault *f);

/* The entry's value as `config show` has it. */
void profile_format(const struct section_entry *entry, char *text, size_t size);

#endif
