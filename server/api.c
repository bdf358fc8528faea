/*
 * api: see api.h. Makes no system call.
 */
#include "server/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
api_call_init(struct api_call *call, json_t *message)
{
	json_t *parameters = json_object_get(message, "parameters");

	memset(call, 0, sizeof(*call));
	call->method = json_string_value(json_object_get(message, "method"));
	if (call->method == NULL ||
	    (parameters != NULL && !json_is_object(parameters) && !json_is_null(parameters))) {
		json_decref(message);
		return -EBADMSG;
	}
	call->message = message;
	call->parameters = json_is_object(parameters) ? parameters : NULL;
	call->is_more = json_is_true(json_object_get(message, "more"));
	call->is_oneway = json_is_true(json_object_get(message, "oneway"));
	return 0;
}

void
api_call_fini(struct api_call *call)
{
	json_decref(call->message);
	memset(call, 0, sizeof(*call));
}

static bool
are_all(const json_t *array, json_type type)
{
	size_t i;
	const json_t *value;

	if (!json_is_array(array))
		return false;
	json_array_foreach (array, i, value) {
		if (json_typeof(value) != type)
			return false;
	}
	return true;
}

static bool
is_object_of_strings(json_t *object)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return false;
	json_object_foreach (object, key, value) {
		if (!json_is_string(value))
			return false;
	}
	return true;
}

/* Stores value as the field's type. Returns NULL, or what would have been right. */
static const char *
store_field(const struct api_field *field, json_t *value, void *target)
{
	void *at = (char *)target + field->offset;

	switch (field->type) {
	case API_STRING:
		if (!json_is_string(value))
			return "a string";
		*(const char **)at = json_string_value(value);
		return NULL;
	case API_INTEGER:
		if (!json_is_integer(value))
			return "a whole number";
		/* It stands for one that was not given. */
		if (json_integer_value(value) == INT64_MIN)
			return "a whole number above the least that there is";
		*(int64_t *)at = json_integer_value(value);
		return NULL;
	case API_BOOLEAN:
		if (!json_is_boolean(value))
			return "true or false";
		*(bool *)at = json_is_true(value);
		return NULL;
	case API_STRINGS:
		if (!are_all(value, JSON_STRING))
			return "an array of strings";
		*(json_t **)at = value;
		return NULL;
	case API_NUMBERS:
		if (!are_all(value, JSON_INTEGER))
			return "an array of whole numbers";
		*(json_t **)at = value;
		return NULL;
	case API_OBJECT:
		if (!is_object_of_strings(value))
			return "an object of strings";
		*(json_t **)at = value;
		return NULL;
	case API_TYPE_COUNT:
		break;
	}
	return "known to this version";
}

static const struct api_field *
find_field(const struct api_field *fields, const char *name)
{
	for (; fields->name != NULL; fields++) {
		if (strcmp(fields->name, name) == 0)
			return fields;
	}
	return NULL;
}

const char *
api_read(const struct api_call *call, const struct api_field *fields, void *target, struct fault *f)
{
	const char *key;
	json_t *value;

	json_object_foreach (call->parameters, key, value) {
		const struct api_field *field = find_field(fields, key);
		const char *wanted;

		if (field == NULL) {
			fault_set(f, EINVAL, "%s has no parameter of this name", call->method);
			return key;
		}
		if (json_is_null(value))
			continue;
		wanted = store_field(field, value, target);
		if (wanted != NULL) {
			fault_set(f, EINVAL, "must be %s", wanted);
			return field->name;
		}
	}
	for (; fields->name != NULL; fields++) {
		value = json_object_get(call->parameters, fields->name);
		if (fields->is_required && (value == NULL || json_is_null(value))) {
			fault_set(f, EINVAL, "is missing");
			return fields->name;
		}
	}
	return NULL;
}

json_t *
api_reply(json_t *parameters, bool is_continued)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "parameters", parameters != NULL ? parameters : json_object());
	if (is_continued)
		json_object_set_new(reply, "continues", json_true());
	return reply;
}

json_t *
api_error(const char *name, json_t *parameters)
{
	json_t *reply = json_object();

	if (strchr(name, '.') != NULL)
		json_object_set_new(reply, "error", json_string(name));
	else
		json_object_set_new(reply, "error", json_sprintf("org.spawnd.%s", name));
	json_object_set_new(reply, "parameters", parameters != NULL ? parameters : json_object());
	return reply;
}
