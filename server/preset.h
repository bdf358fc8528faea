/*
 * preset: what a job has from its profile, as that is when the job is enqueued. Runs in the server.
 */
#ifndef SERVER_PRESET_H
#define SERVER_PRESET_H

#include "config/section.h"
#include "server/call.h"

#include <stdbool.h>

/* What may be given in place of the profile's. */
struct preset_given {
	const char *profile, *model; /* or NULL */
};

struct preset {
	struct sections *sections;     /* those in force when the call came; NULL: none */
	const struct section *profile; /* or NULL */
	const char *model, *disabled_tools;
	int policy; /* enum policy; -1: it says nothing */
};

/*
 * Fills p, whose strings are g's or live as long as p. False where it has answered the call, because there is
 * no such profile, or because of the model. In any case the caller must preset_fini().
 */
bool preset_read(struct call *call, const struct preset_given *g, struct preset *p);
void preset_fini(struct preset *p);

#endif
