/*
 * captive: whether a job can do nothing but wait for the answer to one call of `spawnd`: its first process makes
 * that call, or sleeps until the one process below it has exited, and so on down to the one that makes
 * it. Runs in the server, only looks.
 *
 * What a job that does more may come to cannot be told, and so it is none. Nor is what cannot be read.
 */
#ifndef SERVER_CAPTIVE_H
#define SERVER_CAPTIVE_H

#include <stdbool.h>
#include <sys/types.h>

/* Of the job with this first process; client: the process that made the call's connection. */
bool captive_is(pid_t leader, pid_t client);

#endif
