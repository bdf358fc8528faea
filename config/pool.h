/*
 * pool: [pool NAME] of spawnd.ini: something of which there is only so much, and how many jobs may use it at
 * once. Pure.
 */
#ifndef CONFIG_POOL_H
#define CONFIG_POOL_H

#include "base/fault.h"
#include "config/section.h"

#include <stdint.h>

/* The key of that number, or NULL behind the last. */
const char *pool_key(size_t number);

/* 0; -ENOENT: there is no such key; or -EINVAL/-ERANGE with f saying what is wrong with the value. */
int pool_check(const char *key, const char *value, struct fault *f);

/* 0, or -ENOENT with f saying what the section lacks. */
int pool_check_whole(const struct section *pool, struct fault *f);

/* How many jobs of it may run at once; of a section without a fault. */
uint32_t pool_max_running(const struct section *pool);

#endif
