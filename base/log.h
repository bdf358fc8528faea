/*
 * log: what the daemon has to say to its keeper, one line each, on standard error. The two loops
 * and the commands log; lower floors return errors instead.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/*
 * name ("supervisor", "server") goes before each line. With timestamps (a log file, where nobody
 * else adds them) each line begins with the time in UTC.
 */
void log_init(const char *name, bool has_timestamps);

/* One line, with no newline at its end. Keeps errno. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
