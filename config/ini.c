/*
 * ini: see ini.h. Used by the server and by `config check` and `config show`.
 *
 * inih asks next_line() for each line; that looks at it first, tells every fault that inih would
 * pass over in silence, and hands on what was meant, so that one pass finds all there is. inih
 * splits it and calls take_setting(). All goes into a scratch struct, published only when no fault
 * was told. Never prints; never takes a setting from a file that has a fault.
 */
#include "config/ini.h"

#include "base/fd.h"

#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 1024 /* inih's buffer: newline, carriage return and NUL included */
#define NAME_SIZE 50   /* what inih keeps of a name, with its NUL */
#define SHOWN_SIZE 64  /* how much of a text a fault shows, with its NUL */
#define FILE_LIMIT (1 << 20)
#define BLANKS " \t"

struct reading {
	FILE *stream;
	const char *name;
	ini_fault_cb *cb;
	void *arg;
	int fault_count;
	int error;  /* errno of the stream, or 0 */
	char *line; /* of getline(3) */
	size_t line_size;
	int number; /* of the line, from 1 */
	/* What a fault on this line shows; empty: nothing. */
	char section[SHOWN_SIZE];
	char key[SHOWN_SIZE];
	char value[SHOWN_SIZE];
	bool has_section;
	const char *known_section; /* what `section` means, NULL: none, its keys are passed over */
	struct config config;
	struct ini_origin origin;
};

/* "FILE:LINE: [SECTION] KEY = VALUE: " as far as they are known, and the formatted words. */
static void __attribute__((format(printf, 2, 3))) tell(struct reading *r, const char *format, ...)
{
	struct fault what;
	char where[16] = "", text[PATH_MAX + sizeof(what) + 4 * SHOWN_SIZE];
	bool has_place = r->section[0] != '\0' || r->key[0] != '\0';
	va_list ap;

	va_start(ap, format);
	vsnprintf(what.text, sizeof(what.text), format, ap);
	va_end(ap);
	if (r->number > 0)
		snprintf(where, sizeof(where), "%d:", r->number);
	snprintf(text, sizeof(text), "%s:%s%s%s%s%s%s%s%s%s %s", r->name, where,
	    r->section[0] != '\0' ? " [" : "", r->section, r->section[0] != '\0' ? "]" : "",
	    r->key[0] != '\0' ? " " : "", r->key, r->value[0] != '\0' ? " = " : "", r->value,
	    has_place ? ":" : "", what.text);
	r->fault_count++;
	r->cb(r->arg,
	    &(struct ini_fault){.text = text,
		.file = r->name,
		.line = r->number,
		.section = r->section,
		.key = r->key,
		.value = r->value,
		.message = what.text});
}

/* Copies the beginning of text, whole characters of UTF-8 only. */
static void
show(char shown[SHOWN_SIZE], const char *text)
{
	if (strlcpy(shown, text, SHOWN_SIZE) < SHOWN_SIZE)
		return;
	size_t end = SHOWN_SIZE - 1 - strlen("...");
	while (end > 0 && ((unsigned char)shown[end] & 0xc0) == 0x80)
		end--;
	strlcpy(shown + end, "...", SHOWN_SIZE - end);
}

/* How many letters to change, add or drop to make b of a. '-' counts as '_', A as a. */
static size_t
distance(const char *a, const char *b)
{
	size_t above[NAME_SIZE], row[NAME_SIZE], len = strlen(b);

	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		int letter = a[i - 1] == '-' ? '_' : tolower((unsigned char)a[i - 1]);
		memcpy(above, row, sizeof(row));
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = above[j - 1] + (letter != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

/* Which key of the section (NULL: which section) `name` was meant to be, or NULL. */
static const char *
nearest(const char *section, const char *name)
{
	const char *found = NULL;
	size_t least = strlen(name) < 5 ? 2 : 3;

	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if (section != NULL && strcmp(row->section, section) != 0)
			continue;
		const char *candidate = section != NULL ? row->key : row->section;
		size_t d = distance(name, candidate);
		if (d < least) {
			least = d;
			found = candidate;
		}
	}
	return found;
}

/* The section that has this key, or NULL. */
static const char *
home_of(const char *key)
{
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if (strcmp(row->key, key) == 0)
			return row->section;
	}
	return NULL;
}

/* The names in a section, or of the sections where that is NULL, with commas between. */
static void
list_names(const char *section, char *text, size_t size)
{
	const char *last = "";

	text[0] = '\0';
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if (section != NULL && strcmp(row->section, section) != 0)
			continue;
		const char *name = section != NULL ? row->key : row->section;
		if (strcmp(name, last) == 0)
			continue;
		if (text[0] != '\0')
			strlcat(text, ", ", size);
		strlcat(text, name, size);
		last = name;
	}
}

