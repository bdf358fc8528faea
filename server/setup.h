/*
 * setup: what the supervisor tells a server on its command line, supervisor/keeper.h: whether it is the
 * first, and how the one before it ended.
 */
#ifndef SERVER_SETUP_H
#define SERVER_SETUP_H

#include <stdbool.h>
#include <stddef.h>

struct server_setup {
	bool is_first;     /* none of this daemon has served yet */
	bool is_in_doubt;  /* the store is to be checked before it is used */
	bool is_to_wait;   /* and is not to be opened at once: those before died of something */
	bool is_damaged;   /* thoroughly: the one before has met damage */
	unsigned deaths;   /* young ones in a row, if they are many; else 0 */
	char last_end[64]; /* "was killed by signal 11" */
};

/* From the words behind `spawnd server`: none, or MODE LAST_END DEATHS. 0 or -EINVAL. */
int setup_parse(char *const *words, size_t count, struct server_setup *ret_setup);

#endif
