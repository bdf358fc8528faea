/*
 * test_ini: that spawnd.ini is taken whole or not at all, and that every fault in it is told, with
 * its line and its mend, in one pass.
 */
#include "config/ini.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FAULTS_MAX 16

struct told {
	int count;
	char text[FAULTS_MAX][8192];
};

static struct told told;
static struct config config;
static struct ini_origin origin;
static struct sections *sections;

static void
take_fault(void *arg, const struct ini_fault *fault)
{
	struct told *t = arg;
	const char *text = fault->text;
	char line[16] = "";

	assert_null(strchr(text, '\n'));
	/* The text is made of the parts. */
	assert_ptr_equal(strstr(text, fault->file), text);
	snprintf(line, sizeof(line), ":%d:", fault->line);
	assert_true(
	    fault->line == 0 || strncmp(text + strlen(fault->file), line, strlen(line)) == 0);
	assert_non_null(strstr(text, fault->section));
	assert_non_null(strstr(text, fault->key));
	assert_non_null(strstr(text, fault->value));
	assert_string_equal(text + strlen(text) - strlen(fault->message), fault->message);
	assert_in_range(t->count, 0, FAULTS_MAX - 1);
	snprintf(t->text[t->count++], sizeof(t->text[0]), "%s", text);
}

static int
read_bytes(const char *bytes, size_t len)
{
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, len, "r");
	int rc;

	assert_non_null(stream);
	told.count = 0;
	sections_unref(sections);
	sections = NULL;
	memset(&config, 0xa5, sizeof(config));
	memset(&origin, 0xa5, sizeof(origin));
	rc = ini_read_stream(stream, "F", &config, &origin, &sections, take_fault, &told);
	fclose(stream);
	if (rc != 0) {
		assert_null(sections);
		assert_int_equal(((unsigned char *)&config)[0], 0xa5);
		assert_int_equal(((unsigned char *)&origin)[0], 0xa5);
	}
	return rc;
}

/* The text is refused for exactly these faults, each given as its beginning; NULL ends them. */
static void
assert_faults(const char *text, ...)
{
	const char *beginning;
	va_list ap;
	int i = 0;

	assert_int_equal(read_bytes(text, strlen(text)), -EINVAL);
	va_start(ap, text);
	for (; (beginning = va_arg(ap, const char *)) != NULL; i++) {
		if (i >= told.count)
			fail_msg("not told: %s", beginning);
		if (strncmp(told.text[i], beginning, strlen(beginning)) != 0)
			fail_msg("told '%s', expected '%s...'", told.text[i], beginning);
	}
	va_end(ap);
	if (told.count > i)
		fail_msg("told as well: %s", told.text[i]);
}

static void
assert_taken(const char *text)
{
	if (read_bytes(text, strlen(text)) != 0)
		fail_msg("%s", told.text[0]);
	assert_int_equal(told.count, 0);
}

static void
settings_are_taken_with_their_lines(void **state)
{
	(void)state;
	assert_taken("# a comment; with a semicolon\n"
		     "[spawnd]\n"
		     "max_running = 3\n"
		     "\n"
		     "[watchdog]\n"
		     "  ; another, indented, in UTF-8: gr\xc3\xb6\xc3\x9f"
		     "er\n"
		     "max_idle=2m\n"
		     "kill_signal\t=\tINT\t\n"
		     "[spawnd]\n"
		     "autostart = no");
	assert_int_equal(config.max_running, 3);
	assert_int_equal(config.limits.max_idle_ns, 120 * NSEC_PER_SEC);
	assert_int_equal(config.limits.kill_signal, 2);
	assert_int_equal(config.limits.max_total_ns, 3600 * NSEC_PER_SEC);
	assert_int_equal(config.is_autostart, 0);
	assert_int_equal(origin.line[config_find("spawnd", "max_running") - config_rows], 3);
	assert_int_equal(origin.line[config_find("watchdog", "max_idle") - config_rows], 7);
	assert_int_equal(origin.line[config_find("spawnd", "autostart") - config_rows], 10);
	assert_int_equal(origin.line[config_find("watchdog", "max_total") - config_rows], 0);
}

