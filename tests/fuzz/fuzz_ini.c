/*
 * fuzz_ini: any bytes as spawnd.ini. A file is refused with at least one fault told, or taken
 * without any; what is told is one line of text; what is taken can be written and read back.
 */
#include "config/ini.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ini_origin origin;
	struct config config;
	int fault_count = 0;
	FILE *stream;

	if (size == 0)
		return 0;
	stream = fmemopen((void *)(uintptr_t)data, size, "r");
	if (stream == NULL)
		abort();
	int rc = ini_read_stream(stream, "fuzz", &config, &origin, check_fault, &fault_count);
	fclose(stream);
	if ((rc == 0) != (fault_count == 0))
		abort();
	if (rc == 0)
		check_settings(&config);
	return 0;
}
