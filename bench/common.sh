# shellcheck shell=sh
#
# What the scripts in bench/ have in common: daemons of their own below $dir, which the end of the script ends, and
# looks into /proc. Sourced with SPAWND and DIRECTORY as arguments; sets spawnd, programs, dir, room.
export LC_ALL=C.UTF-8
unset XDG_STATE_HOME XDG_RUNTIME_DIR XDG_CONFIG_HOME NOTIFY_SOCKET
spawnd=$1
programs=$2
# Beside the programs, not in /tmp, which may be memory: durable is meant to be durable. But the path of a
# socket must be short.
dir=$(mktemp -d "$programs/work.XXXXXX")
if [ "${#dir}" -gt 75 ]; then
	rmdir "$dir"
	dir=$(mktemp -d /tmp/spawnd-bench.XXXXXX)
fi

# As many jobs as one daemon runs at once under this limit of open files: spawnd.ini(5), max_running.
files=$(awk '/^Max open files/ { print $4 }' /proc/self/limits)
[ "$files" != unlimited ] || files=1000000
room=$(((files - 64) / 5))
[ "$room" -le 32768 ] || room=32768

clean_up()
{
	for home in "$dir"/*/run; do
		[ ! -e "$home" ] || SPAWND_HOME=${home%/run} "$spawnd" stop --now >/dev/null 2>&1 || :
	done
	# Its server does not end what it runs.
	[ ! -e "$dir/tsp" ] || { tsp -k; tsp -K; } >/dev/null 2>&1 || :
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# begin NAME MAX_RUNNING [SETTING...]: a daemon in $dir/NAME, to which SPAWND_HOME points from now on. What
# has ended is kept, and the queue is long.
begin()
{
	SPAWND_HOME=$dir/$1
	export SPAWND_HOME
	mkdir -p -m 700 "$SPAWND_HOME"
	{
		printf '[spawnd]\nmax_running = %s\nqueue_limit = 1000000\nkeep_jobs = off\n' "$2"
		shift 2
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$SPAWND_HOME/spawnd.ini"
	"$spawnd" daemon --detach
}

# end NAME: ends that daemon with all its jobs. What it has left goes to the side, and away only at the very end:
# ext4 without a journal passes over all that was removed in the last minutes whenever it makes a file.
end()
{
	SPAWND_HOME=$dir/$1 "$spawnd" stop --now >/dev/null
	aside=$((${aside-0} + 1))
	mv "$dir/$1" "$dir/over-$aside"
}

# crowd JOBS RUNNING COMMAND...: starts them; sets running, supervisor and server.
crowd()
{
	crowd_says=$("$programs/crowd" "$@") || exit
	# shellcheck disable=SC2034 # for who sources this
	read -r running supervisor server <<-EOF
		$crowd_says
	EOF
}

load()
{
	cut -d' ' -f1 /proc/loadavg
}

# sample ROW NAME ROUND VALUE UNIT: one line, as bench/pair.c has it.
sample()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" "$(load)"
}

# KiB that are of this process alone.
private_kib()
{
	awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$1/smaps_rollup"
}

# How often these processes were scheduled so far.
wake_ups()
{
	for pid; do
		cat "/proc/$pid/status"
	done | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}

# Milliseconds of processor time that these processes have taken so far.
cpu_ms()
{
	for pid; do
		cat "/proc/$pid/schedstat"
	done | awk '{ sum += $1 } END { printf "%.3f\n", sum / 1e6 }'
}

descriptors()
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

# share SECONDS PID...: percent of one core that they take in the seconds to come.
share()
{
	seconds=$1
	shift
	from=$(cpu_ms "$@") began=$(date +%s%N)
	sleep "$seconds"
	to=$(cpu_ms "$@") ended=$(date +%s%N)
	awk -v f="$from" -v t="$to" -v b="$began" -v e="$ended" \
		'BEGIN { printf "%.3f\n", 100 * (t - f) * 1e6 / (e - b) }'
}

# settle PID...: until they have slept for two seconds on end: the log of the store is tidied after one.
settle()
{
	last=
	for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		now=$(wake_ups "$@")
		[ "$now" != "$last" ] || return 0
		last=$now
		sleep 2
	done
	echo "still not at rest after $attempt looks" >&2
}

# history NAME COUNT: that many ended jobs more into the store of a daemon that does not run, as copies of its first
# one, which must have ended; above all that were before.
history()
{
	sqlite3 "$dir/$1/state/spawnd.db" >/dev/null <<-EOF
		PRAGMA synchronous = OFF;
		BEGIN;
		CREATE TEMP TABLE j AS SELECT * FROM job WHERE job = 1;
		CREATE TEMP TABLE e AS SELECT * FROM event WHERE job = 1 AND kind = 'completed';
		CREATE TEMP TABLE n AS WITH RECURSIVE c(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM c WHERE k < $2)
			SELECT k + (SELECT max(job) FROM job) AS i, k + (SELECT max(seq) FROM event) AS s FROM c;
		UPDATE j SET token = NULL;
		INSERT INTO event SELECT $(columns "$1" event e) FROM n, e;
		INSERT INTO job SELECT $(columns "$1" job j) FROM n, j;
		COMMIT;
		PRAGMA wal_checkpoint(TRUNCATE);
	EOF
}

# columns NAME TABLE COPY: what a row of a table is made of in the history, in the table's order: i is the job's
# number, s that of its record.
columns()
{
	sqlite3 "$dir/$1/state/spawnd.db" "SELECT group_concat(CASE name WHEN 'job' THEN 'i' WHEN 'seq' THEN 's'
		WHEN 'record_seq' THEN 's' WHEN 'child' THEN '''old-'' || i' ELSE '$3.' || name END, ', ')
		FROM pragma_table_info('$2')"
}