static void
carriage_returns_at_line_ends_are_taken(void **state)
{
	(void)state;
	assert_taken("[spawnd]\r\nmax_running = 3\r\n\r\n");
	assert_int_equal(config.max_running, 3);
}

static void
a_value_is_shown_with_its_place_and_its_mend(void **state)
{
	(void)state;
	assert_faults("[watchdog]\n\nmax_idle = 1x\n",
	    "F:3: [watchdog] max_idle = 1x: not a duration; write 90, 90s, 1.5m, 2h, 1d or off",
	    NULL);
	assert_faults("[spawnd]\nmax_running =\n", "F:2: [spawnd] max_running: no value", NULL);
}

static void
names_that_are_close_are_suggested(void **state)
{
	(void)state;
	assert_faults("[watchdog]\nmax-idle = 1m\nmax_idel = 1m\nMax_Total = 1m\n",
	    "F:2: [watchdog] max-idle = 1m: unknown key; did you mean max_idle?",
	    "F:3: [watchdog] max_idel = 1m: unknown key; did you mean max_idle?",
	    "F:4: [watchdog] Max_Total = 1m: unknown key; did you mean max_total?", NULL);
	assert_faults("[spawnd]\nmax_idle = 1m\nzeal = 30d\n",
	    "F:2: [spawnd] max_idle = 1m: not in this section; it belongs in [watchdog]",
	    "F:3: [spawnd] zeal = 30d: unknown key; [spawnd] has max_running, ", NULL);
	assert_faults("[swimming gpu]\nmax_running = 1\n",
	    "F:1: [swimming gpu]: unknown section; there are spawnd, watchdog", NULL);
}

static void
what_was_meant_is_checked_as_well(void **state)
{
	(void)state;
	assert_faults("[watchdgo]\nmax_idle = 1x\n",
	    "F:1: [watchdgo]: unknown section; did you mean [watchdog]?",
	    "F:2: [watchdgo] max_idle = 1x: not a duration", NULL);
	assert_faults("[watchdog\nmax_idle = 1x\n", "F:1: [watchdog]: no ']'",
	    "F:2: [watchdog] max_idle = 1x: not a duration", NULL);
	assert_faults("[watchdog]\nmax_idl: 1x ; note\n",
	    "F:2: [watchdog] max_idl = 1x ; note: ':' behind the key; write KEY = VALUE",
	    "F:2: [watchdog] max_idl = 1x ; note: ';' in the value; put comments on a line",
	    "F:2: [watchdog] max_idl = 1x ; note: unknown key; did you mean max_idle?", NULL);
}

static void
what_would_cut_a_value_is_refused(void **state)
{
	(void)state;
	assert_faults("[watchdog]\nmax_idle = 1m ; note\n",
	    "F:2: [watchdog] max_idle = 1m ; note: ';'", NULL);
	assert_faults("[watchdog]\nmax_idle = 1m\t# note\n", "F:2: [watchdog] max_idle", NULL);
	assert_faults("[watchdog]\nmax_idle = ;1m\n", "F:2: [watchdog] max_idle = ;1m: ';' in",
	    NULL);
	assert_faults("[watchdog] ; note\n", "F:1: [watchdog]: a comment behind the section", NULL);
	assert_faults("[watchdog] x = y\n", "F:1: [watchdog]: text behind the section", NULL);
}

