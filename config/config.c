/*
 * config: see config.h. Used by the server, and by the commands for the options of a job and
 * `config`. Turns text into settings and back, by the table below alone; reads no file, prints
 * nothing, and writes a setting only when its text is right.
 */
#include "config/config.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/signame.h"
#include "base/size.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Above all that duration_parse() accepts, below DURATION_OFF. */
#define LONGEST (DURATION_OFF - 1)

#define KIB UINT64_C(1024)
#define LARGEST (KIB * KIB * KIB * KIB * KIB) /* 1024T: no machine has as much */
#define MOST_PROCESSES (UINT64_C(1) << 22)    /* of pid_max, proc(5), at the most */
#define MOST_FILES (UINT64_C(1) << 30)        /* of fs.nr_open, at the most */

static const char *const durability_words[] = {"full", "normal", NULL};
static const char *const orphans_words[] = {"keep", "cancel", NULL};
static const char *const activity_words[] = {"heartbeat", "output", NULL};
static const char *const idle_from_words[] = {"start", "first-beat", NULL};
static const char *const leftovers_words[] = {"kill", "wait", "leave", NULL};
static const char *const on_output_words[] = {"trim", "kill", NULL};
static const char *const containment_words[] = {"auto", "cgroup", "subreaper", "group", NULL};

const struct config_row config_rows[] = {
    {"spawnd", "max_running", CONFIG_COUNT_NUMBER, offsetof(struct config, max_running), 1, 32768,
	false, NULL, "8", "how many jobs run at once"},
    {"spawnd", "max_running_per_parent", CONFIG_COUNT_NUMBER,
	offsetof(struct config, max_running_per_parent), 1, 32768, true, NULL, "off",
	"how many jobs of one parent run at once"},
    {"spawnd", "queue_limit", CONFIG_COUNT_NUMBER, offsetof(struct config, queue_limit), 1,
	10000000, false, NULL, "10000",
	"how many jobs may wait for room or their time; beyond that, enqueue waits"},
    {"spawnd", "max_depth", CONFIG_COUNT_NUMBER, offsetof(struct config, max_depth), 0, 64, false,
	NULL, "4", "how deep jobs may be below a job whose parent is none"},
    {"spawnd", "orphans", CONFIG_CHOICE, offsetof(struct config, orphans), 0, 0, false,
	orphans_words, "keep", "what becomes of the children of a job that ends"},
    {"spawnd", "durability", CONFIG_CHOICE, offsetof(struct config, durability), 0, 0, false,
	durability_words, "full",
	"whether a job survives a crash of the machine (full) or of spawnd only (normal)"},
    {"spawnd", "keep", CONFIG_DURATION, offsetof(struct config, keep_ns), NSEC_PER_SEC, LONGEST,
	true, NULL, "30d", "how long a job is remembered after its end"},
    {"spawnd", "keep_jobs", CONFIG_COUNT_NUMBER, offsetof(struct config, keep_jobs), 0, 10000000,
	true, NULL, "100000", "how many jobs that have ended are remembered"},
    {"spawnd", "autostart", CONFIG_SWITCH, offsetof(struct config, is_autostart), 0, 0, false, NULL,
	"yes", "whether commands start the daemon when none answers"},
    {"spawnd", "containment", CONFIG_CHOICE, offsetof(struct config, containment), 0, 0, false,
	containment_words, "auto", "how a job's processes are held together"},
    {"spawnd", "leftovers", CONFIG_CHOICE, offsetof(struct config, limits.leftovers), 0, 0, false,
	leftovers_words, "kill", "what becomes of processes that outlive a job's first one"},
    {"watchdog", "max_total", CONFIG_DURATION, offsetof(struct config, limits.max_total_ns),
	NSEC_PER_MSEC, LONGEST, true, NULL, "1h", "how long a job may run"},
    {"watchdog", "max_idle", CONFIG_DURATION, offsetof(struct config, limits.max_idle_ns),
	NSEC_PER_MSEC, LONGEST, true, NULL, "15m", "how long a job may show no sign of life"},
    {"watchdog", "check_interval", CONFIG_DURATION,
	offsetof(struct config, limits.check_interval_ns), 0, 86400 * NSEC_PER_SEC, false, NULL,
	"0", "deadlines are rounded up to multiples of this; 0: exact"},
    {"watchdog", "kill_signal", CONFIG_SIGNAL, offsetof(struct config, limits.kill_signal), 0, 0,
	false, NULL, "TERM", "the signal that asks a job to end"},
    {"watchdog", "kill_grace", CONFIG_DURATION, offsetof(struct config, limits.kill_grace_ns), 0,
	LONGEST, false, NULL, "10s", "the time from that signal to SIGKILL"},
    {"watchdog", "activity", CONFIG_SET, offsetof(struct config, limits.activity), 0, 0, false,
	activity_words, "heartbeat,output", "what counts as a sign of life"},
    {"watchdog", "idle_from", CONFIG_CHOICE, offsetof(struct config, limits.idle_from), 0, 0, false,
	idle_from_words, "start", "whether max_idle counts from the start or from the first beat"},
    {"watchdog", "max_extend", CONFIG_DURATION, offsetof(struct config, limits.max_extend_ns), 0,
	LONGEST, false, NULL, "0", "how much a job may add to max_total by itself"},
    {"limits", "nice", CONFIG_NICE, offsetof(struct config, limits.nice), 0, 0, false, NULL,
	"inherit", "the nice value, -20 to 19"},
    {"limits", "max_memory", CONFIG_SIZE, offsetof(struct config, limits.max_memory), KIB *KIB,
	LARGEST, true, NULL, "off", "how much memory for data a process may have"},
    {"limits", "max_processes", CONFIG_AMOUNT, offsetof(struct config, limits.max_processes), 1,
	MOST_PROCESSES, true, NULL, "off", "how many processes there may be"},
    {"limits", "max_open_files", CONFIG_AMOUNT, offsetof(struct config, limits.max_open_files), 16,
	MOST_FILES, true, NULL, "off", "how many files a process may have open"},
    {"limits", "max_cpu", CONFIG_DURATION, offsetof(struct config, limits.max_cpu_ns), NSEC_PER_SEC,
	LONGEST, true, NULL, "off", "how much processor time a process may use, in whole seconds"},
    {"limits", "max_output", CONFIG_SIZE, offsetof(struct config, limits.max_output), 4 * KIB,
	LARGEST, true, NULL, "64M", "how much of its output is kept on the disk"},
    {"limits", "on_output_limit", CONFIG_CHOICE, offsetof(struct config, limits.on_output_limit), 0,
	0, false, on_output_words, "trim", "beyond that: drop the oldest output, or end the job"},
    {.key = NULL},
};

