/*
 * show: standard output of the commands. Must never pass control characters of a job on to a
 * terminal.
 */
#include "cli/show.h"

#include "base/clock.h"

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define MSEC_PER_SEC 1000
#define TEXT_SIZE 4096

#define ID_WIDTH 16 /* of most ids */
#define TREE_WIDTH 28
#define ROWS_MAX 500 /* are kept back */

void
show_json(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	if (text == NULL)
		err(EX_OSERR, "out of memory");
	puts(text);
	free(text);
}

static void
show_clean(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
		putchar(*c < ' ' || *c == 0x7f ? '?' : *c);
}

/* Appends a value as people read it: words of an object as "key=value". */
static void
append_value(char text[TEXT_SIZE], json_t *value)
{
	const char *key;
	json_t *member;
	char *number;

	if (json_is_string(value)) {
		strlcat(text, json_string_value(value), TEXT_SIZE);
		return;
	}
	if (json_is_object(value)) {
		json_object_foreach (value, key, member) {
			if (text[0] != '\0')
				strlcat(text, " ", TEXT_SIZE);
			strlcat(text, key, TEXT_SIZE);
			strlcat(text, "=", TEXT_SIZE);
			append_value(text, member);
		}
		return;
	}
	number = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	if (number != NULL)
		strlcat(text, number, TEXT_SIZE);
	free(number);
}

static void
show_line(const char *key, json_t *value)
{
	char text[TEXT_SIZE] = "";

	if (value == NULL || json_is_null(value))
		return;
	append_value(text, value);
	printf("%-14s ", key);
	show_clean(text);
	putchar('\n');
}

bool
show_is_paused(const json_t *job)
{
	return json_is_true(json_object_get(job, "paused"));
}

void
show_object(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		if (strcmp(key, "record") == 0)
			show_line("error", json_object_get(value, "error"));
		else if (strcmp(key, "status") == 0 && show_is_paused(object))
			printf("%-14s %s\n", key, "running (paused)");
		else if (strcmp(key, "paused") == 0)
			continue;
		else
			show_line(key, value);
	}
}

/*
 * Milliseconds from started_at until now, or -1 where it tells no time. The wall clock may have
 * been set back meanwhile.
 */
static json_int_t
since_start_ms(json_t *started_at)
{
	const char *text = json_string_value(started_at);
	struct tm tm = {0};
	json_int_t ms;

	text = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (text == NULL)
		return -1;
	ms = clock_wall_ms() - (json_int_t)timegm(&tm) * MSEC_PER_SEC -
	    (json_int_t)(strtod(text, NULL) * MSEC_PER_SEC);
	return ms > 0 ? ms : 0;
}

/* -1: unknown, or none. */
static json_int_t
elapsed_ms(json_t *job)
{
	json_t *elapsed = json_object_get(job, "elapsed_ms");
	const char *status = json_string_value(json_object_get(job, "status"));

	if (json_is_integer(elapsed))
		return json_integer_value(elapsed);
	if (status == NULL || strcmp(status, "running") != 0)
		return -1;
	return since_start_ms(json_object_get(job, "started_at"));
}

/* "12.3s", "15m12s", "26h03m": seven characters for all that is likely. */
static void
format_elapsed(json_int_t ms, char *text, size_t size)
{
	json_int_t s = ms / MSEC_PER_SEC;

	if (ms < 0)
		snprintf(text, size, "-");
	else if (s < 60)
		snprintf(text, size, "%lld.%llds", s, ms % MSEC_PER_SEC / 100);
	else if (s < 3600)
		snprintf(text, size, "%lldm%02llds", s / 60, s % 60);
	else
		snprintf(text, size, "%lldh%02lldm", s / 3600, s % 3600 / 60);
}

/* As wide as the longest of the rows with this text, and no narrower than before. */
static int
widen(int width, const json_t *rows, const char *key)
{
	size_t i;
	const json_t *job;

	json_array_foreach (rows, i, job) {
		int len = (int)json_string_length(json_object_get(job, key));

		if (len > width)
			width = len;
	}
	return width;
}

/* What a job waits for, if it does. */
static void
show_reason(const json_t *job)
{
	const char *reason = json_string_value(json_object_get(job, "waits_for"));

	if (reason == NULL)
		return;
	/* "after lint, which runs" needs no other word. */
	fputs(strncmp(reason, "after ", 6) == 0 ? "  (" : "  (waits for ", stdout);
	show_clean(reason);
	putchar(')');
}

static void
show_row(const struct show_table *t, json_t *job)
{
	const char *status = "", *parent = "", *child = "", *command = "";
	json_int_t number = 0;
	char elapsed[32];

	json_unpack(job, "{s?I, s?s, s?s, s?s, s?s}", "job", &number, "status", &status, "parent",
	    &parent, "child", &child, "command", &command);
	if (show_is_paused(job))
		strlcpy(elapsed, "paused", sizeof(elapsed));
	else
		format_elapsed(elapsed_ms(job), elapsed, sizeof(elapsed));
	printf("%8lld %-9s %9s  %-*s %-*s ", (long long)number, status, elapsed, t->parent_width,
	    parent, t->child_width, child);
	show_clean(command);
	show_reason(job);
	putchar('\n');
}

void
show_rest(struct show_table *t)
{
	bool is_first = t->parent_width == 0;
	size_t i;
	json_t *job;

	if (t->rows == NULL)
		return;
	t->parent_width = widen(is_first ? ID_WIDTH : t->parent_width, t->rows, "parent");
	t->child_width = widen(is_first ? ID_WIDTH : t->child_width, t->rows, "child");
	if (is_first)
		printf("%8s %-9s %9s  %-*s %-*s %s\n", "JOB", "STATUS", "TIME", t->parent_width,
		    "PARENT", t->child_width, "CHILD", "COMMAND");
	json_array_foreach (t->rows, i, job)
		show_row(t, job);
	json_decref(t->rows);
	t->rows = NULL;
}

void
show_job(struct show_table *t, json_t *job)
{
	if (t->rows == NULL)
		t->rows = json_array();
	if (json_array_append(t->rows, job) < 0)
		err(EX_OSERR, "out of memory");
	if (json_array_size(t->rows) >= ROWS_MAX)
		show_rest(t);
}

void
show_branch(struct show_tree *t, json_t *job, int level)
{
	const char *status = "", *child = "", *command = "";
	json_int_t number = 0;
	char elapsed[32];
	int width = TREE_WIDTH - 2 * level;

	json_unpack(job, "{s?I, s?s, s?s, s?s}", "job", &number, "status", &status, "child", &child,
	    "command", &command);
	if (show_is_paused(job))
		strlcpy(elapsed, "paused", sizeof(elapsed));
	else
		format_elapsed(elapsed_ms(job), elapsed, sizeof(elapsed));
	if (!t->has_head)
		printf("%8s %-9s %9s  %-*s %s\n", "JOB", "STATUS", "TIME", TREE_WIDTH, "CHILD",
		    "COMMAND");
	t->has_head = true;
	printf("%8lld %-9s %9s  %*s%-*s ", (long long)number, status, elapsed, 2 * level, "",
	    width > 0 ? width : 0, child);
	show_clean(command);
	show_reason(job);
	putchar('\n');
}

int
show_flush(int code)
{
	/* What failed before this, failed for a reason that is not known any more. */
	bool had_failed = ferror(stdout);

	if (fflush(stdout) == 0 && !had_failed)
		return code;
	if (had_failed)
		warnx("standard output: not all of it could be written");
	else
		warn("standard output");
	return EX_IOERR;
}
