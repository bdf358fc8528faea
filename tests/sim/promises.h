/*
 * promises: what the supervisor promises, each checked where it could be broken. The kernel, the wire and
 * the processes tell what happens; whoever breaks a promise ends the run by world_broken().
 */
#ifndef SIM_PROMISES_H
#define SIM_PROMISES_H

#include "tests/sim/processes.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* The supervisor has read a message of the server's. */
void promises_asked(const struct wire_message *m);

/* It sends one. */
void promises_told(const struct wire_message *m);

/* It tries to signal something of a job (0: of none); it has reached a process. */
void promises_tried(uint64_t job, int signo);
void promises_signalled(const struct process *p, int signo);

/* It has learnt how the job's leader ended (0: the server); whether its program was executed. */
void promises_exit_known(uint64_t job);
void promises_settled(uint64_t job);

/* A turn of its loop is over. */
void promises_after_turn(void);

/* Whether the supervisor has a job that is not forgotten. */
bool promises_has_open_job(void);

/* It has returned. */
void promises_at_end(void);

#endif