static void
lines_that_mean_nothing_are_refused(void **state)
{
	(void)state;
	assert_faults("[spawnd]\nmax_running\n", "F:2: [spawnd] max_running: neither a setting",
	    NULL);
	assert_faults("[spawnd]\n= 3\n", "F:2: [spawnd] = 3: a key of 0 bytes", NULL);
	assert_faults("[]\nx = 3\n", "F:1: a section without a name", NULL);
	assert_faults("max_idle = 1m\n",
	    "F:1: max_idle = 1m: no section above it; write [watchdog]", NULL);
	assert_faults("[watchdog]\nmax_idle = 1m\n  2m\n", "F:3: [watchdog]: indented;",
	    "F:3: [watchdog] 2m: neither", NULL);
}

static void
a_key_stands_once(void **state)
{
	(void)state;
	assert_faults("[spawnd]\nmax_running = 3\n[spawnd]\nmax_running = 0\n",
	    "F:4: [spawnd] max_running = 0: repeated; it was set in line 2",
	    "F:4: [spawnd] max_running = 0: too small", NULL);
}

static void
what_is_too_long_is_refused_and_not_cut(void **state)
{
	char text[2048], zeros[1100], name[80];

	(void)state;
	memset(zeros, '0', sizeof(zeros));
	memset(name, 'n', sizeof(name));
	snprintf(text, sizeof(text), "[spawnd]\nmax_running = %.*s8\nqueue_limit = 0\n", 1006,
	    zeros);
	assert_faults(text, "F:3: [spawnd] queue_limit = 0: too small", NULL);
	snprintf(text, sizeof(text), "[spawnd]\nmax_running = %.*s8\nqueue_limit = 0\n", 1007,
	    zeros);
	assert_faults(text, "F:2: [spawnd]: a line of 1022 bytes; the longest allowed has 1021",
	    "F:3: [spawnd] queue_limit = 0: too small", NULL);
	snprintf(text, sizeof(text), "[spawnd]\n%.*s = 1\n", 50, name);
	assert_faults(text, "F:2: [spawnd] nnnnnnnn", NULL);
	assert_non_null(strstr(told.text[0], "a key of 50 bytes; it must have 1 to 49"));
	snprintf(text, sizeof(text), "[%.*s]\n", 50, name);
	assert_faults(text, "F:1: [nnnnnnnn", NULL);
	assert_non_null(strstr(told.text[0], "a section name of 50 bytes"));
}

static void
a_long_value_is_shown_by_its_beginning(void **state)
{
	(void)state;
	assert_faults(
	    "[watchdog]\nmax_idle = \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
	    "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
	    "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
	    "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n",
	    "F:2: [watchdog] max_idle = \xc3\xa4\xc3\xa4", NULL);
	assert_non_null(strstr(told.text[0], "\xc3\xa4...: not a duration"));
}

static void
garbage_is_named(void **state)
{
	static const char nul[] = "[spawnd]\nmax\0running = 3\nmax_running = 0\n";

	(void)state;
	assert_int_equal(read_bytes(nul, sizeof(nul) - 1), -EINVAL);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.text[0], "F:2: [spawnd]: a NUL byte; this is no text file");
	assert_faults("\xef\xbb\xbf[spawnd]\nmax_running = 0\n", "F:1: a byte order mark",
	    "F:2: [spawnd] max_running = 0: too small", NULL);
	assert_faults("# caf\xe9\n", "F:1: not UTF-8", NULL);
	assert_faults("[spawnd]\nmax_running = 3\rqueue_limit = 0\n",
	    "F:2: [spawnd]: a control character (byte 0x0d) in column 16", NULL);
	assert_faults("\x1b[31m\n", "F:1: a control character (byte 0x1b) in column 1", NULL);
}

static char dir[] = "/tmp/test_ini.XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	sections_unref(sections);
	(void)state;
	return rmdir(dir);
}

static int
read_path(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	told.count = 0;
	return ini_read(path, &config, &origin, NULL, take_fault, &told);
}

