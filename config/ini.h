/*
 * ini: reads spawnd.ini into a struct config, by inih, fenced against what that parser cuts or
 * joins silently: every line is looked at before inih sees it.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include "config/config.h"
#include "config/section.h"

#include <stdio.h>

/* A fault: where it is, what is wrong and what would be right. Strings are the callee's for the call. */
struct ini_fault {
	/* One line without newline: "FILE:LINE: [SECTION] KEY = VALUE: message". */
	const char *text;
	const char *file;
	int line; /* 0: the file as a whole */
	/* As they stand in the file, cut if they are long; empty where there is none. */
	const char *section, *key, *value;
	const char *message;
};

/*
 * Called once per fault, in the order of the file; at the end come those that lie in what several sections say
 * together: whom a profile inherits from, and runners that can never match.
 */
typedef void ini_fault_cb(void *arg, const struct ini_fault *fault);

/* Where each row's value came from: the line number by row index, 0 for the default. */
struct ini_origin {
	int line[64];
};

/*
 * Fills *ret_config from the file, the defaults where it says nothing. A file that does not exist is
 * like an empty one. Returns 0; or -EINVAL after all faults have been told, and -errno where the
 * file cannot be read (told as well): what is returned is written only on success. *ret_sections (NULL: not
 * wanted) is a reference of the caller's, in which all that inherits is known and goes in no circle, and each
 * runner has a command.
 */
int ini_read(const char *path, struct config *ret_config, struct ini_origin *ret_origin,
    struct sections **ret_sections, ini_fault_cb *cb, void *arg);

/* The same from an open stream, which stays the caller's; faults call it `name`. */
int ini_read_stream(FILE *stream, const char *name, struct config *ret_config,
    struct ini_origin *ret_origin, struct sections **ret_sections, ini_fault_cb *cb, void *arg);

#endif
