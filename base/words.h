/*
 * words: a line of text split into the words of a command, with a shell's quotes but nothing else that a
 * shell does. Pure but for allocation.
 *
 * Blanks separate words. '...' keeps everything as it is; in "..." a backslash keeps the '"' or '\' behind it;
 * outside of quotes it keeps whatever is behind it. No other character means anything: nothing is
 * replaced, expanded or executed. wordexp(3) cannot leave out variables and patterns, libiberty's
 * buildargv() takes an unfinished quote for a finished one, and popt's parser drops empty words.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/fault.h"

/*
 * *ret_words is NULL-terminated and one allocation, the caller's to free(3). 0; -ENOMEM; or -EINVAL with f
 * saying why the text cannot be split.
 */
int words_split(const char *text, char ***ret_words, struct fault *f);

#endif