static void
sections_with_names_are_taken_as_they_stand(void **state)
{
	const struct section *p;

	(void)state;
	assert_taken("[profile a]\nmodel = x\n[spawnd]\nmax_running = 3\n"
		     "[runner  a]\ncommand = 'a  b' %c\nmatch_parent = a:b=[c]*\n"
		     "[profile b.c]\nenv.LANG = C\ninherits = a\nmax_idle = 3m\n");
	assert_int_equal(config.max_running, 3);
	assert_int_equal(sections->count, 3);
	p = sections_find(sections, SECTION_PROFILE, "b.c");
	assert_non_null(p);
	assert_int_equal(p->line, 8);
	assert_int_equal(p->count, 3);
	assert_string_equal(section_find(p, "env.LANG")->value, "C");
	assert_int_equal(section_find(p, "max_idle")->line, 11);
	p = sections_find(sections, SECTION_RUNNER, "a");
	assert_string_equal(section_find(p, "command")->value, "'a  b' %c");
	assert_string_equal(section_find(p, "match_parent")->value, "a:b=[c]*");
	assert_null(sections_find(sections, SECTION_RUNNER, "b.c"));
	/* What is meant by a setting without a name is not changed by it. */
	assert_int_equal(config.limits.max_idle_ns, 900 * NSEC_PER_SEC);
}

static void
names_of_sections_are_checked(void **state)
{
	(void)state;
	assert_faults("[profile]\nmodel = x\n",
	    "F:1: [profile]: a profile without a name; write "
	    "[profile NAME]",
	    NULL);
	assert_faults("[profile a b]\n", "F:1: [profile a b]: no name for a profile: it has a char",
	    NULL);
	assert_faults("[profil a]\nmodle = x\n",
	    "F:1: [profil a]: unknown section; did you mean [profile a]?",
	    "F:2: [profil a] modle = x: unknown key; did you mean model?", NULL);
	assert_faults("[spawnd a]\nmax_running = 3\n", "F:1: [spawnd a]: unknown section; ", NULL);
	assert_faults("[spawnd ]\n", "F:1: [spawnd ]: unknown section; did you mean [spawnd]?",
	    NULL);
	assert_faults("[ spawnd]\n", "F:1: [ spawnd]: unknown section; did you mean [spawnd]?",
	    NULL);
	assert_faults("[profile a]\n[runner a]\ncommand = x\n[profile a]\n",
	    "F:4: [profile a]: repeated; it began in line 1", NULL);
}

static void
keys_of_named_sections_are_checked(void **state)
{
	(void)state;
	assert_faults("[profile a]\nmax_running = 3\nmax_idel = 3m\nmax_idle = 1x\nwhatever = 1\n"
		      "model = a\nmodel = b\ncommand = x\nnice = 20\napprovals = no\n",
	    "F:2: [profile a] max_running = 3: not in this section; it belongs in [spawnd]",
	    "F:3: [profile a] max_idel = 3m: unknown key; did you mean max_idle?",
	    "F:4: [profile a] max_idle = 1x: not a duration; write ",
	    "F:5: [profile a] whatever = 1: unknown key; [profile] has inherits, model, ",
	    "F:7: [profile a] model = b: repeated; it was set in line 6",
	    "F:8: [profile a] command = x: not in this section; it belongs in [runner NAME]",
	    "F:9: [profile a] nice = 20: too large", "F:10: [profile a] approvals = no: not one of",
	    NULL);
	assert_faults("[runner a]\ncommand = a 'b\nmatch_chld = x\nmodel = m\n",
	    "F:2: [runner a] command = a 'b: a ' that is not closed",
	    "F:3: [runner a] match_chld = x: unknown key; did you mean match_child?",
	    "F:4: [runner a] model = m: not in this section; it belongs in [profile NAME]", NULL);
	assert_faults("[spawnd]\nmodel = m\n",
	    "F:2: [spawnd] model = m: not in this section; it belongs in [profile NAME]", NULL);
}

