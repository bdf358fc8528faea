/*
 * pool: see pool.h. Used by the server and by `config`.
 */
#include "config/pool.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MAX_RUNNING "max_running"
#define MOST 32768

const char *
pool_key(size_t number)
{
	return number == 0 ? MAX_RUNNING : NULL;
}

int
pool_check(const char *key, const char *value, struct fault *f)
{
	const char *why = "invalid";

	if (strcmp(key, MAX_RUNNING) != 0)
		return -ENOENT;
	if (isdigit((unsigned char)value[0]))
		strtonum(value, 1, MOST, &why);
	if (why == NULL)
		return 0;
	bool is_number = strcmp(why, "invalid") != 0; /* but too large or too small */
	return fault_set(f, is_number ? ERANGE : EINVAL, "%s; write a whole number from 1 to %d",
	    is_number ? why : "not a whole number", MOST);
}

int
pool_check_whole(const struct section *pool, struct fault *f)
{
	if (section_find(pool, MAX_RUNNING) != NULL)
		return 0;
	return fault_set(f, ENOENT,
	    "a pool without " MAX_RUNNING "; say how many of its jobs may run at once");
}

uint32_t
pool_max_running(const struct section *pool)
{
	const struct section_entry *entry = section_find(pool, MAX_RUNNING);

	return entry == NULL ? 0 : (uint32_t)strtonum(entry->value, 0, MOST, NULL);
}
