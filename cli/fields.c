/*
 * fields: see fields.h. Makes no system call.
 */
#include "cli/fields.h"

#include "base/near.h"
#include "base/quote.h"
#include "cli/option_rows.h"
#include "config/config.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_FIELD "argv"
#define NAME_SIZE NEAR_NAME_SIZE

/* What a field may be. */
struct kind {
	char name[NAME_SIZE]; /* of the option, without dashes */
	bool is_switch;
	bool is_pairs; /* K=V */
	bool is_list;  /* words with commas between */
};

/* Fields are counted: the command, the options, the limits. Whether there is one of that number. */
static bool
name_field(size_t number, char field[NAME_SIZE])
{
	const struct config_row *limit;

	if (number > OPTION_COUNT) {
		limit = config_limit(number - OPTION_COUNT - 1);
		if (limit != NULL)
			strlcpy(field, limit->key, NAME_SIZE);
		return limit != NULL;
	}
	strlcpy(field, number == 0 ? COMMAND_FIELD : option_row((enum option_id)(number - 1))->name,
	    NAME_SIZE);
	/* One that is no field has no name. */
	if (number > 0 && !(option_row((enum option_id)(number - 1))->commands & COMMAND_LINE))
		field[0] = '\0';
	for (char *c = field; *c != '\0'; c++) {
		if (*c == '-')
			*c = '_';
	}
	return true;
}

static int
refuse_unknown(const char *given, struct fault *fault)
{
	size_t least = near_limit(given), d;
	char field[NAME_SIZE], found[NAME_SIZE] = "";

	for (size_t i = 0; name_field(i, field); i++) {
		d = field[0] != '\0' ? near_distance(given, field) : least;
		if (d < least) {
			least = d;
			strlcpy(found, field, sizeof(found));
		}
	}
	if (found[0] != '\0')
		return fault_set(fault, EINVAL, "unknown field '%s'; did you mean %s?",
		    QUOTE(given), found);
	return fault_set(fault, EINVAL,
	    "unknown field '%s'; fields are argv and the options of enqueue for one job, with _ for -",
	    QUOTE(given));
}

/* 0, or -EINVAL with fault filled. */
static int
find_kind(const char *given, struct kind *ret_kind, struct fault *fault)
{
	const struct option_row *row;
	char field[NAME_SIZE];
	size_t i = 1;

	while (name_field(i, field) && (field[0] == '\0' || strcmp(field, given) != 0))
		i++;
	if (!name_field(i, field))
		return refuse_unknown(given, fault);
	*ret_kind = (struct kind){.is_switch = false};
	strlcpy(ret_kind->name, field, sizeof(ret_kind->name));
	for (char *c = ret_kind->name; *c != '\0'; c++) {
		if (*c == '_')
			*c = '-';
	}
	if (i > OPTION_COUNT) {
		ret_kind->is_list = config_limit(i - OPTION_COUNT - 1)->type == CONFIG_SET;
		return 0;
	}
	row = option_row((enum option_id)(i - 1));
	ret_kind->is_switch = row->argument == NULL;
	ret_kind->is_pairs = row->argument != NULL && strcmp(row->argument, "K=V") == 0;
	ret_kind->is_list = row->argument != NULL &&
	    (strcmp(row->argument, "LIST") == 0 || strchr(row->argument, ',') != NULL);
	return 0;
}

/* Takes the word, which is allocated; NULL: there was no memory for it. */
static int
add(struct fields *f, char *word)
{
	char **more;

	if (word != NULL && f->count + 1 >= f->size) {
		more = reallocarray(f->words, (size_t)f->size + 32, sizeof(*f->words));
		if (more != NULL) {
			f->words = more;
			f->size += 32;
		} else {
			free(word);
			word = NULL;
		}
	}
	if (word == NULL)
		return -ENOMEM;
	f->words[f->count++] = word;
	f->words[f->count] = NULL;
	return 0;
}

static int add_format(struct fields *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
add_format(struct fields *f, const char *format, ...)
{
	char *word = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&word, format, args);
	va_end(args);
	return add(f, n < 0 ? NULL : word);
}

/* A string as it is, a number as it is written: allocated. NULL: it is neither, or no memory. */
static char *
text_of(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
				     : NULL;
}

static bool
has_text(const json_t *value)
{
	return json_is_string(value) || json_is_number(value);
}

