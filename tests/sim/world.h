/*
 * world: the simulator's ground: chance that comes from a seed alone, time that passes only when
 * somebody says so, and things that happen later. What happened is remembered, for the day a promise
 * is broken.
 *
 * One world a process: what stands in for the kernel is called without an argument to carry it. A world
 * goes on in the children of its process, and in this one when they have ended: its memory is theirs, too.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_NEVER UINT64_MAX

/* Begins anew. The option and its amount are only remembered, for who wants to see it again. */
void world_init(uint64_t seed, const char *option, uint64_t amount);

/* Zeroed memory of the world's, for ever; what points into it is true in all of its processes. */
void *world_memory(size_t size);

/* Any number; one below n (n > 0); one of low..high; true once in n times. */
uint64_t world_random(void);
uint64_t world_below(uint64_t n);
uint64_t world_between(uint64_t low, uint64_t high);
bool world_once_in(uint64_t n);

/* Nanoseconds; world_pass() lets some pass, as each system call does. */
uint64_t world_now(void);
void world_pass(uint64_t ns);

/* Calls happen(arg, tag) when at_ns has come and the world is let run. */
void world_at(uint64_t at_ns, void (*happen)(void *arg, uint64_t tag), void *arg, uint64_t tag);

/* When the next thing happens, WORLD_NEVER if nothing does. */
uint64_t world_next(void);

/* Lets the next thing happen, at its time or now if that has passed. */
void world_step(void);

/* Everything whose time has come. */
void world_catch_up(void);

/* How many things have happened. */
uint64_t world_happenings(void);

/* How many things have happened, system calls included: what the simulator's speed is measured by. */
uint64_t world_events(void);

/* Remembers that something happened to a job (0: to none). what is a constant text. */
void world_note(uint64_t job, const char *what, int64_t a, int64_t b);

/* A promise was broken: prints how to see it again, and what happened to the job last. Exits with 1. */
_Noreturn void world_broken(uint64_t job, const char *promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
