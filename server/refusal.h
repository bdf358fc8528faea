/*
 * refusal: why a job never ran, from what the supervisor says of it to words. Pure. Run by the server.
 */
#ifndef SERVER_REFUSAL_H
#define SERVER_REFUSAL_H

#include "wire/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* The step that failed, as records name it: "exec", "limits" and so on. */
const char *refusal_stage(const struct wire_ended *m);

/* Whether it will pass by itself, so that the job can be tried again. */
bool refusal_is_temporary(const struct wire_ended *m);

/*
 * One sentence for people; subject is the program's name as it was given, or, if that is what failed, its
 * directory, limits what the job was to have.
 */
void refusal_describe(const struct wire_ended *m, const char *subject, const struct limits *limits,
    char *text, size_t size);

#endif
