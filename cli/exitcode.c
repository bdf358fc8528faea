/*
 * exitcode: completion record -> exit code. Run by `run` and `wait`. Pure: no system call.
 */
#include "cli/exitcode.h"

#include "base/signame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool
is_text(const json_t *record, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(record, key));

	return value != NULL && strcmp(value, text) == 0;
}

static int
exitcode_of_start(const json_t *record)
{
	if (!is_text(record, "stage", "exec"))
		return EXIT_OWN;
	if (is_text(record, "errno", "ENOENT") || is_text(record, "errno", "ENOTDIR") ||
	    is_text(record, "errno", "ELOOP"))
		return EXIT_NOT_FOUND;
	return EXIT_NOT_EXECUTABLE;
}

static int
exitcode_of_end(const json_t *record)
{
	const json_t *code = json_object_get(record, "exit_code");
	const char *name = json_string_value(json_object_get(record, "signal"));
	int signo;

	if (json_is_integer(code) && json_integer_value(code) > 0 && json_integer_value(code) < 256)
		return (int)json_integer_value(code);
	signo = name != NULL ? signame_parse(name) : -1;
	return signo > 0 ? 128 + signo : EXIT_OWN;
}

int
exitcode_of_record(const json_t *record)
{
	if (is_text(record, "status", "completed"))
		return EXIT_SUCCESS;
	if (is_text(record, "status", "timeout"))
		return EXIT_TIMEOUT;
	if (is_text(record, "status", "cancelled") || is_text(record, "status", "skipped") ||
	    is_text(record, "status", "lost"))
		return EXIT_NOT_RUN;
	if (!is_text(record, "status", "error"))
		return EXIT_OWN;
	if (json_is_true(json_object_get(record, "ran")))
		return exitcode_of_end(record);
	return exitcode_of_start(record);
}
