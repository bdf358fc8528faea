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
#include "base/id.h"
#include "config/keys.h"
#include "config/line.h"
#include "config/pool.h"
#include "config/profile.h"
#include "config/runner.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
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
	struct section *named;     /* the same where it carries a name, else NULL */
	struct sections *sections; /* all that do */
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

static void
tell_unknown_key(struct reading *r, const char *section, const char *key)
{
	const char *home = keys_home(key), *meant = keys_nearest(section, key);
	char names[1024];

	if (home != NULL) {
		tell(r, "not in this section; it belongs in [%s]", home);
	} else if (meant != NULL) {
		tell(r, "unknown key; did you mean %s?", meant);
	} else {
		keys_list(section, names, sizeof(names));
		tell(r, "unknown key; [%s] has %s", section, names);
	}
}

static void
tell_repeated(struct reading *r, int line)
{
	tell(r, "repeated; it was set in line %d, keep one of the two", line);
}

static int
check_value(enum section_kind kind, const char *key, const char *value, struct fault *f)
{
	if (kind == SECTION_PROFILE)
		return profile_check(key, value, f);
	return kind == SECTION_POOL ? pool_check(key, value, f) : runner_check(key, value, f);
}

/* A setting of a section that carries a name. */
static void
take_named(struct reading *r, const char *word, const char *key, const char *value)
{
	const struct section_entry *earlier = section_find(r->named, key);
	struct fault f;
	int rc = check_value(r->named->kind, key, value, &f);

	if (rc == -ENOENT) {
		tell_unknown_key(r, word, key);
		return;
	}
	if (earlier != NULL)
		tell_repeated(r, earlier->line);
	if (rc < 0)
		tell(r, "%s", f.text);
	if (earlier == NULL && section_add(r->named, key, value, r->number) < 0)
		r->error = ENOMEM;
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
	if (r->named != NULL) {
		take_named(r, section, key, value);
		return 1;
	}
	row = config_find(section, key);
	if (row == NULL) {
		tell_unknown_key(r, section, key);
		return 1;
	}
	int *line = &r->origin.line[row - config_rows];
	if (*line != 0)
		tell_repeated(r, *line);
	else
		*line = r->number;
	if (config_set(&r->config, row, value, &f) < 0)
		tell(r, "%s", f.text);
	return 1;
}

/* The name behind the word of a heading; its keys are kept under it even where it is not right. */
static void
enter_named(struct reading *r, enum section_kind kind, const char *name)
{
	const char *word = section_word(kind), *fault = id_fault(name);
	const struct section *earlier = sections_find(r->sections, kind, name);

	if (name[0] == '\0')
		tell(r, "a %s without a name; write [%s NAME]", word, word);
	else if (fault != NULL)
		tell(r, "no name for a %s: %s", word, fault);
	else if (earlier != NULL)
		tell(r, "repeated; it began in line %d, keep one of the two", earlier->line);
	r->named = sections_add(r->sections, kind, name, r->number);
	if (r->named == NULL)
		r->error = ENOMEM;
}

/* A heading that carries no name. */
static void
enter_plain(struct reading *r, const char *heading)
{
	char names[512];

	keys_list(NULL, names, sizeof(names));
	if (heading[0] == '\0') {
		tell(r, "a section without a name; there are %s", names);
		return;
	}
	if (strlen(heading) >= NAME_SIZE) {
		tell(r, "a section name of %zu bytes; the longest allowed has %d", strlen(heading),
		    NAME_SIZE - 1);
		return;
	}
	r->known_section = keys_nearest(NULL, heading);
	if (r->known_section == NULL)
		tell(r, "unknown section; there are %s", names);
	else if (strcmp(r->known_section, heading) != 0)
		tell(r, "unknown section; did you mean [%s]?", r->known_section);
}

/*
 * Sets known_section, and named, to what is meant by a heading; tells if that is not what stands there.
 */
static void
enter_section(struct reading *r, const char *heading)
{
	size_t len = strcspn(heading, LINE_BLANKS);
	const char *name = heading + len + strspn(heading + len, LINE_BLANKS);
	char word[NAME_SIZE];

	r->known_section = NULL;
	r->named = NULL;
	snprintf(word, sizeof(word), "%.*s", (int)len, heading);
	const char *meant = keys_nearest(NULL, word);
	int kind = meant == NULL ? -1 : keys_kind(meant);
	if (kind < 0) {
		enter_plain(r, heading);
		return;
	}
	r->known_section = meant;
	if (strcmp(meant, word) != 0)
		tell(r, "unknown section; did you mean [%s %s]?", meant,
		    name[0] != '\0' ? name : "NAME");
	enter_named(r, (enum section_kind)kind, name);
}

