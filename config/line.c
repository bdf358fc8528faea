/*
 * line: see line.h. Used by the INI reader.
 */
#include "config/line.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

int
line_check(const char *text, size_t len, size_t most, struct fault *f)
{
	json_t *string;

	if (memchr(text, '\0', len) != NULL)
		return fault_set(f, EINVAL, "a NUL byte; this is no text file");
	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t') {
			return fault_set(f, EINVAL,
			    "a control character (byte 0x%02x) in column %zu; remove it",
			    (unsigned)(unsigned char)text[i], i + 1);
		}
	}
	string = json_stringn(text, len);
	if (string == NULL)
		return fault_set(f, EINVAL, "not UTF-8; save the file as UTF-8");
	json_decref(string);
	if (len > most) {
		return fault_set(f, EINVAL, "a line of %zu bytes; the longest allowed has %zu", len,
		    most);
	}
	return 0;
}

size_t
line_drop_ending(char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	return len;
}

char *
line_trim(char *text)
{
	text += strspn(text, LINE_BLANKS);
	size_t len = strlen(text);
	while (len > 0 && strchr(LINE_BLANKS, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

char *
line_find_comment(char *value)
{
	for (char *p = value; *p != '\0'; p++) {
		if ((*p == ';' || *p == '#') && (p == value || strchr(LINE_BLANKS, p[-1]) != NULL))
			return p;
	}
	return NULL;
}
