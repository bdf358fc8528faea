/*
 * wording: what the daemon says of other parameters of a call, in the words of who gave them. The daemon knows
 * parameters only, and writes their names as `name`; a command line has options, a line of a batch has fields.
 * Pure.
 */
#ifndef CLI_WORDING_H
#define CLI_WORDING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * text into out, cut to size, with each `name` that is known as "name" where has_fields, and else as the option of
 * that name. What else stands between such marks stays as it is.
 */
void wording_make(const char *text, bool has_fields, char *out, size_t size);

#endif
