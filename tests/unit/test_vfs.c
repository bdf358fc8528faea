/*
 * test_vfs: each write, sync, truncation, opening, deletion and lock of SQLite's fails in turn, once or
 * from then on, until a run passes in which it is not reached: as SQLite tests itself. After each
 * failure the store is rolled back and usable, and holds what was committed, whole, and nothing else.
 */
#include "tests/unit/store_fixture.h"

#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>

/* What fails, and how. */
static struct {
	int countdown; /* the call that finds 1 fails; 0: none */
	bool is_lasting;
	bool is_blown; /* it has failed */
	int error;     /* errno that goes with it */
} fuse;

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs faulty;
static sqlite3_vfs *real_vfs;

static bool
fails(void)
{
	if (fuse.is_blown && fuse.is_lasting) {
		errno = fuse.error;
		return true;
	}
	if (fuse.countdown == 0 || --fuse.countdown > 0)
		return false;
	fuse.is_blown = true;
	errno = fuse.error;
	return true;
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((struct faulty_file *)file)->real;
}

#define REAL(method, ...) real_of(file)->pMethods->method(real_of(file), ##__VA_ARGS__)

static int
file_close(sqlite3_file *file)
{
	int rc = REAL(xClose);

	sqlite3_free(real_of(file));
	return rc;
}

static int
file_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	return REAL(xRead, bytes, len, at);
}

static int
file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	if (!fails())
		return REAL(xWrite, bytes, len, at);
	if (fuse.error != ENOSPC)
		return SQLITE_IOERR_WRITE;
	/* A disk that fills up takes some of it. */
	REAL(xWrite, bytes, len / 2, at);
	errno = ENOSPC;
	return SQLITE_FULL;
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : REAL(xTruncate, size);
}

/* No machine crashes here: what is synced need not be. */
static int
file_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return REAL(xFileSize, size);
}

static int
file_lock(sqlite3_file *file, int level)
{
	return REAL(xLock, level);
}

static int
file_unlock(sqlite3_file *file, int level)
{
	return REAL(xUnlock, level);
}

static int
file_check_reserved(sqlite3_file *file, int *result)
{
	return REAL(xCheckReservedLock, result);
}

static int
file_control(sqlite3_file *file, int op, void *arg)
{
	return REAL(xFileControl, op, arg);
}

static int
file_sector_size(sqlite3_file *file)
{
	return REAL(xSectorSize);
}

static int
file_characteristics(sqlite3_file *file)
{
	return REAL(xDeviceCharacteristics);
}

static int
file_shm_map(sqlite3_file *file, int page, int size, int may_extend, void volatile **map)
{
	return may_extend != 0 && fails() ? SQLITE_IOERR_SHMSIZE
					  : REAL(xShmMap, page, size, may_extend, map);
}

static int
file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return REAL(xShmLock, offset, n, flags);
}

static void
file_shm_barrier(sqlite3_file *file)
{
	REAL(xShmBarrier);
}

static int
file_shm_unmap(sqlite3_file *file, int is_deleted)
{
	return REAL(xShmUnmap, is_deleted);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct faulty_file *f = (struct faulty_file *)file;
	int rc;

	(void)vfs;
	f->base.pMethods = NULL;
	if (fails())
		return SQLITE_CANTOPEN;
	f->real = sqlite3_malloc(real_vfs->szOsFile);
	if (f->real == NULL)
		return SQLITE_NOMEM;
	rc = real_vfs->xOpen(real_vfs, name, f->real, flags, ret_flags);
	if (rc == SQLITE_OK)
		f->base.pMethods = &methods;
	else
		sqlite3_free(f->real);
	return rc;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int is_synced)
{
	(void)vfs;
	return fails() ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, is_synced);
}

static int
install(void **state)
{
	(void)state;
	real_vfs = sqlite3_vfs_find(NULL);
	faulty = *real_vfs;
	faulty.zName = "faulty";
	faulty.szOsFile = sizeof(struct faulty_file);
	faulty.xOpen = vfs_open;
	faulty.xDelete = vfs_delete;
	return sqlite3_vfs_register(&faulty, 1) == SQLITE_OK ? 0 : -1;
}

/* How many lives were committed by now: each is one job with its record. */
struct ledger {
	int64_t certain;
	int64_t possible; /* the commit failed, and may have come to be all the same */
};

