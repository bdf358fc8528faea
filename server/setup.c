/*
 * setup: see setup.h. Pure.
 */
#include "server/setup.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

int
setup_parse(char *const *words, size_t count, struct server_setup *ret_setup)
{
	struct server_setup setup = {.is_first = true};
	const char *fault = NULL;

	if (count != 0 && count != 3)
		return -EINVAL;
	if (count == 3) {
		setup.is_first = strcmp(words[0], "first") == 0;
		setup.is_damaged = strcmp(words[0], "damaged") == 0;
		setup.is_to_wait = strcmp(words[0], "wait") == 0;
		setup.is_in_doubt =
		    setup.is_damaged || setup.is_to_wait || strcmp(words[0], "check") == 0;
		if (!setup.is_first && !setup.is_in_doubt && strcmp(words[0], "again") != 0)
			return -EINVAL;
		strlcpy(setup.last_end, words[1], sizeof(setup.last_end));
		setup.deaths = (unsigned)strtonum(words[2], 0, INT_MAX, &fault);
		if (fault != NULL)
			return -EINVAL;
	}
	*ret_setup = setup;
	return 0;
}
