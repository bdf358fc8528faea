/*
 * near: which name was meant by one that is unknown. Pure.
 */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

/* So many bytes has the longest name that is known, with its NUL. */
#define NEAR_NAME_SIZE 50

/*
 * How many letters to change, add or drop to make the known name of what was given. '-' counts as
 * '_', A as a.
 */
size_t near_distance(const char *given, const char *known);

/* From this distance on, it was not what was meant. */
size_t near_limit(const char *given);

#endif
