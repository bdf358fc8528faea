/*
 * inside: see inside.h.
 */
#include "cli/inside.h"

#include <bsd/stdlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

json_t *
inside_job(void)
{
	const char *text = getenv("SPAWND_JOB"), *fault = NULL;
	long long number = text == NULL ? 0 : strtonum(text, 1, INT64_MAX, &fault);

	return text == NULL || fault != NULL ? NULL : json_integer(number);
}

json_t *
inside_parent_job(const char *parent)
{
	const char *child = getenv("SPAWND_CHILD");

	return parent == NULL || child == NULL || strcmp(parent, child) != 0 ? NULL : inside_job();
}