static void
tell_unknown_key(struct reading *r, const char *section, const char *key)
{
	const char *home = home_of(key), *meant = nearest(section, key);
	char names[512];

	if (home != NULL) {
		tell(r, "not in this section; it belongs in [%s]", home);
	} else if (meant != NULL) {
		tell(r, "unknown key; did you mean %s?", meant);
	} else {
		list_names(section, names, sizeof(names));
		tell(r, "unknown key; [%s] has %s", section, names);
	}
}

/* inih's handler: one setting. */
static int
take_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;
	const struct config_row *row;
	struct fault f;

	if (r->known_section == NULL)
		return 1;
	row = config_find(section, key);
	if (row == NULL) {
		tell_unknown_key(r, section, key);
		return 1;
	}
	int *line = &r->origin.line[row - config_rows];
	if (*line != 0)
		tell(r, "repeated; it was set in line %d, keep one of the two", *line);
	else
		*line = r->number;
	if (config_set(&r->config, row, value, &f) < 0)
		tell(r, "%s", f.text);
	return 1;
}

/* Whether the bytes are one line of UTF-8 text that inih can hold; tells if not. */
static bool
is_text(struct reading *r, const char *text, size_t len)
{
	json_t *string;

	if (memchr(text, '\0', len) != NULL) {
		tell(r, "a NUL byte; this is no text file");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t') {
			tell(r, "a control character (byte 0x%02x) in column %zu; remove it",
			    (unsigned)(unsigned char)text[i], i + 1);
			return false;
		}
	}
	string = json_stringn(text, len);
	if (string == NULL) {
		tell(r, "not UTF-8; save the file as UTF-8");
		return false;
	}
	json_decref(string);
	if (len > LINE_SIZE - 3) {
		tell(r, "a line of %zu bytes; the longest allowed has %d", len, LINE_SIZE - 3);
		return false;
	}
	return true;
}

