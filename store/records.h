/*
 * records: the feed of events, as the other files of store/ add to it. Nobody outside store/
 * includes it; the rest of records.c is in store.h.
 */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "store/sql.h"

/* Adds an event about a job at the next number; a transaction must be open. 0 or -errno. */
int records_add_event(struct store *s, int64_t at_ms, const char *kind, int64_t job,
    const char *body);

#endif