/* One job from its beginning to its end, in one transaction. */
static int
live(struct fixture *x, struct ledger *l)
{
	struct store_job j = fixture_job("p", "c");
	static char block[20000];
	int64_t job = 0, run = 0, seq = 0;
	int rc;

	rc = store_add_job(x->store, &j, NULL, block, sizeof(block), &job, &run);
	if (rc == 0)
		rc = store_set_starting(x->store, job, 1, "boot", 0);
	if (rc == 0)
		rc = fixture_run(x, job, 1, 2, 3);
	if (rc == 0)
		rc = store_next_seq(x->store, &seq);
	if (rc == 0)
		rc = store_end_job(x->store, job, STATUS_COMPLETED, 1, 2, seq, RECORD);
	if (rc < 0)
		return rc;
	l->possible = l->certain + 1;
	rc = store_commit(x->store);
	if (rc == 0)
		l->certain = l->possible;
	return rc;
}

/* What a server does: jobs, its tidying, the history. Goes on after a failure, as it does. */
static int
work(struct fixture *x, struct ledger *l)
{
	struct store_keep k = {.now_ms = 10000, .keep_ms = INT64_MAX, .jobs = 1000};
	int first = 0, rc;

	for (int i = 0; i < 3; i++) {
		rc = live(x, l);
		first = first == 0 ? rc : first;
		if (rc < 0)
			store_rollback(x->store);
		rc = i == 1 ? store_tidy(x->store) : 0;
		if (rc == 0 && i == 2)
			rc = store_prune(x->store, &k, 100);
		if (rc == 0)
			rc = store_commit(x->store);
		first = first == 0 ? rc : first;
		if (rc < 0)
			store_rollback(x->store);
	}
	return first;
}

static int64_t
number(struct fixture *x, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value = -1;

	assert_int_equal(sqlite3_prepare_v2(x->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void
assert_whole(struct fixture *x, const struct ledger *l)
{
	int64_t jobs = number(x, "SELECT count(*) FROM job");
	struct fault f = {""};

	if (store_check(x->store, true, &f) != 0)
		fail_msg("%s", f.text);
	assert_true(jobs == l->certain || jobs == l->possible);
	assert_int_equal(number(x, "SELECT max(job) FROM job"), jobs);
	assert_int_equal(number(x, "SELECT count(*) FROM event"), 3 * jobs);
	assert_int_equal(number(x, "SELECT max(seq) FROM event"), 3 * jobs);
	assert_int_equal(number(x, "SELECT count(*) FROM delivery"), jobs);
	assert_int_equal(number(x, "SELECT count(*) FROM launch"), 0);
}

static void
remove_files(struct fixture *x)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char path[128];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", x->path, suffixes[i]);
		unlink(path);
	}
}

/* A run in which the failure comes at call `at`. Whether it was reached. */
static bool
run_once(struct fixture *x, int at, int error, bool is_lasting, bool is_full)
{
	struct ledger l = {0, 0};
	struct fault f = {""};
	int rc;

	remove_files(x);
	fuse.countdown = at;
	fuse.is_lasting = is_lasting;
	fuse.is_blown = false;
	fuse.error = error;
	rc = store_open(x->path, is_full, &x->store, &f);
	if (rc == 0)
		rc = work(x, &l);
	bool was_reached = fuse.is_blown;
	fuse.countdown = 0;
	fuse.is_blown = false;
	if (rc < 0)
		assert_true(rc == -error || rc == -EIO || rc == -ENOSPC);
	if (rc < 0)
		assert_true(was_reached);
	/* There is room again: the same store goes on, and so does another that opens the file. */
	if (x->store == NULL)
		assert_int_equal(fixture_open(x), 0);
	assert_whole(x, &l);
	l.certain = l.possible = number(x, "SELECT count(*) FROM job");
	assert_int_equal(live(x, &l), 0);
	assert_whole(x, &l);
	fixture_reopen(x);
	assert_whole(x, &l);
	store_close(x->store);
	x->store = NULL;
	return was_reached;
}

static void
run_all(struct fixture *x, int error, bool is_lasting, bool is_full)
{
	int at = 1;

	while (run_once(x, at, error, is_lasting, is_full))
		at++;
	assert_in_range(at, 30, 10000); /* that it was not about nothing */
}

static void
an_error_once_loses_nothing(void **state)
{
	run_all(*state, EIO, false, true);
}

static void
errors_that_last_lose_nothing(void **state)
{
	run_all(*state, EIO, true, true);
}

static void
a_disk_that_is_full_loses_nothing(void **state)
{
	run_all(*state, ENOSPC, true, true);
}

static void
nor_does_one_without_syncs(void **state)
{
	run_all(*state, ENOSPC, false, false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_error_once_loses_nothing),
	    TEST(errors_that_last_lose_nothing),
	    TEST(a_disk_that_is_full_loses_nothing),
	    TEST(nor_does_one_without_syncs),
	};

	return cmocka_run_group_tests(tests, install, NULL);
}
