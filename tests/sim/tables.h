/*
 * tables: the supervisor's own tables, looked into from outside: what must add up after each turn.
 */
#ifndef SIM_TABLES_H
#define SIM_TABLES_H

#include "supervisor/child.h"

#include <stdbool.h>
#include <stdint.h>

void tables_init(void);

/* The state in which the supervisor has the job; CHILD_FREE: it has none. */
enum child_state tables_state(uint64_t job);

/* Whether it has nothing left to do for it. */
bool tables_is_over(uint64_t job);

/* After each turn. */
void tables_check(void);

#endif
