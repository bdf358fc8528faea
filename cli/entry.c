/*
 * entry: see entry.h.
 */
#include "cli/entry.h"

#include "base/quote.h"
#include "cli/fields.h"
#include "cli/request.h"

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TOKEN_SIZE 33

/* The same for the same line of the same batch: the name, the line's number, its bytes. */
static void
make_token(const char *batch, int64_t line, const char *text, size_t len, char token[TOKEN_SIZE])
{
	char number[32], hex[SHA256_DIGEST_STRING_LENGTH];
	SHA2_CTX sha256;

	snprintf(number, sizeof(number), "%" PRId64, line);
	SHA256Init(&sha256);
	SHA256Update(&sha256, (const uint8_t *)batch, strlen(batch) + 1);
	SHA256Update(&sha256, (const uint8_t *)number, strlen(number) + 1);
	SHA256Update(&sha256, (const uint8_t *)text, len);
	strlcpy(token, SHA256End(&sha256, hex), TOKEN_SIZE);
}

static int
make_call(const struct entries *e, const struct fields *f, json_t **ret_parameters, int *ret_fd)
{
	struct options o;
	int code = EX_DATAERR;

	if (options_parse_over(&o, &e->base, &e->command, f->count, f->words) < 0)
		return code;
	if (request_check(&o) == 0)
		code = request_make(&o, ret_parameters, ret_fd);
	options_fini(&o);
	return code == 0 || code == EX_OSERR ? code : EX_DATAERR;
}

static int
read_object(const struct entries *e, const json_t *object, json_t **ret_parameters, int *ret_fd)
{
	struct fields f = {NULL, 0, 0};
	struct fault fault;
	int code = EX_DATAERR, r = fields_read(object, &f, &fault);

	if (r == -ENOMEM)
		errx(EX_OSERR, "out of memory");
	if (r < 0)
		warnx("%s", fault.text);
	else
		code = make_call(e, &f, ret_parameters, ret_fd);
	fields_fini(&f);
	return code;
}

int
entry_read(const struct entries *e, int64_t number, const char *text, size_t len,
    json_t **ret_parameters, int *ret_fd)
{
	json_error_t error;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	char token[TOKEN_SIZE];
	int code = EX_DATAERR;

	if (json_is_object(object))
		code = read_object(e, object, ret_parameters, ret_fd);
	else
		warnx("no object of JSON: %s",
		    object == NULL ? QUOTE(error.text) : "an array, where {...} is wanted");
	json_decref(object);
	if (code == 0 && e->token != NULL) {
		make_token(e->token, number, text, len, token);
		json_object_set_new(*ret_parameters, "token", json_string(token));
	}
	return code;
}

void
entries_init(struct entries *e, const struct options *o)
{
	*e = (struct entries){.base = *o, .command = *o->command, .token = o->value[OPTION_TOKEN]};
	e->base.value[OPTION_BATCH] = e->base.value[OPTION_FROM_LINE] = NULL;
	e->base.value[OPTION_TOKEN] = NULL;
	e->command.bit = COMMAND_LINE;
}
