/*
 * adopted: jobs that an earlier supervisor might have started. Run by the player.
 */
#ifndef TESTS_FAULT_ADOPTED_H
#define TESTS_FAULT_ADOPTED_H

#include "tests/fault/fault.h"

/* Starts this command of a shell, in a session of its own and with the mark, and notes who it is. */
void adopted_start(struct fault_job *job, char *command, uint64_t mark);

/* How such a job stands that has just begun. */
void adopted_standing(const struct fault_job *job, uint64_t number, struct standing *ret_standing);

#endif
