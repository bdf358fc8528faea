/*
 * trouble: what keeps the store from working, said where a user looks: in the log once, and then at most
 * once a minute; in `spawnd status` and in each refusal as long as it lasts. Runs in the server.
 */
#ifndef SERVER_TROUBLE_H
#define SERVER_TROUBLE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct trouble {
	bool is_on;
	struct fault fault; /* names thing, fault and mend; as long as it is on */
	struct fault logged;
	uint64_t logged_ns;
	unsigned unlogged; /* how often it came again since */
	bool is_end_due;   /* its end is to be logged too */
};

/*
 * The store at path has failed with -errno `error` and those words. What is tried again without
 * anybody's doing; `effect` says what does not work meanwhile.
 */
void trouble_begin(struct trouble *t, uint64_t now_ns, const char *path, int error,
    const char *words, const char *effect);

/* It works again. */
void trouble_end(struct trouble *t);

#endif