/* A line that begins with '['. Hands on the section that is meant. */
static void
take_header(struct reading *r, char *text, char *line, size_t size)
{
	char *end = strchr(text, ']');
	const char *behind = "";

	if (end != NULL) {
		*end = '\0';
		behind = end + 1 + strspn(end + 1, LINE_BLANKS);
	}
	char *name = end != NULL ? text + 1 : line_trim(text + 1);
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

/* A line that is neither empty, comment nor header. Hands on the setting that is meant. */
static void
take_pair(struct reading *r, char *text, char *line, size_t size)
{
	char *separator = strpbrk(text, "=:");
	char *comment;

	if (separator == NULL) {
		show(r->key, line_trim(text));
		tell(r, "neither a setting nor a section; write KEY = VALUE");
		return;
	}
	bool is_colon = *separator == ':';
	*separator = '\0';
	char *key = line_trim(text), *value = line_trim(separator + 1);
	show(r->key, key);
	show(r->value, value);
	if (is_colon)
		tell(r, "':' behind the key; write KEY = VALUE");
	if (key[0] == '\0' || strlen(key) >= NAME_SIZE) {
		tell(r, "a key of %zu bytes; it must have 1 to %d", strlen(key), NAME_SIZE - 1);
		return;
	}
	if (!r->has_section) {
		const char *home = keys_home(key);
		tell(r, "no section above it; write [%s] on a line before",
		    home != NULL ? home : "spawnd");
	}
	comment = line_find_comment(value);
	if (comment != NULL) {
		tell(r, "'%c' in the value; put comments on a line of their own", *comment);
		*comment = '\0';
		value = line_trim(value);
	}
	if (value[0] == '\0' && comment == NULL)
		tell(r, "no value; give one, or remove the line for the default");
	if (value[0] != '\0')
		snprintf(line, size, "%s = %s", key, value);
}

/* inih's reader, fgets(3) in form. Where a fault leaves nothing to read, the line is empty. */
static char *
next_line(char *line, int size, void *arg)
{
	static const char mark[3] = "\xef\xbb\xbf"; /* UTF-8's byte order mark */
	struct reading *r = arg;
	struct fault f;
	char *text;

	errno = 0;
	ssize_t got = getline(&r->line, &r->line_size, r->stream);
	if (got < 0) {
		if (!feof(r->stream))
			r->error = errno;
		return NULL;
	}
	line[0] = r->key[0] = r->value[0] = '\0';
	r->number++;
	text = r->line;
	size_t len = line_drop_ending(text, (size_t)got);
	if (r->number == 1 && len >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0) {
		tell(r, "a byte order mark; save the file as UTF-8 without one");
		text += sizeof(mark);
		len -= sizeof(mark);
	}
	if (line_check(text, len, LINE_SIZE - 3, &f) < 0) {
		tell(r, "%s", f.text);
		return line;
	}
	size_t indent = strspn(text, LINE_BLANKS);
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

/* Tells a fault of the entry, or of the section as a whole if that is NULL. */
static void
tell_of(struct reading *r, const struct section *section, const struct section_entry *entry,
    const struct fault *f)
{
	char heading[ID_SIZE + 16];

	r->number = entry != NULL ? entry->line : section->line;
	snprintf(heading, sizeof(heading), "%s %s", section_word(section->kind), section->name);
	show(r->section, heading);
	show(r->key, entry != NULL ? entry->key : "");
	show(r->value, entry != NULL ? entry->value : "");
	tell(r, "%s", f->text);
}

/* What can be said of a section only when all are known. */
static void
check_section(struct reading *r, const struct section *section)
{
	const struct section_entry *entry = NULL;
	struct fault f;
	int rc;

	if (section->kind == SECTION_PROFILE) {
		if (profile_check_above(r->sections, section, &f) != 0)
			tell_of(r, section, section_find(section, "inherits"), &f);
		rc = profile_check_pool(r->sections, section, &entry, &f);
	} else if (section->kind == SECTION_POOL) {
		rc = pool_check_whole(section, &f);
	} else {
		rc = runner_check_use(r->sections, section, &entry, &f);
	}
	if (rc != 0)
		tell_of(r, section, entry, &f);
}

/* What was read becomes the caller's, if it is whole and good. 0 or -errno. */
static int
publish(struct reading *r, struct config *ret_config, struct ini_origin *ret_origin,
    struct sections **ret_sections)
{
	if (r->error != 0)
		return -r->error;
	if (r->fault_count > 0)
		return -EINVAL;
	*ret_config = r->config;
	*ret_origin = r->origin;
	if (ret_sections != NULL)
		*ret_sections = sections_ref(r->sections);
	return 0;
}

int
ini_read_stream(FILE *stream, const char *name, struct config *ret_config,
    struct ini_origin *ret_origin, struct sections **ret_sections, ini_fault_cb *cb, void *arg)
{
	struct reading r = {.stream = stream, .name = name, .cb = cb, .arg = arg};
	int rc;

	config_default(&r.config);
	fence_parser();
	r.sections = sections_new();
	rc = r.sections == NULL ? -1 : ini_parse_stream(next_line, &r, take_setting, &r);
	free(r.line);
	r.section[0] = r.key[0] = r.value[0] = '\0';
	if (rc > 0 && r.fault_count == 0) {
		r.number = rc;
		tell(&r, "not understood; write KEY = VALUE, [SECTION] or a comment");
	}
	if (rc < 0)
		r.error = ENOMEM;
	for (size_t i = 0; r.error == 0 && i < r.sections->count; i++)
		check_section(&r, r.sections->items[i]);
	r.section[0] = r.key[0] = r.value[0] = '\0';
	if (r.error != 0)
		tell(&r, "cannot be read: %s", strerror(r.error));
	rc = publish(&r, ret_config, ret_origin, ret_sections);
	sections_unref(r.sections);
	return rc;
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
    struct sections **ret_sections, ini_fault_cb *cb, void *arg)
{
	struct reading none = {.name = path, .cb = cb, .arg = arg};
	struct fault f;
	FILE *stream;
	int fd = open_file(path, &f), rc;

	if (fd == -ENOENT) {
		struct sections *sections = ret_sections != NULL ? sections_new() : NULL;

		if (ret_sections != NULL && sections == NULL) {
			tell(&none, "cannot be read: %s", strerror(ENOMEM));
			return -ENOMEM;
		}
		if (ret_sections != NULL)
			*ret_sections = sections;
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
	rc = ini_read_stream(stream, path, ret_config, ret_origin, ret_sections, cb, arg);
	fclose(stream);
	return rc;
}