/* The elements with commas between. 0, -EINVAL or -ENOMEM. */
static int
join(const json_t *array, char **ret_text)
{
	char *joined = strdup(""), *longer, *text;
	const json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		text = text_of(value);
		longer = NULL;
		if (joined == NULL || text == NULL ||
		    asprintf(&longer, "%s%s%s", joined, i > 0 ? "," : "", text) < 0)
			longer = NULL;
		free(text);
		free(joined);
		joined = longer;
		if (joined == NULL)
			return has_text(value) ? -ENOMEM : -EINVAL;
	}
	*ret_text = joined;
	return joined == NULL ? -ENOMEM : 0;
}

static int
add_value(struct fields *f, const struct kind *k, const json_t *value, struct fault *fault)
{
	char *text = NULL;
	int r = 0;

	if (k->is_list && json_is_array(value))
		r = join(value, &text);
	else if (has_text(value))
		text = text_of(value);
	else
		r = -EINVAL;
	if (r == -EINVAL)
		return fault_set(fault, EINVAL,
		    k->is_list ? "must be a string or a number, or an array of these"
			       : "must be a string or a number");
	if (r == 0 && text == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = add_format(f, "--%s=%s", k->name, text);
	free(text);
	return r;
}

static int
add_pairs(struct fields *f, const struct kind *k, const json_t *value, struct fault *fault)
{
	const char *name;
	json_t *item;
	char *text;
	int r = 0;

	if (!json_is_object(value))
		return fault_set(fault, EINVAL, "must be an object, {\"NAME\":\"value\"}");
	json_object_foreach ((json_t *)(uintptr_t)value, name, item) {
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			return fault_set(fault, EINVAL, "'%s': a name that is empty or has a '='",
			    QUOTE(name));
		if (!has_text(item))
			return fault_set(fault, EINVAL, "'%s': must be a string or a number",
			    QUOTE(name));
		text = text_of(item);
		r = text == NULL ? -ENOMEM : add_format(f, "--%s=%s=%s", k->name, name, text);
		free(text);
		if (r < 0)
			return r;
	}
	return r;
}

static int
add_switch(struct fields *f, const struct kind *k, const json_t *value, struct fault *fault)
{
	if (!json_is_boolean(value))
		return fault_set(fault, EINVAL, "must be true or false");
	return add_format(f, "--%s", k->name);
}

static bool
is_missing(const json_t *value)
{
	return json_is_null(value) || json_is_false(value);
}

/* The command behind its "--". */
static int
add_command(struct fields *f, const json_t *argv, struct fault *fault)
{
	const json_t *value;
	size_t i;
	int r = add(f, strdup("--"));

	if (r == 0 && argv != NULL && !json_is_array(argv))
		r = fault_set(fault, EINVAL, COMMAND_FIELD ": must be an array of strings");
	for (i = 0; r == 0 && i < json_array_size(argv); i++) {
		value = json_array_get(argv, i);
		if (json_is_string(value))
			r = add(f, strdup(json_string_value(value)));
		else
			r = fault_set(fault, EINVAL, COMMAND_FIELD ": must be an array of strings");
	}
	return r;
}

static int
add_field(struct fields *f, const char *field, const json_t *value, struct fault *fault)
{
	struct fault why = {""};
	struct kind k;
	int r = find_kind(field, &k, fault);

	if (r < 0 || is_missing(value))
		return r;
	if (k.is_switch)
		r = add_switch(f, &k, value, &why);
	else if (k.is_pairs)
		r = add_pairs(f, &k, value, &why);
	else
		r = add_value(f, &k, value, &why);
	return r == -EINVAL ? fault_set(fault, EINVAL, "%s: %s", field, why.text) : r;
}

int
fields_read(const json_t *object, struct fields *ret_f, struct fault *fault)
{
	struct fields f = {NULL, 0, 0};
	const json_t *argv = json_object_get(object, COMMAND_FIELD);
	const char *field;
	json_t *value;
	int r = add(&f, strdup("enqueue"));

	json_object_foreach ((json_t *)(uintptr_t)object, field, value) {
		if (r == 0 && strcmp(field, COMMAND_FIELD) != 0)
			r = add_field(&f, field, value, fault);
	}
	if (r == 0)
		r = add_command(&f, is_missing(argv) ? NULL : argv, fault);
	if (r < 0)
		fields_fini(&f);
	else
		*ret_f = f;
	return r;
}

void
fields_fini(struct fields *f)
{
	for (int i = 0; i < f->count; i++)
		free(f->words[i]);
	free(f->words);
	*f = (struct fields){NULL, 0, 0};
}
