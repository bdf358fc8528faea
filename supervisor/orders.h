/*
 * orders: what the server orders of jobs that are there already. Those for a job that is not there are
 * ignored, with a line in the log.
 */
#ifndef SUPERVISOR_ORDERS_H
#define SUPERVISOR_ORDERS_H

#include "supervisor/brood.h"

#include <stdbool.h>
#include <stdint.h>

/* Ends it: because somebody asked, or it wrote too much; another cause is ignored. */
void orders_cancel(struct brood *b, const struct wire_cancel *cancel);

/* Stops the tree and its clocks, or lets them go on. */
void orders_pause(struct brood *b, uint64_t job, bool is_paused);

/* Stops its idle clock alone, or lets it go on where it stood. */
void orders_lull(struct brood *b, uint64_t job, bool is_lulled);

/* Its end is stored: the slot is free. */
void orders_forget(struct brood *b, uint64_t job);

/* LOOKED shall tell how it is. */
void orders_look(struct brood *b, uint64_t job);

#endif
