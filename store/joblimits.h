/*
 * joblimits: the limits of a job as columns. For store/jobs.c alone.
 */
#ifndef STORE_JOBLIMITS_H
#define STORE_JOBLIMITS_H

#include "store/sql.h"
#include "watchdog/watchdog.h"

/* How many columns there are, in a row: LIMIT_COLUMNS of sql.c. */
#define JOBLIMITS_COUNT 16

/* Binds them to the parameters from `first` on. */
void joblimits_bind(struct sql_use *u, int first, const struct limits *l);

/* Reads them from the columns from `first` on. */
void joblimits_load(const struct sql_use *u, int first, struct limits *l);

#endif
