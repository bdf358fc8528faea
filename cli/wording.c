/*
 * wording: see wording.h.
 */
#include "cli/wording.h"

#include "cli/option_rows.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define MARK '`'
#define NAME_SIZE 32
#define WORD_SIZE (NAME_SIZE + 32)

/* The name of len bytes as it is to be written. False: it is not known. */
static bool
make_word(const char *given, size_t len, bool has_fields, char word[WORD_SIZE])
{
	char name[NAME_SIZE];
	const char *option;
	bool is_command;

	if (len >= sizeof(name))
		return false;
	memcpy(name, given, len);
	name[len] = '\0';
	is_command = strcmp(name, "argv") == 0;
	option = option_named(name);
	if (option == NULL && !is_command)
		return false;
	if (has_fields)
		snprintf(word, WORD_SIZE, "\"%s\"", name);
	else if (is_command)
		strlcpy(word, "a command behind --", WORD_SIZE);
	else
		snprintf(word, WORD_SIZE, "--%s", option);
	return true;
}

void
wording_make(const char *text, bool has_fields, char *out, size_t size)
{
	char word[WORD_SIZE];
	const char *end;
	size_t used = 0;

	while (*text != '\0' && used + 1 < size) {
		end = *text == MARK ? strchr(text + 1, MARK) : NULL;
		if (end != NULL &&
		    make_word(text + 1, (size_t)(end - text) - 1, has_fields, word)) {
			used += strlcpy(out + used, word, size - used);
			text = end + 1;
		} else {
			out[used++] = *text++;
		}
	}
	out[used < size ? used : size - 1] = '\0';
}
