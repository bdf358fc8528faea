/*
 * standings: how a job that runs stands (wire/standing.h) as columns. For store/jobs.c alone.
 */
#ifndef STORE_STANDINGS_H
#define STORE_STANDINGS_H

#include "store/sql.h"
#include "wire/standing.h"

/* How many columns there are, in a row: STANDING_COLUMNS of sql.c. */
#define STANDINGS_COUNT 19

/* Binds them to the parameters from `first` on. */
void standings_bind(struct sql_use *u, int first, const struct standing *st);

/* Reads them from the columns from `first` on; job is the caller's. */
void standings_load(const struct sql_use *u, int first, struct standing *st);

#endif
