/*
 * clock: the two clocks of spawnd. Limits run on CLOCK_MONOTONIC in nanoseconds; what people and
 * the store see is CLOCK_REALTIME in milliseconds since 1970. clock_gettime(2).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)

/* "2026-01-31T12:34:56.789Z" and its NUL. */
#define CLOCK_TEXT_SIZE 25

/* Nanoseconds of CLOCK_MONOTONIC. Cannot fail. */
uint64_t clock_mono_ns(void);

/* Nanoseconds of CLOCK_BOOTTIME: as CLOCK_MONOTONIC, with the time that the machine slept. Cannot fail. */
uint64_t clock_boot_ns(void);

/* Milliseconds of CLOCK_REALTIME since the Epoch. Cannot fail. */
int64_t clock_wall_ms(void);

/* By how much CLOCK_REALTIME is ahead of CLOCK_MONOTONIC: changes only when somebody sets the clock. */
int64_t clock_wall_ahead_ns(void);

/* a + b, or UINT64_MAX ("never") if that overflows. */
uint64_t clock_add_ns(uint64_t a, uint64_t b);

/* Writes wall_ms as RFC 3339 in UTC with milliseconds into text, always NUL-terminated. */
void clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

#endif
