/*
 * config: the settings of spawnd: one table of rows from which the INI reader, `config show`, and for
 * what may be given per job the options of the commands, their usage and the parameters of Enqueue are
 * made.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/fault.h"
#include "watchdog/watchdog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_durability {
	DURABILITY_FULL,
	DURABILITY_NORMAL,
	DURABILITY_COUNT
};

enum config_orphans {
	ORPHANS_KEEP,
	ORPHANS_CANCEL,
	ORPHANS_COUNT
};

/* No limit, where a count may have none. */
#define CONFIG_UNLIMITED UINT32_MAX

/* Of jobs: higher is first. */
#define CONFIG_PRIORITY_LEAST (-100)
#define CONFIG_PRIORITY_MOST 100

/* The settings in force. A value. */
struct config {
	uint32_t max_running;
	uint32_t max_running_per_parent; /* CONFIG_UNLIMITED: none */
	uint32_t queue_limit;
	uint32_t orphans;    /* enum config_orphans */
	uint32_t max_depth;  /* a job whose parent is no job is at depth 0 */
	uint32_t durability; /* enum config_durability */
	uint32_t keep_jobs;  /* that have ended; CONFIG_UNLIMITED: any number */
	uint64_t keep_ns;    /* how long they are kept; WATCHDOG_OFF: for ever */
	uint32_t is_autostart;
	uint32_t containment; /* enum wire_containment: what is wished for */
	struct limits limits; /* what may be given per job */
};

enum config_type {
	CONFIG_COUNT_NUMBER, /* uint32_t, minimum..maximum */
	CONFIG_AMOUNT,       /* uint64_t, minimum..maximum */
	CONFIG_SIZE,         /* uint64_t, bytes, minimum..maximum */
	CONFIG_DURATION,     /* uint64_t, nanoseconds, minimum..maximum */
	CONFIG_SWITCH,       /* uint32_t: yes, no */
	CONFIG_CHOICE,       /* uint32_t: index into words */
	CONFIG_SET,          /* uint32_t: bits by index into words, comma-separated, at least one */
	CONFIG_SIGNAL,       /* int32_t */
	CONFIG_NICE,         /* int32_t: -20..19, or LIMITS_NICE_INHERIT */
	CONFIG_TYPE_COUNT
};

struct config_row {
	const char *section; /* "spawnd", "watchdog", "limits" */
	const char *key;     /* "max_idle"; as an option of the commands: --max-idle */
	enum config_type type;
	size_t offset;             /* in struct config */
	uint64_t minimum, maximum; /* in the field's unit */
	/* Whether "off" is allowed: CONFIG_UNLIMITED in a COUNT_NUMBER, else WATCHDOG_OFF. */
	bool may_be_off;
	const char *const *words; /* CHOICE, SET: NULL-terminated */
	const char *standard;     /* the default, as one would write it */
	const char *help;         /* one phrase, for usage and `config show` */
};

/* All rows, ended by one whose key is NULL. */
extern const struct config_row config_rows[];

/* Room for all rows of what may be given per job: those whose field lies in struct limits. */
#define CONFIG_LIMITS_MAX 24

/* The row of that number among these, in the table's order, or NULL behind the last. */
const struct config_row *config_limit(size_t number);

/* The row, or NULL. */
const struct config_row *config_find(const char *section, const char *key);

/* Fills c with the defaults of the table. */
void config_default(struct config *c);

/*
 * Reads text as row's type into c (config_set_limit() where only limits are at hand, for the rows of
 * config_limit() alone). 0, or -EINVAL/-ERANGE with f saying what is wrong and what would be right,
 * without naming the key; then nothing is changed.
 */
int config_set(struct config *c, const struct config_row *row, const char *text, struct fault *f);
int config_set_limit(struct limits *l, const struct config_row *row, const char *text,
    struct fault *f);

/* Writes the row's value in c, or of a row of config_limit() in l, as config_set() reads it. */
void config_format(const struct config *c, const struct config_row *row, char *text, size_t size);
void config_format_limit(const struct limits *l, const struct config_row *row, char *text,
    size_t size);

#endif