const struct config_row *
config_find(const char *section, const char *key)
{
	const struct config_row *row;

	for (row = config_rows; row->key != NULL; row++) {
		if (strcmp(row->section, section) == 0 && strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

/* Whether the row may be given per job. */
static bool
is_limit(const struct config_row *row)
{
	size_t start = offsetof(struct config, limits);

	return row->offset >= start && row->offset < start + sizeof(struct limits);
}

const struct config_row *
config_limit(size_t number)
{
	for (const struct config_row *row = config_rows; row->key != NULL; row++) {
		if (is_limit(row) && number-- == 0)
			return row;
	}
	return NULL;
}

/* "off" is WATCHDOG_OFF. */
static int
set_amount(uint64_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	const char *why = "invalid";
	long long number = 0;

	if (row->may_be_off && strcmp(text, "off") == 0) {
		*field = WATCHDOG_OFF;
		return 0;
	}
	if (isdigit((unsigned char)text[0]))
		number = strtonum(text, (long long)row->minimum, (long long)row->maximum, &why);
	if (why != NULL) {
		bool is_number = strcmp(why, "invalid") != 0; /* but too large or too small */
		return fault_set(f, is_number ? ERANGE : EINVAL,
		    "%s; write a whole number from %" PRIu64 " to %" PRIu64 "%s",
		    is_number ? why : "not a whole number", row->minimum, row->maximum,
		    row->may_be_off ? ", or off" : "");
	}
	*field = (uint64_t)number;
	return 0;
}

static int
set_number(uint32_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	uint64_t amount;
	int rc = set_amount(&amount, row, text, f);

	if (rc == 0)
		*field = amount == WATCHDOG_OFF ? CONFIG_UNLIMITED : (uint32_t)amount;
	return rc;
}

static int
set_size(uint64_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	char least[SIZE_TEXT_SIZE], most[SIZE_TEXT_SIZE], allowed[96];
	uint64_t bytes;
	int rc = size_parse(text, &bytes);

	size_format(row->minimum, least);
	size_format(row->maximum, most);
	snprintf(allowed, sizeof(allowed), "bytes, or 64K, 64M, 2G, 1T, from %s to %s%s", least,
	    most, row->may_be_off ? ", or off" : "");
	if (row->may_be_off && strcmp(text, "off") == 0)
		bytes = WATCHDOG_OFF;
	else if (rc == -EINVAL)
		return fault_set(f, EINVAL, "not a size; write %s", allowed);
	else if (rc == -ERANGE || bytes > row->maximum)
		return fault_set(f, ERANGE, "too large; write %s", allowed);
	else if (bytes < row->minimum)
		return fault_set(f, ERANGE, "too small; write %s", allowed);
	*field = bytes;
	return 0;
}

static int
set_nice(int32_t *field, const char *text, struct fault *f)
{
	const char *why = "invalid";
	long long number = 0;

	if (strcmp(text, "inherit") == 0) {
		*field = LIMITS_NICE_INHERIT;
		return 0;
	}
	if (isdigit((unsigned char)text[text[0] == '-']))
		number = strtonum(text, -20, 19, &why);
	if (why != NULL) {
		bool is_number = strcmp(why, "invalid") != 0; /* but too large or too small */
		return fault_set(f, is_number ? ERANGE : EINVAL,
		    "%s; write a whole number from -20 (first) to 19 (last), or inherit",
		    is_number ? why : "not a nice value");
	}
	*field = (int32_t)number;
	return 0;
}

/* What the row allows, to follow "; write ". */
static void
describe_durations(const struct config_row *row, char *text, size_t size)
{
	char least[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];

	duration_format(row->minimum, least);
	duration_format(row->maximum, most);
	snprintf(text, size, "90, 90s, 1.5m, 2h%s%s%s%s%s",
	    row->may_be_off ? ", 1d or off" : " or 1d", row->minimum > 0 ? ", at least " : "",
	    row->minimum > 0 ? least : "", row->maximum < LONGEST ? ", at most " : "",
	    row->maximum < LONGEST ? most : "");
}

static int
set_duration(uint64_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	char allowed[128];
	uint64_t ns;
	int rc = duration_parse(text, &ns);

	describe_durations(row, allowed, sizeof(allowed));
	if (rc == -ERANGE)
		return fault_set(f, ERANGE, "longer than 100 years; write %s", allowed);
	if (rc < 0)
		return fault_set(f, EINVAL, "not a duration; write %s", allowed);
	if (ns == DURATION_OFF && !row->may_be_off)
		return fault_set(f, EINVAL, "cannot be off; write %s", allowed);
	if (ns == 0 && row->minimum > 0 && row->may_be_off)
		return fault_set(f, ERANGE, "0 is no limit; use off for none, or write %s",
		    allowed);
	if (ns < row->minimum)
		return fault_set(f, ERANGE, "too short; write %s", allowed);
	if (ns != DURATION_OFF && ns > row->maximum)
		return fault_set(f, ERANGE, "too long; write %s", allowed);
	*field = ns;
	return 0;
}

static int
set_switch(uint32_t *field, const char *text, struct fault *f)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return fault_set(f, EINVAL, "neither yes nor no; write yes or no");
	*field = strcmp(text, "yes") == 0;
	return 0;
}

/* The index of the word that is text[0..len), or -1. */
static int
find_word(const char *const *words, const char *text, size_t len)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return i;
	}
	return -1;
}

