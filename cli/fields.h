/*
 * fields: a line of a batch, an object of JSON, as the words of a command line: each option is a field,
 * with '_' for '-'. The names come from the table of options and that of limits; there is no other list.
 * Pure.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

#include "base/fault.h"

#include <jansson.h>

/* argv for options_parse_over(); allocated, and NULL-terminated. Zero-initialised is empty. */
struct fields {
	char **words;
	int count;
	int size;
};

/*
 * Fills ret_f, the caller's to fields_fini(), from the object. A field that is null or
 * false is as if it were not there. 0; -EINVAL with fault naming field, fault and mend; -ENOMEM.
 */
int fields_read(const json_t *object, struct fields *ret_f, struct fault *fault);
void fields_fini(struct fields *f);

#endif
