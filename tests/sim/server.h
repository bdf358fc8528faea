/*
 * server: the other end of the wire: one that asks for things in any order, sends nonsense, answers late,
 * loses what it was told, dies, and comes back.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "tests/sim/children.h"
#include "tests/sim/processes.h"

#include <stdbool.h>
#include <stdint.h>

void server_init(void);

/* The job whose SPAWN the supervisor has read last and may be starting; NULL: none. */
struct job *server_spawning(void);

/* EPOLL bits of the supervisor's end. */
uint32_t server_readiness(uint64_t file_number);

/* Whether the supervisor listens to it. */
bool server_is_heard(void);

/* It was started; it is dead; an end of its wire was closed by the supervisor. */
void server_cloned(const struct process *p);
void server_died(int wait_status);
void server_closed(uint64_t file_number);

/* What the supervisor must end with: a server ended by itself before any had served; 0: none did. */
int server_exit_code(void);

/* From now on nothing new is asked for, everything is cancelled and forgotten; then the supervisor stops. */
void server_drain(void);

#endif
