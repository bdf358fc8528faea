/*
 * aside: a file that is not to be trusted, or not ours, out of the way of a new store. Run by the
 * server, while it has no store open.
 */
#ifndef STORE_ASIDE_H
#define STORE_ASIDE_H

#include "base/fault.h"

#include <limits.h>
#include <stdint.h>

/*
 * Renames the file to PATH.set-aside-YYYYMMDDTHHMMSSZ, by the time in UTC, and with it what SQLite
 * keeps beside it; another file of that name is never overwritten, but gets another name beside it.
 * ret_path gets the name. 0 or -errno with f filled.
 */
int aside_move(const char *path, int64_t now_ms, char ret_path[PATH_MAX], struct fault *f);

/*
 * The highest number of a job that a file that was set aside can still tell; 0 if it cannot. Does not
 * write to it.
 */
int64_t aside_last_job(const char *path);

#endif
