/*
 * aside: see aside.h. Run by the server. What SQLite keeps beside the file goes first: a log that were
 * left alone beside a new file would be taken for garbage, and the last commits of the old one with
 * it.
 */
#include "store/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So many files may have been set aside in one second. */
#define NAMES_MAX 1000

static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};

#define SUFFIX_COUNT (sizeof(suffixes) / sizeof(suffixes[0]))

static int
join(const char *path, const char *suffix, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s%s", path, suffix) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Whether no file has that name, nor one beside it. */
static int
check_free(const char *path)
{
	char name[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; i < SUFFIX_COUNT && rc == 0; i++) {
		rc = join(path, suffixes[i], name);
		if (rc == 0 && faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			rc = -EEXIST;
	}
	return rc;
}

static int
find_name(const char *path, int64_t now_ms, char ret_path[PATH_MAX])
{
	time_t seconds = (time_t)(now_ms / 1000);
	char stamp[64], suffix[96];
	struct tm tm;
	int rc = -EEXIST;

	if (gmtime_r(&seconds, &tm) == NULL)
		return -EOVERFLOW;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < NAMES_MAX && rc == -EEXIST; i++) {
		snprintf(suffix, sizeof(suffix), i == 0 ? ".set-aside-%s" : ".set-aside-%s-%d",
		    stamp, i);
		rc = join(path, suffix, ret_path);
		if (rc == 0)
			rc = check_free(ret_path);
	}
	return rc;
}

/* Not every file system can refuse by itself to overwrite; find_name() has looked. */
static int
move(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS)
		return rename(from, to) == 0 ? 0 : -errno;
	return -errno;
}

int
aside_move(const char *path, int64_t now_ms, char ret_path[PATH_MAX], struct fault *f)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc = find_name(path, now_ms, ret_path);

	for (size_t i = 0; i < SUFFIX_COUNT && rc == 0; i++) {
		rc = join(path, suffixes[i], from);
		if (rc == 0)
			rc = join(ret_path, suffixes[i], to);
		if (rc == 0)
			rc = move(from, to);
		if (rc == -ENOENT && suffixes[i][0] != '\0')
			rc = 0;
	}
	if (rc < 0)
		return fault_set(f, -rc, "%s: cannot be set aside: %s; move it away yourself", path,
		    strerror(-rc));
	return 0;
}

int64_t
aside_last_job(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t last = 0;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ==
	    SQLITE_OK) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		if (sqlite3_prepare_v2(db, "SELECT seq FROM sqlite_sequence WHERE name = 'job'", -1,
			&stmt, NULL) == SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW)
			last = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	return last > 0 && last < INT64_MAX / 2 ? last : 0;
}
