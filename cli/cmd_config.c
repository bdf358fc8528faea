/*
 * spawnd config check | show: reads the configuration as the daemon would. Asks no daemon.
 */
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/id.h"
#include "base/path.h"
#include "config/ini.h"
#include "config/profile.h"

#include <bsd/string.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Fits every value as config_format() writes it. */
#define VALUE_SIZE 128

/* And every value of a section that carries a name: a line of the file. */
#define LONG_SIZE 1024

#define ORIGIN_SIZE (PATH_MAX + ID_SIZE + 32)

static void
tell_fault(void *arg, const struct ini_fault *fault)
{
	(void)arg;
	fprintf(stderr, "%s\n", fault->text);
}

/* Null for what is not there, or cannot be said in JSON: a path is any bytes. */
static json_t *
text_or_null(const char *text)
{
	json_t *string = text[0] != '\0' ? json_string(text) : NULL;

	return string != NULL ? string : json_null();
}

static void
add_fault(void *arg, const struct ini_fault *fault)
{
	json_t *line = fault->line > 0 ? json_integer(fault->line) : json_null();

	json_array_append_new(arg,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "file", text_or_null(fault->file), "line",
		line, "section", text_or_null(fault->section), "key", text_or_null(fault->key),
		"value", text_or_null(fault->value), "message", text_or_null(fault->message)));
}

/* For programs: the same document, whether there are faults or none. */
static int
check_for_programs(const char *path, bool is_there)
{
	struct config config;
	struct ini_origin origin;
	json_t *faults = json_array();
	int r = ini_read(path, &config, &origin, NULL, add_fault, faults);
	json_t *document = json_pack("{s:o, s:b, s:o}", "file", text_or_null(path), "is_there",
	    is_there, "faults", faults);

	if (document == NULL)
		errx(EX_OSERR, "out of memory");
	show_json(document);
	json_decref(document);
	return show_flush(r < 0 ? EX_CONFIG : EX_OK);
}

static int
check(const char *path, bool is_named, bool is_json)
{
	struct config config;
	struct ini_origin origin;
	bool is_there = access(path, F_OK) == 0;

	if (!is_there && is_named) {
		warn("%s", path);
		return EX_NOINPUT;
	}
	if (is_json)
		return check_for_programs(path, is_there);
	if (ini_read(path, &config, &origin, NULL, tell_fault, NULL) < 0)
		return EX_CONFIG;
	printf("%s: %s\n", path, is_there ? "ok" : "not there; the defaults are in force");
	return show_flush(EX_OK);
}

/* "default" or FILE:LINE. */
static void
format_origin(const char *path, int line, char *text, size_t size)
{
	if (line == 0)
		snprintf(text, size, "default");
	else
		snprintf(text, size, "%s:%d", path, line);
}

/* One setting, as text or into the document: of which section, and where it came from. */
typedef void show_cb(void *arg, const char *section, const char *key, const char *value,
    const char *origin);

static void
each_row(const struct config *c, const struct ini_origin *from, const char *path, show_cb *cb,
    void *arg)
{
	char value[VALUE_SIZE], origin[ORIGIN_SIZE];

	for (size_t i = 0; config_rows[i].key != NULL; i++) {
		config_format(c, &config_rows[i], value, sizeof(value));
		format_origin(path, from->line[i], origin, sizeof(origin));
		cb(arg, config_rows[i].section, config_rows[i].key, value, origin);
	}
}

/* An entry of a section that carries a name; `from` may be the one that it inherits from. */
static void
show_entry(const struct section *section, const struct section_entry *entry,
    const struct section *from, const char *path, show_cb *cb, void *arg)
{
	char heading[ID_SIZE + 16], value[LONG_SIZE], origin[ORIGIN_SIZE];
	size_t len;

	snprintf(heading, sizeof(heading), "%s %s", section_word(section->kind), section->name);
	profile_format(entry, value, sizeof(value));
	format_origin(path, entry->line, origin, sizeof(origin));
	len = strlen(origin);
	if (from != section)
		snprintf(origin + len, sizeof(origin) - len, " (profile %s)", from->name);
	cb(arg, heading, entry->key, value, origin);
}

static void
each_of_profile(const struct sections *s, const struct section *profile, const char *path,
    show_cb *cb, void *arg)
{
	const struct section *from = NULL;
	const struct section_entry *entry;
	const char *key;

	for (size_t i = 0; (key = profile_key(i)) != NULL; i++) {
		entry = profile_find(s, profile, key, &from);
		/* From whom those above inherit is theirs. */
		if (entry != NULL && (from == profile || strcmp(key, "inherits") != 0))
			show_entry(profile, entry, from, path, cb, arg);
	}
	for (size_t i = 0; (entry = profile_variable(s, profile, i, &from)) != NULL; i++)
		show_entry(profile, entry, from, path, cb, arg);
}

static void
each_of_section(const struct sections *s, const char *path, show_cb *cb, void *arg)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct section *section = s->items[i];

		if (section->kind == SECTION_PROFILE)
			each_of_profile(s, section, path, cb, arg);
		for (size_t n = 0; section->kind != SECTION_PROFILE && n < section->count; n++)
			show_entry(section, &section->entries[n], section, path, cb, arg);
	}
}

/* arg: the section that was shown last. */
static void
show_line(void *arg, const char *section, const char *key, const char *value, const char *origin)
{
	char *last = arg;

	if (strcmp(section, last) != 0)
		printf("%s[%s]\n", last[0] == '\0' ? "" : "\n", section);
	strlcpy(last, section, ID_SIZE + 16);
	printf("%-24s %-20s %s\n", key, value, origin);
}

/* arg: the document. */
static void
add_setting(void *arg, const char *section, const char *key, const char *value, const char *origin)
{
	json_t *settings = json_object_get(arg, section);

	if (settings == NULL) {
		settings = json_object();
		json_object_set_new(arg, section, settings);
	}
	json_object_set_new(settings, key,
	    json_pack("{s:s, s:s}", "value", value, "origin", origin));
}

static int
show(const char *path, bool is_json)
{
	show_cb *cb = is_json ? add_setting : show_line;
	char last[ID_SIZE + 16] = "";
	struct sections *sections;
	struct ini_origin origin;
	struct config config;
	json_t *document;

	if (ini_read(path, &config, &origin, &sections, tell_fault, NULL) < 0)
		return EX_CONFIG;
	document = json_object();
	each_row(&config, &origin, path, cb, is_json ? (void *)document : last);
	each_of_section(sections, path, cb, is_json ? (void *)document : last);
	if (is_json)
		show_json(document);
	json_decref(document);
	sections_unref(sections);
	return show_flush(EX_OK);
}

int
cmd_config(const struct options *o)
{
	const char *file = o->operands[1];
	bool is_json = o->value[OPTION_JSON] != NULL;
	struct paths paths;
	struct fault f;

	if (paths_init(&paths, &f) < 0) {
		warnx("%s", f.text);
		return EX_CONFIG;
	}
	if (strcmp(o->operands[0], "check") == 0)
		return check(file != NULL ? file : paths.config, file != NULL, is_json);
	if (strcmp(o->operands[0], "show") == 0 && file == NULL)
		return show(paths.config, is_json);
	warnx("say 'spawnd config check [FILE]' or 'spawnd config show'");
	return EX_USAGE;
}
