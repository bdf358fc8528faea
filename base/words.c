/*
 * words: see words.h. Clients and server.
 */
#include "base/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* Copies the word at *text, without its quotes, to *out, and moves both on. What is unfinished, or NULL. */
static const char *
take_word(const char **text, char **out)
{
	const char *p = *text;
	char *o = *out, quote = '\0';

	for (; *p != '\0' && (quote != '\0' || strchr(BLANKS, *p) == NULL); p++) {
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else if (*p == '\\' &&
		    (quote == '\0' || (quote == '"' && (p[1] == '"' || p[1] == '\\')))) {
			if (p[1] == '\0')
				return "a backslash at the end";
			*o++ = *++p;
		} else {
			*o++ = *p;
		}
	}
	*o++ = '\0';
	*text = p;
	*out = o;
	if (quote != '\0')
		return quote == '"' ? "a \" that is not closed" : "a ' that is not closed";
	return NULL;
}

int
words_split(const char *text, char ***ret_words, struct fault *f)
{
	size_t most = strlen(text) / 2 + 2, count = 0;
	char **words = malloc(most * sizeof(*words) + strlen(text) + 1);
	char *out;

	if (words == NULL)
		return fault_set(f, ENOMEM, "out of memory");
	out = (char *)(words + most);
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		words[count++] = out;
		const char *why = take_word(&text, &out);
		if (why != NULL) {
			free(words);
			return fault_set(f, EINVAL,
			    "%s; close each quote, and write \\\\ for a backslash", why);
		}
	}
	words[count] = NULL;
	*ret_words = words;
	return 0;
}
