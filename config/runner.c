/*
 * runner: see runner.h. Used by the server and by `config`.
 */
#include "config/runner.h"

#include "base/id.h"
#include "base/words.h"

#include <bsd/string.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND "command"
#define GIVEN "%a" /* a word that stands for the whole command that was given */
#define NUMBER_SIZE 24

enum {
	PATTERN_CHILD,
	PATTERN_PARENT,
	PATTERN_MODEL,
	PATTERN_PROFILE,
	PATTERN_COUNT
};

static const char *const keys[] = {
    [PATTERN_CHILD] = "match_child",
    [PATTERN_PARENT] = "match_parent",
    [PATTERN_MODEL] = "match_model",
    [PATTERN_PROFILE] = "match_profile",
    [PATTERN_COUNT] = COMMAND,
    NULL,
};

const char *
runner_key(size_t number)
{
	return number <= PATTERN_COUNT ? keys[number] : NULL;
}

/* What of a word can be replaced, with `%` before it. 0, or -EINVAL with f filled. */
static int
check_word(const char *word, struct fault *f)
{
	if (strcmp(word, GIVEN) == 0)
		return 0;
	for (const char *p = strchr(word, '%'); p != NULL; p = strchr(p + 2, '%')) {
		if (p[1] == 'a')
			return fault_set(f, EINVAL,
			    "%%a within a word; it stands for several, write it by itself");
		if (p[1] == '\0')
			return fault_set(f, EINVAL, "%% at the end of a word; write %%%% for one");
		if (strchr("cpmj%", p[1]) == NULL)
			return fault_set(f, EINVAL,
			    "unknown %%%.1s; there are %%c child, %%p parent, %%m model, %%j job, "
			    "%%a the command that was given, and %%%% for a percent sign",
			    (unsigned char)p[1] < 0x80 ? p + 1 : "");
	}
	return 0;
}

static int
check_command(const char *value, struct fault *f)
{
	char **words;
	int r = words_split(value, &words, f);

	if (r < 0)
		return r;
	if (words[0] == NULL || words[0][0] == '\0')
		r = fault_set(f, EINVAL, "no program; write its name or path first");
	for (size_t i = 0; r == 0 && words[i] != NULL; i++)
		r = check_word(words[i], f);
	free(words);
	return r;
}

/*
 * The end of a bracket expression (glob(7)) behind its '['; NULL if there is none: fnmatch(3) takes the '[' for itself
 * then, which nobody has meant.
 */
static const char *
end_of_bracket(const char *p)
{
	p += *p == '!' || *p == '^';
	p += *p == ']';
	for (; *p != '\0' && *p != ']'; p++) {
		const char *end;
		char closing[3] = {p[0] == '[' ? p[1] : '\0', ']', '\0'};

		if (p[0] == '\\' && p[1] != '\0')
			p++;
		if (closing[0] == '\0' || strchr(":.=", closing[0]) == NULL)
			continue;
		end = strstr(p + 2, closing);
		if (end != NULL)
			p = end + 1;
	}
	return *p == ']' ? p : NULL;
}

static int
check_pattern(const char *value, struct fault *f)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '[')
			p = end_of_bracket(p + 1);
		else if (*p == '\\')
			p++;
		if (p == NULL)
			return fault_set(f, EINVAL,
			    "a '[' without a ']' behind it; add that, or write \\[ for the character itself");
		if (*p == '\0')
			return fault_set(f, EINVAL,
			    "a '\\' at the end, which matches nothing; write \\\\ for one");
	}
	return 0;
}

int
runner_check(const char *key, const char *value, struct fault *f)
{
	if (strcmp(key, COMMAND) == 0)
		return check_command(value, f);
	for (size_t i = 0; i < PATTERN_COUNT; i++) {
		if (strcmp(key, keys[i]) == 0)
			return check_pattern(value, f);
	}
	return -ENOENT;
}

