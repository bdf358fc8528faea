/*
 * schema: see schema.h. Run by the server when it opens the store. The steps are history: one that
 * has been in a release is never changed, a new one is added behind it. Comments inside a statement
 * stay in the file, where `.schema` of sqlite3(1) shows them.
 *
 * Nothing that the server does for one job may cost more because of the jobs that have ended: each
 * index below names the question that it answers.
 */
#include "store/schema.h"

#include "base/fd.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x53504e44 /* "SPND" */

/* Database header, https://www.sqlite.org/fileformat.html#the_database_header. */
#define HEADER_SIZE 100
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68

/* RFC 3339 of a column in milliseconds. */
#define TIME(column) \
	"strftime('%Y-%m-%dT%H:%M:%S', " column " / 1000, 'unixepoch')" \
	" || printf('.%03dZ', " column " % 1000)"

/* clang-format off */
static const char step_1[] =
    "CREATE TABLE job (\n"
    "  -- One run of a child. Times are milliseconds since 1970, lengths are nanoseconds.\n"
    "  job INTEGER PRIMARY KEY AUTOINCREMENT, -- its number, never reused\n"
    "  run INTEGER NOT NULL,           -- counts the runs of this child id, from 1\n"
    "  parent TEXT NOT NULL,\n"
    "  child TEXT NOT NULL,\n"
    "  status TEXT NOT NULL,           -- queued, starting (people see: queued), running,\n"
    "                                  -- completed, error, timeout, cancelled, lost\n"
    "  depth INTEGER NOT NULL,         -- 0: its parent is no job\n"
    "  is_delivered INTEGER NOT NULL,  -- 1: its record waits until the parent takes it\n"
    "  command TEXT NOT NULL,          -- argv for people, cut\n"
    "  meta TEXT,                      -- JSON object\n"
    "  token TEXT,                     -- names the request that made it\n"
    "  max_total_ns INTEGER,           -- NULL: no limit\n"
    "  max_idle_ns INTEGER,            -- NULL: no limit\n"
    "  check_interval_ns INTEGER NOT NULL, -- deadlines are multiples of it; 0: exact\n"
    "  kill_grace_ns INTEGER,          -- from kill_signal to SIGKILL; NULL: for ever\n"
    "  kill_signal INTEGER NOT NULL,\n"
    "  activity INTEGER NOT NULL,      -- signs of life: 1 heartbeat, 2 output, 3 both\n"
    "  idle_from INTEGER NOT NULL,     -- 0: start, 1: first beat\n"
    "  queued_ms INTEGER NOT NULL,\n"
    "  started_ms INTEGER,             -- NULL: not yet, or never\n"
    "  ended_ms INTEGER,               -- NULL: not yet\n"
    "  pid INTEGER,                    -- of its first process; NULL: not known\n"
    "  start_time INTEGER,             -- proc_pid_stat(5) field 22; NULL: not known\n"
    "  boot_id TEXT,                   -- of the machine when it was started\n"
    "  supervisor INTEGER,             -- instance that was told to start it\n"
    "  record_seq INTEGER              -- event.seq of its record; NULL: none yet\n"
    ");\n"
    /* Which jobs have not ended? */
    "CREATE INDEX job_live ON job(job) WHERE ended_ms IS NULL;\n"
    /* Which ended how? */
    "CREATE INDEX job_ended ON job(status, job) WHERE ended_ms IS NOT NULL;\n"
    /* Which is the latest of a child, and how many runs had it? */
    "CREATE INDEX job_child ON job(child, job);\n"
    /* Which belong to a parent? */
    "CREATE INDEX job_parent ON job(parent, job);\n"
    /* Was this request served before? Tokens begin with the time, so new ones go to the end. */
    "CREATE UNIQUE INDEX job_token ON job(token) WHERE token IS NOT NULL;\n"

    "CREATE TABLE launch (\n"
    "  -- What a job that has not ended is executed with. Overwritten when it ends.\n"
    "  job INTEGER PRIMARY KEY,\n"
    "  block BLOB NOT NULL             -- directory, argv, environment: may hold secrets\n"
    ");\n"

    "CREATE TABLE event (\n"
    "  -- The feed. Strictly increasing, never reused.\n"
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "  at_ms INTEGER NOT NULL,\n"
    "  kind TEXT NOT NULL,             -- queued, started, completed, warning\n"
    "  job INTEGER,                    -- NULL: not about a job\n"
    "  parent TEXT,\n"
    "  child TEXT,\n"
    "  body TEXT NOT NULL              -- JSON object; of completed: the record\n"
    ");\n"
    /* Which records has a parent got? */
    "CREATE INDEX event_record ON event(parent, seq) WHERE kind = 'completed';\n"

    "CREATE TABLE delivery (\n"
    "  -- Records that nobody has acknowledged.\n"
    "  parent TEXT NOT NULL,\n"
    "  seq INTEGER NOT NULL,           -- event.seq\n"
    "  PRIMARY KEY (parent, seq)\n"
    ") WITHOUT ROWID;\n"

    "CREATE TABLE parent (\n"
    "  -- FIFOs that are not where and what they usually are.\n"
    "  name TEXT PRIMARY KEY,\n"
    "  path TEXT,                      -- NULL: the usual place\n"
    "  format TEXT NOT NULL            -- json, tsv\n"
    ") WITHOUT ROWID;\n"

    "CREATE VIEW jobs AS SELECT\n"
    "  job, run, parent, child,\n"
    "  CASE status WHEN 'starting' THEN 'queued' ELSE status END AS status,\n"
    "  depth, command, meta,\n"
    "  " TIME("queued_ms") " AS queued_at,\n"
    "  " TIME("started_ms") " AS started_at,\n"
    "  " TIME("ended_ms") " AS completed_at,\n"
    "  ended_ms - started_ms AS elapsed_ms,\n"
    "  max_total_ns / 1e9 AS max_total_s, max_idle_ns / 1e9 AS max_idle_s,\n"
    "  pid, record_seq AS seq\n"
    "FROM job;\n"

    "CREATE VIEW records AS SELECT\n"
    "  event.seq, event.job, event.parent, event.child,\n"
    "  json_extract(body, '$.run') AS run,\n"
    "  json_extract(body, '$.status') AS status,\n"
    "  json_extract(body, '$.error') AS error,\n"
    "  json_extract(body, '$.ran') AS ran,\n"
    "  json_extract(body, '$.exit_code') AS exit_code,\n"
    "  json_extract(body, '$.signal') AS signal,\n"
    "  json_extract(body, '$.queued_at') AS queued_at,\n"
    "  json_extract(body, '$.started_at') AS started_at,\n"
    "  json_extract(body, '$.completed_at') AS completed_at,\n"
    "  json_extract(body, '$.elapsed_ms') AS elapsed_ms,\n"
    "  json_extract(body, '$.output') AS output,\n"
    "  CASE WHEN delivery.seq IS NULL THEN 'yes' ELSE 'no' END AS acknowledged,\n"
    "  body\n"
    "FROM event LEFT JOIN delivery\n"
    "  ON delivery.parent = event.parent AND delivery.seq = event.seq\n"
    "WHERE kind = 'completed';\n"

    "CREATE VIEW events AS SELECT\n"
    "  seq, " TIME("at_ms") " AS at, kind AS event, job, parent, child, body\n"
    "FROM event;\n";

