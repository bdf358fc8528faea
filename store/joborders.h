/*
 * joborders: struct store_order as columns. For store/jobs.c alone.
 */
#ifndef STORE_JOBORDERS_H
#define STORE_JOBORDERS_H

#include "store/sql.h"
#include "store/store.h"

/* How many columns there are, in a row: ORDER_COLUMNS of sql.c. */
#define JOBORDERS_COUNT 10

/* Binds them to the parameters from `first` on. */
void joborders_bind(struct sql_use *u, int first, const struct store_order *o);

/* Binds the four that say when it is due. */
void joborders_bind_due(struct sql_use *u, int first, const struct store_order *o);

/* Reads them from the columns from `first` on. */
void joborders_load(const struct sql_use *u, int first, struct store_order *o);

#endif
