/*
 * line: what a line of spawnd.ini is made of, before anybody asks what it means. Pure.
 */
#ifndef CONFIG_LINE_H
#define CONFIG_LINE_H

#include "base/fault.h"

#include <stddef.h>

#define LINE_BLANKS " \t"

/* Whether the bytes are one line of UTF-8 text, at most `most` of them. 0, or -EINVAL with f saying why not. */
int line_check(const char *text, size_t len, size_t most, struct fault *f);

/* Drops the line's end, LF or CRLF. Returns how many bytes are left. */
size_t line_drop_ending(char *text, size_t len);

/* Cuts blanks off both ends of a string, in place. Returns its new beginning. */
char *line_trim(char *text);

/* Where a comment begins that somebody may have meant in a value, or NULL. */
char *line_find_comment(char *value);

#endif