static void
join_words(const char *const *words, const char *between, char *text, size_t size)
{
	text[0] = '\0';
	for (int i = 0; words[i] != NULL; i++) {
		if (i > 0)
			strlcat(text, between, size);
		strlcat(text, words[i], size);
	}
}

static int
set_choice(uint32_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	int index = find_word(row->words, text, strlen(text));
	char allowed[128];

	if (index < 0) {
		join_words(row->words, " or ", allowed, sizeof(allowed));
		return fault_set(f, EINVAL, "not one of its words; write %s", allowed);
	}
	*field = (uint32_t)index;
	return 0;
}

static int
set_bits(uint32_t *field, const struct config_row *row, const char *text, struct fault *f)
{
	char allowed[128];
	uint32_t bits = 0;
	const char *end;

	join_words(row->words, ", ", allowed, sizeof(allowed));
	for (;; text = end + 1) {
		text += strspn(text, " \t");
		end = strchrnul(text, ',');
		size_t len = (size_t)(end - text);
		while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			len--;
		int index = find_word(row->words, text, len);
		if (index < 0) {
			return fault_set(f, EINVAL,
			    "'%.*s' is not one of its words; write one or more of %s, with commas",
			    (int)(len > 40 ? 40 : len), text, allowed);
		}
		bits |= UINT32_C(1) << index;
		if (*end == '\0')
			break;
	}
	*field = bits;
	return 0;
}

static int
set_signal(int32_t *field, const char *text, struct fault *f)
{
	int signo = signame_parse(text);

	if (signo <= 0 || signo > SIGRTMAX) {
		return fault_set(f, EINVAL,
		    "not a signal; write its name, such as TERM, INT or HUP, or its number");
	}
	*field = signo;
	return 0;
}

