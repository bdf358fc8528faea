/*
 * jobprofiles: what a job has of its profile, beside the limits, as columns. For store/jobs.c alone.
 */
#ifndef STORE_JOBPROFILES_H
#define STORE_JOBPROFILES_H

#include "store/sql.h"
#include "store/store.h"

/* How many columns there are, in a row: PROFILE_COLUMNS of sql.c. */
#define JOBPROFILES_COUNT 4

/* Binds them to the parameters from `first` on. */
void jobprofiles_bind(struct sql_use *u, int first, const struct store_job *j);

/* Reads them from the columns from `first` on. */
void jobprofiles_load(const struct sql_use *u, int first, struct store_job *j);

#endif
