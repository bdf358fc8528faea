/*
 * schema: the tables, indices and views of spawnd.db, and the steps that bring an older file up to
 * date. Only store.c uses it.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/fault.h"

#include <sqlite3.h>

/*
 * Looks at the file without SQLite, which might write to it: whether it is missing or empty (0), or
 * spawnd's and not newer than this program (0). Else -EBADMSG; -EPROTONOSUPPORT where it is newer;
 * -EOPNOTSUPP where it is no regular file; -EPERM where others own it or may read it; -errno where it
 * cannot be read; f names path, fault and mend. Opens and closes the file: no connection of this
 * process may have it open (POSIX locks, fcntl(2)).
 */
int schema_check_file(const char *path, struct fault *f);

/*
 * Brings the open database up to date, each step in a transaction of its own. 0; or
 * -EPROTONOSUPPORT for a newer schema with f filled; or a positive result code of SQLite.
 */
int schema_migrate(sqlite3 *db, const char *path, struct fault *f);

#endif
