/*
 * size: see size.h. Run by the server and the commands. Pure; must not look at the locale.
 */
#include "base/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "KMGT";

#define LETTER_COUNT ((int)sizeof(letters) - 1)

int
size_parse(const char *text, uint64_t *ret_bytes)
{
	uint64_t bytes = 0;
	const char *p = text, *letter;
	int shift = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (bytes > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		bytes = bytes * 10 + digit;
	}
	if (p == text)
		return -EINVAL;
	if (*p != '\0') {
		letter = strchr(letters, *p);
		if (letter == NULL || p[1] != '\0')
			return -EINVAL;
		shift = 10 * (int)(letter - letters + 1);
	}
	if (bytes > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = bytes << shift;
	return 0;
}

void
size_format(uint64_t bytes, char text[SIZE_TEXT_SIZE])
{
	int count = 0;

	while (bytes != 0 && count < LETTER_COUNT && bytes % 1024 == 0) {
		bytes /= 1024;
		count++;
	}
	snprintf(text, SIZE_TEXT_SIZE, "%" PRIu64 "%.*s", bytes, count > 0,
	    count > 0 ? &letters[count - 1] : "");
}
