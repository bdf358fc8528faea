/*
 * moment: points in time as people and programs write them.
 */
#ifndef CONFIG_MOMENT_H
#define CONFIG_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* What moment_parse() reads, for messages. */
#define MOMENT_FORMS "2026-12-31T08:00:00Z, '2026-12-31 08:00' or 08:00"

/*
 * Reads RFC 3339 into milliseconds since 1970, in *ret_ms: date, 'T' or a space, time of day to the
 * minute, second or a fraction of it, and 'Z' or an offset (+01:00). Where is_local, the zone may be
 * left out, which is that of TZ then, and so may the date: the next such time after now_ms. 0, or
 * -EINVAL.
 */
int moment_parse(const char *text, bool is_local, int64_t now_ms, int64_t *ret_ms);

#endif