static void
what_sections_say_together_is_checked(void **state)
{
	(void)state;
	assert_faults("[profile a]\ninherits = b\n[profile b]\nmodel = m\ninherits = a\n"
		      "[profile c]\ninherits = d\n",
	    "F:2: [profile a] inherits = b: it inherits in a circle, a from b from a; ",
	    "F:5: [profile b] inherits = a: it inherits in a circle, b from a from b; ",
	    "F:7: [profile c] inherits = d: there is no such profile; there are a, b, c", NULL);
	assert_faults(
	    "[runner a]\nmatch_child = x\n[runner b]\ncommand = b\n[runner c]\n"
	    "match_model = m*\ncommand = c\n[runner d]\nmatch_profile = p\ncommand = d %a\n",
	    "F:1: [runner a]: no command; write command = ",
	    "F:5: [runner c]: it can never match: [runner b] in line 3 comes first",
	    "F:9: [runner d] match_profile = p: no profile is called that; there are none", NULL);
	assert_faults("[profile a]\npool = cpu\n[pool gpu]\nmax_running = 1\n[pool net]\n",
	    "F:2: [profile a] pool = cpu: there is no such pool; there are gpu, net",
	    "F:5: [pool net]: a pool without max_running; say how many ", NULL);
}

static void
a_missing_file_is_like_an_empty_one(void **state)
{
	struct config standard;

	(void)state;
	config_default(&standard);
	assert_int_equal(read_path("none"), 0);
	assert_int_equal(told.count, 0);
	assert_memory_equal(&config, &standard, sizeof(config));
	assert_int_equal(origin.line[0], 0);
	assert_taken("\n");
	assert_memory_equal(&config, &standard, sizeof(config));
}

static void
a_file_is_read_by_its_path(void **state)
{
	char path[256];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/f", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("[spawnd]\nmax_running = 5\n", file);
	fclose(file);
	assert_int_equal(read_path("f"), 0);
	assert_int_equal(config.max_running, 5);
	assert_int_equal(truncate(path, 2 << 20), 0);
	assert_int_equal(read_path("f"), -EFBIG);
	assert_non_null(strstr(told.text[0], "/f: larger than 1 MiB"));
	unlink(path);
}

static void
what_is_no_file_is_refused_at_once(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(read_path("."), -EISDIR);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.text[0], "/.: a directory"));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_path("fifo"), -EINVAL);
	assert_non_null(strstr(told.text[0], "/fifo: not a regular file"));
	unlink(path);
	assert_int_equal(symlink("loop", (snprintf(path, sizeof(path), "%s/loop", dir), path)), 0);
	assert_int_equal(read_path("loop"), -ELOOP);
	assert_non_null(strstr(told.text[0], "/loop: cannot be opened: "));
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(settings_are_taken_with_their_lines),
	    cmocka_unit_test(carriage_returns_at_line_ends_are_taken),
	    cmocka_unit_test(a_value_is_shown_with_its_place_and_its_mend),
	    cmocka_unit_test(names_that_are_close_are_suggested),
	    cmocka_unit_test(what_was_meant_is_checked_as_well),
	    cmocka_unit_test(what_would_cut_a_value_is_refused),
	    cmocka_unit_test(lines_that_mean_nothing_are_refused),
	    cmocka_unit_test(a_key_stands_once),
	    cmocka_unit_test(what_is_too_long_is_refused_and_not_cut),
	    cmocka_unit_test(a_long_value_is_shown_by_its_beginning),
	    cmocka_unit_test(garbage_is_named),
	    cmocka_unit_test(sections_with_names_are_taken_as_they_stand),
	    cmocka_unit_test(names_of_sections_are_checked),
	    cmocka_unit_test(keys_of_named_sections_are_checked),
	    cmocka_unit_test(what_sections_say_together_is_checked),
	    cmocka_unit_test(a_missing_file_is_like_an_empty_one),
	    cmocka_unit_test(a_file_is_read_by_its_path),
	    cmocka_unit_test(what_is_no_file_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