/* The words of a command that was checked; NULL if memory is short. */
static char **
split_command(const struct section *runner)
{
	const struct section_entry *command = section_find(runner, COMMAND);
	char **words;

	return command != NULL && words_split(command->value, &words, NULL) == 0 ? words : NULL;
}

static bool
has_place(const struct section *runner)
{
	char **words = split_command(runner);
	bool has = false;

	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		has = has || strcmp(words[i], GIVEN) == 0;
	free(words);
	return has;
}

static bool
is_match(const struct section *runner, int pattern, const char *text)
{
	const struct section_entry *entry = section_find(runner, keys[pattern]);

	return entry == NULL || fnmatch(entry->value, text != NULL ? text : "", 0) == 0;
}

const struct section *
runner_find(const struct sections *s, const struct runner_job *j)
{
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		const struct section *r = s->items[i];

		if (r->kind == SECTION_RUNNER && is_match(r, PATTERN_CHILD, j->child) &&
		    is_match(r, PATTERN_PARENT, j->parent) &&
		    is_match(r, PATTERN_MODEL, j->model) &&
		    is_match(r, PATTERN_PROFILE, j->profile) &&
		    (j->argv[0] == NULL || has_place(r)))
			return r;
	}
	return NULL;
}

bool
runner_names_job(const struct section *runner)
{
	const struct section_entry *command = section_find(runner, COMMAND);

	/* %%j is none, but costs no more than a look. */
	return command != NULL && strstr(command->value, "%j") != NULL;
}

/* What stands for the letter behind a '%'. */
static const char *
replacement(char letter, const struct runner_job *j, const char *number)
{
	switch (letter) {
	case 'c':
		return j->child;
	case 'p':
		return j->parent;
	case 'm':
		return j->model != NULL ? j->model : "";
	case 'j':
		return number;
	default:
		return "%";
	}
}

/* The word with all replaced, to out if that is not NULL. Returns its length with its NUL. */
static size_t
expand_word(const char *word, const struct runner_job *j, const char *number, char *out)
{
	size_t len = 0;

	for (; *word != '\0'; word++) {
		const char *text = word[0] == '%' ? replacement(*++word, j, number) : word;
		size_t n = text == word ? 1 : strlen(text);

		if (out != NULL)
			memcpy(out + len, text, n);
		len += n;
	}
	if (out != NULL)
		out[len] = '\0';
	return len + 1;
}

int
runner_expand(const struct section *runner, const struct runner_job *j, char ***ret_argv)
{
	size_t count = 0, given = 0, bytes = 0, n = 0;
	char number[NUMBER_SIZE], *out, **argv, **words = split_command(runner);

	if (words == NULL)
		return -ENOMEM;
	snprintf(number, sizeof(number), "%" PRId64, j->job);
	while (j->argv[given] != NULL)
		given++;
	for (size_t i = 0; words[i] != NULL; i++) {
		bool is_given = strcmp(words[i], GIVEN) == 0;

		count += is_given ? given : 1;
		bytes += is_given ? 0 : expand_word(words[i], j, number, NULL);
	}
	argv = malloc((count + 1) * sizeof(*argv) + bytes);
	for (size_t i = 0; argv != NULL && words[i] != NULL; i++) {
		if (i == 0)
			out = (char *)(argv + count + 1);
		if (strcmp(words[i], GIVEN) == 0) {
			memcpy(argv + n, j->argv, given * sizeof(*argv));
			n += given;
		} else {
			argv[n++] = out;
			out += expand_word(words[i], j, number, out);
		}
	}
	free(words);
	if (argv == NULL)
		return -ENOMEM;
	argv[n] = NULL;
	*ret_argv = argv;
	return 0;
}

/* Whether the pattern has nothing in it but itself to match. */
static bool
is_literal(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") == NULL;
}

