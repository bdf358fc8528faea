/*
 * quote: see quote.h. Any process. Pure; independent of the locale.
 */
#include "base/quote.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Room for the longest that one step adds, and for the dots. */
#define STEP_MAX 4
#define DOTS "..."

/* How many bytes follow the first of a character in UTF-8, -1 if it is none; RFC 3629. */
static int
count_following(unsigned char first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* Whether the second byte makes the character too long for what it says, a surrogate, or too large. */
static bool
is_wrong_second(unsigned char first, unsigned char second)
{
	return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ||
	    (first == 0xc2 && second < 0xa0); /* control characters too */
}

/* How many bytes the character at p has that can be shown; 0: it cannot. */
static size_t
count_shown(const unsigned char *p)
{
	int following = count_following(p[0]);

	if (p[0] >= ' ' && p[0] < 0x7f)
		return 1;
	if (following < 0 || is_wrong_second(p[0], p[1]))
		return 0;
	for (int i = 1; i <= following; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return (size_t)following + 1;
}

static size_t
escape(char *out, unsigned char byte)
{
	if (byte == '\n' || byte == '\t') {
		out[0] = '\\';
		out[1] = byte == '\n' ? 'n' : 't';
		return 2;
	}
	return (size_t)snprintf(out, STEP_MAX + 1, "\\x%02x", byte);
}

const char *
quote_text(char out[QUOTE_SIZE], const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0, shown;

	while (*p != '\0' && used + STEP_MAX + sizeof(DOTS) <= QUOTE_SIZE) {
		shown = count_shown(p);
		if (shown > 0)
			memcpy(out + used, p, shown);
		used += shown > 0 ? shown : escape(out + used, *p);
		p += shown > 0 ? shown : 1;
	}
	snprintf(out + used, sizeof(DOTS), "%s", *p != '\0' ? DOTS : "");
	return out;
}