/*
 * Limits of single jobs. SQLite puts the text of a new column into that of its table as it stands:
 * what is said of it must not be a comment that goes to the end of the line. Jobs of version 1 keep
 * to what they were accepted with: none of these limits.
 */
static const char step_2[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  max_extend_ns /* what it may add to max_total_ns */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  leftovers /* 0: kill, 1: wait, 2: leave */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  nice /* NULL: as the daemon has it */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_memory /* bytes; NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_processes /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_open_files /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_cpu_ns /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_output /* bytes; NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  on_output_limit /* 0: trim, 1: kill */ INTEGER NOT NULL DEFAULT 0;\n";
/* How a job that runs stands, wire/standing.h: for a supervisor that takes it over. */
static const char step_3[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  is_cancelled /* 1: somebody asked for its end */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  mark /* of its processes */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  started_ns /* on CLOCK_MONOTONIC, moved on by pauses; so are all that follow */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  paused_ns /* since when it is paused */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  granted_ns /* beyond max_total_ns: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  ending_ns /* when kill_signal was sent */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  verdict_ns /* from the start to the watchdog's verdict: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  verdict_idle_ns /* without a sign of life by then: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  cpu_ns /* of its first process, once that has exited: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_rss_kb /* likewise */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  wait_status /* likewise, as wait(2) gives it */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  revision /* of all this */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  containment /* 1: cgroup, 2: subreaper, 3: group */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  cause /* 1: total, 2: idle, 3: trigger, 4: output, 5: cancel */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  standing_flags /* 1: it has beaten, 2: SIGKILL was sent */ INTEGER;\n";

/*
 * What is removed. The sums make the numbers that were given away and are no job of the history any
 * more; before this version nothing was ever removed.
 */
static const char step_4[] =
    "CREATE TABLE meta (\n"
    "  -- What is known of the file as a whole.\n"
    "  key TEXT PRIMARY KEY,           -- oldest_seq: events below it may be missing\n"
    "                                  -- passed: how many numbers up to the highest are no job,\n"
    "                                  --   or one whose record is below oldest_seq\n"
    "                                  -- set_aside: path of the damaged file before this one\n"
    "  value NOT NULL\n"
    ") WITHOUT ROWID;\n"
    "INSERT INTO meta VALUES ('oldest_seq', coalesce((SELECT min(seq) FROM event), 1));\n"
    "INSERT INTO meta VALUES ('passed', (SELECT coalesce((SELECT seq FROM sqlite_sequence\n"
    "  WHERE name = 'job'), 0) - count(*) FROM job));\n"
    /* Which ended first? */
    "CREATE INDEX job_over ON job(record_seq) WHERE record_seq IS NOT NULL;\n"

    "CREATE TABLE kept_event (\n"
    "  -- Events below oldest_seq that are still there, because their job is.\n"
    "  job INTEGER NOT NULL,\n"
    "  seq INTEGER NOT NULL,           -- event.seq\n"
    "  PRIMARY KEY (job, seq)\n"
    ") WITHOUT ROWID;\n"

    "CREATE TABLE due_job (\n"
    "  -- Kept for their record until somebody has acknowledged it: to be removed.\n"
    "  job INTEGER PRIMARY KEY\n"
    ");\n"

    "CREATE TABLE removed_job (\n"
    "  -- Removed; their files may still be there.\n"
    "  job INTEGER PRIMARY KEY\n"
    ");\n";

/* Profiles. Whoever was accepted before had none, and is asked about. */
static const char step_5[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  profile /* it was made with; NULL: none */ TEXT;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  model /* NULL: none */ TEXT;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  disabled_tools /* NULL: none */ TEXT;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  approvals /* 0: allow, 1: ask, 2: deny */ INTEGER NOT NULL DEFAULT 1;\n";

/* How it stands with a job's idle clock, which others went on with by what files tell. */
static const char step_6[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  lull_ns   /* as paused_ns, of the idle clock alone */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  sign_ns   /* last sign of life, moved on by pauses and lulls */ INTEGER;\n";

/* Whom it is below, queue/family.h, when those between are not there any more. */
static const char step_7[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  ancestry /* X/12=M/15=G: below job 15, child G, below 12; NULL: no job */ TEXT;\n";

/* Order and time. Whoever was accepted before is equal to all others, and is run once. */
static const char step_8[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  priority /* higher is first */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  pool /* NULL: none */ TEXT;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  retries /* how often it is run again at the most */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  retry_delay_ns /* before the first, then doubling */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  retry_on /* sum of 1: error, 2: timeout, 4: lost */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  retried /* how often it was run again */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  due_ms /* it does not start before; NULL: at once */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  due_boottime_ns /* that on CLOCK_BOOTTIME; NULL: the wall clock counts */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  due_boot_id /* of the machine whose clock that is */ TEXT;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  delay_ns /* how long it waits until then */ INTEGER;\n";

/* Who waits for whom. */
static const char step_9[] =
    "CREATE TABLE waiter (\n"
    "  -- Jobs that have not ended and wait for others, or did.\n"
    "  job INTEGER PRIMARY KEY,\n"
    "  kind INTEGER NOT NULL,          -- 0: is not started before, 1: is suspended when its\n"
    "                                  -- process has ended, 2: was, and is to be run again\n"
    "  policy INTEGER NOT NULL,        -- 0: all, 1: any, 2: first_error\n"
    "  since INTEGER NOT NULL,         -- event.seq: of kind 1 and 2, its children's records up to\n"
    "                                  -- here are none of this wait's\n"
    "  last INTEGER NOT NULL           -- event.seq: of kind 2, up to here they are its next run's\n"
    ");\n"
    "CREATE TABLE wait (\n"
    "  -- For whom.\n"
    "  job INTEGER NOT NULL,           -- waiter.job\n"
    "  after INTEGER NOT NULL,         -- job.job; it may have been removed since\n"
    "  is_strict INTEGER NOT NULL,     -- 1: it must have completed\n"
    "  status TEXT,                    -- how it ended; NULL: it has not\n"
    "  PRIMARY KEY (job, after)\n"
    ") WITHOUT ROWID;\n"
    /* Who waits for a job that ends now? */
    "CREATE INDEX wait_open ON wait(after) WHERE status IS NULL;\n";

/* Approvals. */
static const char step_10[] =
    "CREATE TABLE approval (\n"
    "  -- A question of a job; goes with it.\n"
    "  id TEXT NOT NULL PRIMARY KEY,   -- random, 32 hexadecimal digits\n"
    "  job INTEGER NOT NULL,\n"
    "  token TEXT NOT NULL,            -- names the request: the same again is no other question\n"
    "  question TEXT NOT NULL,\n"
    "  asked_ms INTEGER NOT NULL,\n"
    "  timeout_ms INTEGER,             -- NULL: none\n"
    "  deadline_ns INTEGER,            -- of CLOCK_MONOTONIC in the job's boot; NULL: none\n"
    "  put_seq INTEGER NOT NULL,       -- event by which it was put to somebody last\n"
    "  put_job INTEGER,                -- to this job; NULL: to none\n"
    "  put_to TEXT,                    -- its id, or that of a parent; NULL: the user\n"
    "  decision TEXT,                  -- allow, deny, withdrawn; NULL: pending\n"
    "  decided_ms INTEGER,\n"
    "  decided_by TEXT,                -- user, ancestor, timeout, profile, end\n"
    "  ancestor TEXT,                  -- the id of that ancestor\n"
    "  reason TEXT\n"
    ");\n"
    "CREATE UNIQUE INDEX approval_token ON approval(job, token);\n"
    "CREATE INDEX approval_open ON approval(asked_ms) WHERE decision IS NULL;\n";
/* clang-format on */

/* Step i makes version i + 1 out of version i. */
static const char *const steps[] = {step_1, step_2, step_3, step_4, step_5, step_6, step_7, step_8,
    step_9, step_10};

#define SCHEMA_VERSION ((int)(sizeof(steps) / sizeof(steps[0])))

static int
refuse_newer(const char *path, int version, struct fault *f)
{
	return fault_set(f, EPROTONOSUPPORT,
	    "%s: written by a newer spawnd (schema %d, this program knows %d); run the newer one, or "
	    "move the file away to begin anew",
	    path, version, SCHEMA_VERSION);
}

static int
check_rights(const char *path, const struct stat *st, struct fault *f)
{
	if (!S_ISREG(st->st_mode))
		return fault_set(f, EOPNOTSUPP, "%s: not a regular file; move it away", path);
	if (st->st_uid != geteuid()) {
		return fault_set(f, EPERM,
		    "%s: belongs to user %u, not to %u; move it away, or chown it", path,
		    (unsigned)st->st_uid, (unsigned)geteuid());
	}
	if ((st->st_mode & 077) != 0) {
		return fault_set(f, EPERM, "%s: open to other users (mode %04o); run: chmod 600 %s",
		    path, (unsigned)(st->st_mode & 07777), path);
	}
	return 0;
}

static uint32_t
header_number(const unsigned char *header, size_t offset)
{
	uint32_t number;

	memcpy(&number, header + offset, sizeof(number));
	return be32toh(number);
}

static int
check_header(const char *path, const unsigned char *header, size_t len, struct fault *f)
{
	static const char magic[16] = "SQLite format 3";

	if (len == 0)
		return 0;
	if (len < HEADER_SIZE || memcmp(header, magic, sizeof(magic)) != 0) {
		return fault_set(f, EBADMSG, "%s: not an SQLite database", path);
	}
	if (header_number(header, HEADER_APPLICATION_ID) != APPLICATION_ID) {
		return fault_set(f, EBADMSG, "%s: an SQLite database, but not spawnd's", path);
	}
	int version = (int)header_number(header, HEADER_USER_VERSION);
	return version > SCHEMA_VERSION ? refuse_newer(path, version, f) : 0;
}

int
schema_check_file(const char *path, struct fault *f)
{
	unsigned char header[HEADER_SIZE];
	struct stat st;

	if (lstat(path, &st) < 0) {
		return errno == ENOENT ? 0 : fault_set(f, errno, "%s: %s", path, strerror(errno));
	}
	int rc = check_rights(path, &st, f);
	if (rc < 0)
		return rc;
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : fd_read_all(fd, header, sizeof(header));
	if (len < 0) {
		rc = fd < 0 ? errno : (int)-len;
		return fault_set(f, rc, "%s: cannot be read: %s", path, strerror(rc));
	}
	return check_header(path, header, (size_t)len, f);
}

static int
read_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret_version = sqlite3_column_int(stmt, 0);
	return sqlite3_finalize(stmt);
}

static int
run_step(sqlite3 *db, int step)
{
	char mark[96];
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	    APPLICATION_ID, step + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, steps[step], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, mark, NULL, NULL, NULL);
	return rc;
}

int
schema_migrate(sqlite3 *db, const char *path, struct fault *f)
{
	int version = 0;
	int rc = read_version(db, &version);

	if (rc != SQLITE_OK)
		return rc;
	if (version > SCHEMA_VERSION)
		return refuse_newer(path, version, f);
	for (; version < SCHEMA_VERSION; version++) {
		rc = run_step(db, version);
		if (rc != SQLITE_OK)
			return rc;
	}
	return 0;
}