/* The row's field in something that begins `skipped` bytes into struct config. */
static int
set_field(void *base, size_t skipped, const struct config_row *row, const char *text,
    struct fault *f)
{
	void *field = (char *)base + (row->offset - skipped);

	switch (row->type) {
	case CONFIG_COUNT_NUMBER:
		return set_number(field, row, text, f);
	case CONFIG_AMOUNT:
		return set_amount(field, row, text, f);
	case CONFIG_SIZE:
		return set_size(field, row, text, f);
	case CONFIG_DURATION:
		return set_duration(field, row, text, f);
	case CONFIG_SWITCH:
		return set_switch(field, text, f);
	case CONFIG_CHOICE:
		return set_choice(field, row, text, f);
	case CONFIG_SET:
		return set_bits(field, row, text, f);
	case CONFIG_SIGNAL:
		return set_signal(field, text, f);
	case CONFIG_NICE:
		return set_nice(field, text, f);
	case CONFIG_TYPE_COUNT:
		break;
	}
	return fault_set(f, EINVAL, "not a setting");
}

int
config_set(struct config *c, const struct config_row *row, const char *text, struct fault *f)
{
	return set_field(c, 0, row, text, f);
}

int
config_set_limit(struct limits *l, const struct config_row *row, const char *text, struct fault *f)
{
	if (!is_limit(row))
		return fault_set(f, EINVAL, "not a setting of single jobs");
	return set_field(l, offsetof(struct config, limits), row, text, f);
}

void
config_default(struct config *c)
{
	memset(c, 0, sizeof(*c));
	for (const struct config_row *row = config_rows; row->key != NULL; row++)
		config_set(c, row, row->standard, NULL);
}

static void
format_number(uint32_t number, char *text, size_t size)
{
	if (number == CONFIG_UNLIMITED)
		strlcpy(text, "off", size);
	else
		snprintf(text, size, "%" PRIu32, number);
}

/* One of the types whose WATCHDOG_OFF is "off". */
static void
format_amount(enum config_type type, uint64_t amount, char *text, size_t size)
{
	char words[DURATION_TEXT_SIZE > SIZE_TEXT_SIZE ? DURATION_TEXT_SIZE : SIZE_TEXT_SIZE];

	if (amount == WATCHDOG_OFF)
		strlcpy(words, "off", sizeof(words));
	else if (type == CONFIG_SIZE)
		size_format(amount, words);
	else if (type == CONFIG_DURATION)
		duration_format(amount, words);
	else
		snprintf(words, sizeof(words), "%" PRIu64, amount);
	strlcpy(text, words, size);
}

static void
format_nice(int32_t nice, char *text, size_t size)
{
	if (nice == LIMITS_NICE_INHERIT)
		strlcpy(text, "inherit", size);
	else
		snprintf(text, size, "%" PRId32, nice);
}

static void
format_bits(uint32_t bits, const char *const *words, char *text, size_t size)
{
	text[0] = '\0';
	for (int i = 0; words[i] != NULL; i++) {
		if ((bits & UINT32_C(1) << i) == 0)
			continue;
		if (text[0] != '\0')
			strlcat(text, ",", size);
		strlcat(text, words[i], size);
	}
}

static void
format_field(const void *field, const struct config_row *row, char *text, size_t size)
{
	char signal_name[SIGNAME_SIZE];

	switch (row->type) {
	case CONFIG_COUNT_NUMBER:
		format_number(*(const uint32_t *)field, text, size);
		return;
	case CONFIG_AMOUNT:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		format_amount(row->type, *(const uint64_t *)field, text, size);
		return;
	case CONFIG_SWITCH:
		strlcpy(text, *(const uint32_t *)field ? "yes" : "no", size);
		return;
	case CONFIG_CHOICE:
		strlcpy(text, row->words[*(const uint32_t *)field], size);
		return;
	case CONFIG_SET:
		format_bits(*(const uint32_t *)field, row->words, text, size);
		return;
	case CONFIG_SIGNAL:
		signame_format(*(const int32_t *)field, signal_name);
		strlcpy(text, signal_name, size);
		return;
	case CONFIG_NICE:
		format_nice(*(const int32_t *)field, text, size);
		return;
	case CONFIG_TYPE_COUNT:
		break;
	}
	strlcpy(text, "", size);
}

void
config_format(const struct config *c, const struct config_row *row, char *text, size_t size)
{
	format_field((const char *)c + row->offset, row, text, size);
}

void
config_format_limit(const struct limits *l, const struct config_row *row, char *text, size_t size)
{
	format_field((const char *)l + (row->offset - offsetof(struct config, limits)), row, text,
	    size);
}
