/*
 * spawnd config check | show: reads the configuration as the daemon would. Asks no daemon.
 */
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/path.h"
#include "config/ini.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Fits every value as config_format() writes it. */
#define VALUE_SIZE 128

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
	int r = ini_read(path, &config, &origin, add_fault, faults);
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
	if (ini_read(path, &config, &origin, tell_fault, NULL) < 0)
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

static void
show_text(const struct config *c, const struct ini_origin *from, const char *path)
{
	char value[VALUE_SIZE], origin[PATH_MAX + 16];

	for (size_t i = 0; config_rows[i].key != NULL; i++) {
		const struct config_row *row = &config_rows[i];

		if (i == 0 || strcmp(row->section, config_rows[i - 1].section) != 0)
			printf("%s[%s]\n", i == 0 ? "" : "\n", row->section);
		config_format(c, row, value, sizeof(value));
		format_origin(path, from->line[i], origin, sizeof(origin));
		printf("%-24s %-20s %s\n", row->key, value, origin);
	}
}

static void
show_document(const struct config *c, const struct ini_origin *from, const char *path)
{
	char value[VALUE_SIZE], origin[PATH_MAX + 16];
	json_t *document = json_object();
	json_t *section;

	for (size_t i = 0; config_rows[i].key != NULL; i++) {
		const struct config_row *row = &config_rows[i];

		config_format(c, row, value, sizeof(value));
		format_origin(path, from->line[i], origin, sizeof(origin));
		section = json_object_get(document, row->section);
		if (section == NULL) {
			section = json_object();
			json_object_set_new(document, row->section, section);
		}
		json_object_set_new(section, row->key,
		    json_pack("{s:s, s:s}", "value", value, "origin", origin));
	}
	show_json(document);
	json_decref(document);
}

static int
show(const char *path, bool is_json)
{
	struct config config;
	struct ini_origin origin;

	if (ini_read(path, &config, &origin, tell_fault, NULL) < 0)
		return EX_CONFIG;
	if (is_json)
		show_document(&config, &origin, path);
	else
		show_text(&config, &origin, path);
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
