/*
 * size: counts of bytes as people write them: "4096", "64K", "512M", "2G", "1T"; each letter is 1024
 * of the one before.
 */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdint.h>

/* Fits every text that size_format() makes, with its NUL. */
#define SIZE_TEXT_SIZE 24

/*
 * Reads text into *ret_bytes. Returns 0; -EINVAL if the text is no size (empty, a sign, white space, a
 * fraction, another letter); -ERANGE if it does not fit. *ret_bytes is written only on success.
 */
int size_parse(const char *text, uint64_t *ret_bytes);

/* Writes bytes with the largest letter that keeps it exact; size_parse() reads it back. */
void size_format(uint64_t bytes, char text[SIZE_TEXT_SIZE]);

#endif
