/*
 * api: JSON <-> structs, only that: calls, replies and errors of Varlink (varlink.org,
 * "Protocol"), and the parameters of each method by a const table. Pure. Runs in the server.
 */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "base/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A call as it came. Its strings live as long as message. */
struct api_call {
	json_t *message; /* owned */
	const char *method;
	json_t *parameters; /* an object, or NULL */
	bool is_more;
	bool is_oneway;
};

/*
 * Takes message over. Returns 0, or -EBADMSG where it is no call of Varlink (message is released
 * then).
 */
int api_call_init(struct api_call *call, json_t *message);
void api_call_fini(struct api_call *call);

enum api_type {
	API_STRING,  /* const char *, NULL if not given */
	API_INTEGER, /* int64_t, left as it was if not given */
	API_BOOLEAN, /* bool, left as it was if not given */
	API_STRINGS, /* json_t *: an array of strings, or NULL */
	API_NUMBERS, /* json_t *: an array of integers, or NULL */
	API_OBJECT,  /* json_t *: an object of strings, or NULL */
	API_TYPE_COUNT
};

/* One parameter of a method. null stands for "not given". */
struct api_field {
	const char *name; /* NULL ends a table */
	enum api_type type;
	size_t offset;
	bool is_required;
};

/*
 * Fills the struct at target as fields say. Borrowed from the call. Returns NULL, or the name of
 * the first parameter that is unknown, missing or of another type, with f saying which.
 */
const char *api_read(const struct api_call *call, const struct api_field *fields, void *target,
    struct fault *f);

/* {"parameters":...}, with continues where more will come. Takes parameters over (NULL: none). */
json_t *api_reply(json_t *parameters, bool is_continued);

/* {"error":"org.spawnd.NAME","parameters":...}; a name with a dot stands as it is. */
json_t *api_error(const char *name, json_t *parameters);

#endif