/* Cuts blanks off both ends of a string, in place. Returns its new beginning. */
static char *
trim(char *text)
{
	text += strspn(text, BLANKS);
	size_t len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

/* Sets known_section to what is meant by `name`; tells if that is not what stands there. */
static void
enter_section(struct reading *r, const char *name)
{
	char names[512];

	list_names(NULL, names, sizeof(names));
	r->known_section = NULL;
	if (name[0] == '\0') {
		tell(r, "a section without a name; there are %s", names);
		return;
	}
	if (strlen(name) >= NAME_SIZE) {
		tell(r, "a section name of %zu bytes; the longest allowed has %d", strlen(name),
		    NAME_SIZE - 1);
		return;
	}
	r->known_section = nearest(NULL, name);
	if (r->known_section == NULL)
		tell(r, "unknown section; there are %s", names);
	else if (strcmp(r->known_section, name) != 0)
		tell(r, "unknown section; did you mean [%s]?", r->known_section);
}

/* A line that begins with '['. Hands on the section that is meant. */
static void
take_header(struct reading *r, char *text, char *line, size_t size)
{
	char *end = strchr(text, ']');
	const char *behind = "";

	if (end != NULL) {
		*end = '\0';
		behind = end + 1 + strspn(end + 1, BLANKS);
	}
	char *name = end != NULL ? text + 1 : trim(text + 1);
	show(r->section, name);
	r->has_section = true;
	if (end == NULL)
		tell(r, "no ']' behind the section's name; add it");
	if (*behind == ';' || *behind == '#')
		tell(r, "a comment behind the section; put it on a line of its own");
	else if (*behind != '\0')
		tell(r, "text behind the section; put it on a line of its own");
	enter_section(r, name);
	if (r->known_section != NULL)
		snprintf(line, size, "[%s]", r->known_section);
}

/* Where a comment begins that somebody may have meant in a value, or NULL. */
static char *
find_comment(char *value)
{
	for (char *p = value; *p != '\0'; p++) {
		if ((*p == ';' || *p == '#') && (p == value || strchr(BLANKS, p[-1]) != NULL))
			return p;
	}
	return NULL;
}

/* A line that is neither empty, comment nor header. Hands on the setting that is meant. */
static void
take_pair(struct reading *r, char *text, char *line, size_t size)
{
	char *separator = strpbrk(text, "=:");
	char *comment;

	if (separator == NULL) {
		show(r->key, trim(text));
		tell(r, "neither a setting nor a section; write KEY = VALUE");
		return;
	}
	bool is_colon = *separator == ':';
	*separator = '\0';
	char *key = trim(text), *value = trim(separator + 1);
	show(r->key, key);
	show(r->value, value);
	if (is_colon)
		tell(r, "':' behind the key; write KEY = VALUE");
	if (key[0] == '\0' || strlen(key) >= NAME_SIZE) {
		tell(r, "a key of %zu bytes; it must have 1 to %d", strlen(key), NAME_SIZE - 1);
		return;
	}
	if (!r->has_section) {
		const char *home = home_of(key);
		tell(r, "no section above it; write [%s] on a line before",
		    home != NULL ? home : "spawnd");
	}
	comment = find_comment(value);
	if (comment != NULL) {
		tell(r, "'%c' in the value; put comments on a line of their own", *comment);
		*comment = '\0';
		value = trim(value);
	}
	if (value[0] == '\0' && comment == NULL)
		tell(r, "no value; give one, or remove the line for the default");
	if (value[0] != '\0')
		snprintf(line, size, "%s = %s", key, value);
}

/* Drops the line's end, LF or CRLF. */
static size_t
drop_ending(char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	return len;
}

/* inih's reader, fgets(3) in form. Where a fault leaves nothing to read, the line is empty. */
static char *
next_line(char *line, int size, void *arg)
{
	static const char mark[3] = "\xef\xbb\xbf"; /* UTF-8's byte order mark */
	struct reading *r = arg;
	char *text;

	errno = 0;
	ssize_t got = getline(&r->line, &r->line_size, r->stream);
	if (got < 0) {
		r->error = feof(r->stream) ? 0 : errno;
		return NULL;
	}
	line[0] = r->key[0] = r->value[0] = '\0';
	r->number++;
	text = r->line;
	size_t len = drop_ending(text, (size_t)got);
	if (r->number == 1 && len >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0) {
		tell(r, "a byte order mark; save the file as UTF-8 without one");
		text += sizeof(mark);
		len -= sizeof(mark);
	}
	if (!is_text(r, text, len))
		return line;
	size_t indent = strspn(text, BLANKS);
	text += indent;
	if (text[0] == '\0' || text[0] == ';' || text[0] == '#')
		return line;
	if (indent > 0)
		tell(r, "indented; a value ends with its line, and keys begin in the first column");
	if (text[0] == '[')
		take_header(r, text, line, (size_t)size);
	else
		take_pair(r, text, line, (size_t)size);
	return line;
}

/* The one place that touches inih's settings, which belong to the whole process. */
static void
fence_parser(void)
{
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false;
	ini_allow_no_value = false;
	ini_stop_on_first_error = false;
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_max_line = LINE_SIZE;
	ini_initial_alloc = LINE_SIZE;
}

int
ini_read_stream(FILE *stream, const char *name, struct config *ret_config,
    struct ini_origin *ret_origin, ini_fault_cb *cb, void *arg)
{
	struct reading r = {.stream = stream, .name = name, .cb = cb, .arg = arg};
	int rc;

	config_default(&r.config);
	fence_parser();
	rc = ini_parse_stream(next_line, &r, take_setting, &r);
	free(r.line);
	r.section[0] = r.key[0] = r.value[0] = '\0';
	if (rc > 0 && r.fault_count == 0) {
		r.number = rc;
		tell(&r, "not understood; write KEY = VALUE, [SECTION] or a comment");
	}
	if (rc < 0)
		r.error = ENOMEM;
	if (r.error != 0)
		tell(&r, "cannot be read: %s", strerror(r.error));
	if (r.error != 0)
		return -r.error;
	if (r.fault_count > 0)
		return -EINVAL;
	*ret_config = r.config;
	*ret_origin = r.origin;
	return 0;
}

/* Opens a regular file of sensible size. Returns its descriptor, or -errno with f filled. */
static int
open_file(const char *path, struct fault *f)
{
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(f, errno, "cannot be opened: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fault_set(f, EISDIR, "a directory; give the name of a file");
	if (!S_ISREG(st.st_mode))
		return fault_set(f, EINVAL, "not a regular file");
	if (st.st_size > FILE_LIMIT)
		return fault_set(f, EFBIG, "larger than 1 MiB; this is no configuration");
	return fd_take(&fd);
}

int
ini_read(const char *path, struct config *ret_config, struct ini_origin *ret_origin,
    ini_fault_cb *cb, void *arg)
{
	struct reading none = {.name = path, .cb = cb, .arg = arg};
	struct fault f;
	FILE *stream;
	int fd = open_file(path, &f), rc;

	if (fd == -ENOENT) {
		config_default(ret_config);
		memset(ret_origin, 0, sizeof(*ret_origin));
		return 0;
	}
	if (fd < 0) {
		tell(&none, "%s", f.text);
		return fd;
	}
	stream = fdopen(fd, "r");
	if (stream == NULL) {
		rc = -errno;
		tell(&none, "cannot be opened: %s", strerror(errno));
		close(fd);
		return rc;
	}
	rc = ini_read_stream(stream, path, ret_config, ret_origin, cb, arg);
	fclose(stream);
	return rc;
}