/* Whether it is certain that the earlier pattern matches all that the later one does; NULL: no pattern. */
static bool
covers(const struct section_entry *earlier, const struct section_entry *later)
{
	if (earlier == NULL || strspn(earlier->value, "*") == strlen(earlier->value))
		return true;
	if (later == NULL)
		return false;
	return strcmp(earlier->value, later->value) == 0 ||
	    (is_literal(later->value) && fnmatch(earlier->value, later->value, 0) == 0);
}

/* An earlier runner that takes all that this one could, or NULL. */
static const struct section *
find_shadow(const struct sections *s, const struct section *runner)
{
	for (size_t i = 0; i < s->count && s->items[i] != runner; i++) {
		const struct section *e = s->items[i];
		bool is_shadow = e->kind == SECTION_RUNNER && section_find(e, COMMAND) != NULL &&
		    (has_place(e) || !has_place(runner));

		for (int p = 0; is_shadow && p < PATTERN_COUNT; p++)
			is_shadow = covers(section_find(e, keys[p]), section_find(runner, keys[p]));
		if (is_shadow)
			return e;
	}
	return NULL;
}

/* Whether a job can have a profile, or none, of which the pattern knows. */
static bool
is_profile_there(const struct sections *s, const char *pattern)
{
	bool is_there = fnmatch(pattern, "", 0) == 0;

	for (size_t i = 0; !is_there && i < s->count; i++)
		is_there = s->items[i]->kind == SECTION_PROFILE &&
		    fnmatch(pattern, s->items[i]->name, 0) == 0;
	return is_there;
}

static int
check_patterns(const struct sections *s, const struct section *runner,
    const struct section_entry **ret_entry, struct fault *f)
{
	char names[256];

	for (int p = PATTERN_CHILD; p <= PATTERN_PARENT; p++) {
		const struct section_entry *entry = section_find(runner, keys[p]);
		const char *fault =
		    entry != NULL && is_literal(entry->value) ? id_fault(entry->value) : NULL;

		*ret_entry = entry;
		if (fault != NULL)
			return fault_set(f, EINVAL, "no id is like that: %s", fault);
	}
	*ret_entry = section_find(runner, keys[PATTERN_PROFILE]);
	if (*ret_entry == NULL || is_profile_there(s, (*ret_entry)->value))
		return 0;
	sections_list(s, SECTION_PROFILE, names, sizeof(names));
	return fault_set(f, EINVAL, "no profile is called that; there are %s",
	    names[0] != '\0' ? names : "none");
}

int
runner_check_use(const struct sections *s, const struct section *runner,
    const struct section_entry **ret_entry, struct fault *f)
{
	const struct section *shadow;
	int r;

	*ret_entry = NULL;
	if (section_find(runner, COMMAND) == NULL)
		return fault_set(f, ENOENT, "no command; write command = PROGRAM ARGUMENT...");
	r = check_patterns(s, runner, ret_entry, f);
	if (r < 0)
		return r;
	*ret_entry = NULL;
	shadow = find_shadow(s, runner);
	if (shadow == NULL)
		return 0;
	return fault_set(f, EINVAL,
	    "it can never match: [runner %s] in line %d comes first and matches whatever this one "
	    "would; put the narrower one before it",
	    shadow->name, shadow->line);
}

static void
add_patterns(const struct section *runner, char *text, size_t size)
{
	const char *before = " (";

	for (int p = 0; p < PATTERN_COUNT; p++) {
		const struct section_entry *entry = section_find(runner, keys[p]);

		if (entry == NULL)
			continue;
		strlcat(text, before, size);
		strlcat(text, entry->key, size);
		strlcat(text, " = ", size);
		strlcat(text, entry->value, size);
		before = ", ";
	}
	if (before[0] == ',')
		strlcat(text, ")", size);
}

void
runner_list(const struct sections *s, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		if (s->items[i]->kind != SECTION_RUNNER)
			continue;
		if (text[0] != '\0')
			strlcat(text, ", ", size);
		strlcat(text, s->items[i]->name, size);
		add_patterns(s->items[i], text, size);
	}
}
