/*
 * duration: lengths of time as people write them: "90", "90s", "1.5m", "2h", "1d", "off".
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* What "off" stands for: longer than any clock runs. */
#define DURATION_OFF UINT64_MAX

/* Fits every text that duration_format() makes, with its NUL. */
#define DURATION_TEXT_SIZE 32

/*
 * Reads text into *ret_ns, in nanoseconds; seconds where no unit stands. Returns 0; -EINVAL if the
 * text is no duration (empty, a sign, white space, an unknown unit); -ERANGE if it is longer than
 * 100 years. *ret_ns is written only on success.
 */
int duration_parse(const char *text, uint64_t *ret_ns);

/*
 * Writes ns in the largest unit that keeps it exact ("1.5s", "15m", "off"); duration_parse()
 * reads it back.
 */
void duration_format(uint64_t ns, char text[DURATION_TEXT_SIZE]);

#endif
