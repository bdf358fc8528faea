/*
 * crash: where the simulated server may die: at each passage of a point a chance decides, and the process kills
 * itself as kill -9 would, whatever it was about to do. The simulator of queue and family.
 */
#ifndef FAMILY_CRASH_H
#define FAMILY_CRASH_H

#include <stdbool.h>

/* Begins anew; is_deadly: servers die in this world. */
void crash_init(bool is_deadly);

/* From here on no server dies. */
void crash_stop(void);

/* A point; name is a constant text. One passage in so many kills. */
void crash_here(const char *name, unsigned rarity);

#endif
