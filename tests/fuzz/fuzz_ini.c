/*
 * fuzz_ini: any bytes as spawnd.ini. A file is refused with at least one fault told, or taken
 * without any; what is told is one line of text; what is taken can be written and read back.
 */
#include "config/ini.h"
#include "config/profile.h"
#include "config/runner.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fault(void *arg, const struct ini_fault *fault)
{
	const char *text = fault->text;
	(*(int *)arg)++;
	for (; *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text) && *text != '\t')
			abort();
	}
}

static void
check_settings(const struct config *c)
{
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		struct config again = *c;
		char text[128];
		config_format(c, row, text, sizeof(text));
		if (config_set(&again, row, text, NULL) != 0 ||
		    memcmp(&again, c, sizeof(again)) != 0)
			abort();
	}
}

/* What was taken can be looked through to its end, and each command be made. */
static void
check_sections(const struct sections *s)
{
	char *argv[] = {NULL};
	const struct runner_job job = {"c", "p", "m", NULL, 1, argv};
	struct limits l;
	char **words;

	limits_default(&l);
	for (size_t i = 0; i < s->count; i++) {
		const struct section *section = s->items[i];
		size_t n = 0;

		if (section->kind == SECTION_PROFILE) {
			profile_limits(s, section, &l);
			while (profile_variable(s, section, n, NULL) != NULL)
				n++;
		} else {
			if (runner_expand(section, &job, &words) != 0)
				abort();
			free(words);
		}
	}
	runner_find(s, &job);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sections *sections = NULL;
	struct ini_origin origin;
	struct config config;
	int fault_count = 0;
	FILE *stream;

	if (size == 0)
		return 0;
	stream = fmemopen((void *)(uintptr_t)data, size, "r");
	if (stream == NULL)
		abort();
	int rc =
	    ini_read_stream(stream, "fuzz", &config, &origin, &sections, check_fault, &fault_count);
	fclose(stream);
	if ((rc == 0) != (fault_count == 0))
		abort();
	if ((rc == 0) != (sections != NULL))
		abort();
	if (rc == 0) {
		check_settings(&config);
		check_sections(sections);
	}
	sections_unref(sections);
	return 0;
}
