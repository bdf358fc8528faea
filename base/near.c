/*
 * near: see near.h. Makes no system call.
 */
#include "base/near.h"

#include <ctype.h>
#include <string.h>

size_t
near_distance(const char *given, const char *known)
{
	size_t above[NEAR_NAME_SIZE], row[NEAR_NAME_SIZE], len = strnlen(known, NEAR_NAME_SIZE - 1);

	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (size_t i = 1; given[i - 1] != '\0'; i++) {
		int letter = given[i - 1] == '-' ? '_' : tolower((unsigned char)given[i - 1]);

		memcpy(above, row, sizeof(row));
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = above[j - 1] + (letter != known[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

size_t
near_limit(const char *given)
{
	return strlen(given) < 5 ? 2 : 3;
}
