# Loaded by every bats file: a home of its own for each test, patience, and the proof at the end that
# nothing is left behind. $SPAWND is the program under test, $TEST_HELPERS the directory with testjob and
# rawclient; `make check-bats` sets both.
#
# Tests wait for conditions, never for time to pass, and end processes by number only.

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load
load /usr/lib/bats/bats-assert/load
load /usr/lib/bats/bats-file/load

# Seconds before a condition that does not come true is a failure: not a promise, but the patience of
# a loaded machine.
PATIENCE=${PATIENCE:-60}

setup() {
	TEST_DIR=
	if [[ -z ${SPAWND-} || -z ${TEST_HELPERS-} ]]; then
		echo "SPAWND and TEST_HELPERS are not set: run 'make check-bats'" >&2
		return 1
	fi
	unset "${!SPAWND_@}" "${!XDG_@}" NOTIFY_SOCKET WATCHDOG_USEC LISTEN_FDS LISTEN_PID
	umask 022
	# Short: the path of a Unix socket has 107 bytes. Everything that a test starts has it in its environment.
	TEST_DIR=$(mktemp -d /tmp/spawnd-test.XXXXXX) || return
	export TEST_DIR SPAWND_HOME=$TEST_DIR/home HOME=$TEST_DIR
	PATH=$TEST_HELPERS:$PATH
	cd "$TEST_DIR" || return
	RECORD=
}

teardown() {
	clean_up
}

# Ends what the test has started, fails if that leaves a process, and removes the test's directory.
clean_up() {
	local left

	# Without a directory there is no test, and every process would seem to be one of its own.
	[[ $TEST_DIR == /tmp/spawnd-test.?????? ]] || return
	timeout "$PATIENCE" "$SPAWND" stop --now >/dev/null 2>&1 || :
	if ! wait_until is_empty_of_processes; then
		left=$(processes_left)
		echo "left behind:" >&2
		describe_processes "$left" >&2
		# shellcheck disable=SC2086 # one word for each process
		kill -KILL $left 2>/dev/null || :
	fi
	cd / && rm -rf "$TEST_DIR"
	[[ -z ${left-} ]]
}

# configure LINE...: what spawnd.ini says from now on.
configure() {
	mkdir -p -m 700 "$SPAWND_HOME"
	printf '%s\n' "$@" >"$SPAWND_HOME/spawnd.ini"
}

# The program under test.
spawnd() {
	"$SPAWND" "$@"
}

# wait_until COMMAND...: until it succeeds; fails where it does not in $PATIENCE seconds.
wait_until() {
	local deadline=$((SECONDS + PATIENCE)) pause_ms=10

	until "$@"; do
		if ((SECONDS >= deadline)); then
			echo "did not come true in $PATIENCE s: $*" >&2
			return 1
		fi
		command sleep "0.$(printf %03d "$pause_ms")"
		((pause_ms = pause_ms < 160 ? pause_ms * 2 : 160))
	done
}

# Succeeds where the command fails; `!` is no command that wait_until could run.
not() {
	! "$@"
}

# The numbers of processes with this test's directory in their environment, which the shells of the test
# itself do not have: they were executed before it was made. What looks has a clean environment, and no
# working directory there, which a shell would put into it.
processes_left() {
	[[ -n $TEST_DIR ]] || return
	(cd / && exec env -i PATH=/usr/bin:/bin \
		sh -c 'grep -lsF -- "$1" /proc/[0-9]*/environ | cut -d/ -f3' sh "$TEST_DIR")
}

is_empty_of_processes() {
	[[ -z $(processes_left) ]]
}

describe_processes() {
	local pid

	for pid in $1; do
		printf '%s: %s\n' "$pid" "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
	done
}

# Whether the process is there and no zombie.
is_alive() {
	local state

	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[[ -n $state && $state != Z ]]
}

# pid_in FILE: the number that `testjob pid FILE` writes, once it is there.
pid_in() {
	wait_until test -s "$1" && cat "$1"
}

# enqueue CHILD [OPTION... --] WORD...: testjob with these words, as a child of parent P. Words only: no
# `--` is needed.
enqueue() {
	local child=$1

	shift
	spawnd enqueue --parent P --child "$child" "$@"
}

# A field of the daemon's answer about itself, as `status --json` names it.
daemon_field() {
	spawnd status --json --no-autostart | jq -r ".$1"
}

# Whether the daemon has been told to stop.
is_stopping() {
	[[ $(daemon_field is_stopping) == true ]]
}

# job_field CHILD FILTER: of the latest job of a child, by jq.
job_field() {
	spawnd status "$1" --json | jq -r "$2"
}

is_status() {
	[[ $(job_field "$1" .status) == "$2" ]]
}

has_ended() {
	[[ $(job_field "$1" '.record != null') == true ]]
}

# Waits until the latest job of a child has ended, acknowledges nothing, and leaves its record in $RECORD.
await_record() {
	wait_until has_ended "$1" || return
	RECORD=$(job_field "$1" .record)
}

# finish CHILD [OPTION...] -- CMD...: enqueue, and await_record.
finish() {
	spawnd enqueue --parent P --child "$1" "${@:2}" >/dev/null && await_record "$1"
}

# assert_record FILTER EXPECTED: of $RECORD, by jq.
assert_record() {
	assert_equal "$(jq -r "$1" <<<"$RECORD")" "$2"
}

# assert_record_like FILTER REGEX
assert_record_like() {
	assert_regex "$(jq -r "$1" <<<"$RECORD")" "$2"
}

# record_count PARENT: how many records there are, acknowledged or not.
record_count() {
	spawnd results --parent "$1" | wc -l
}

has_records() {
	(($(record_count "$1") == $2))
}

# The FIFO's records in the background, into FILE; $READER is the process. It must end by itself.
read_fifo() {
	local path

	path=$(spawnd fifo "$1")
	cat <"$path" >"$2" 3>&- &
	READER=$!
}

# Whether it is a living child of this shell: bash reaps at once, and where trees are ended that fork all the time
# the number is soon another process's.
is_own() {
	is_alive "$1" && [[ $(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) == "$$" ]]
}

# Waits for a process that the test itself started; its exit code in $CODE.
await_exit() {
	wait_until not is_own "$1" || return
	CODE=0
	wait "$1" || CODE=$?
}

# Whether the store has been tidied up since the last change: its log has been begun anew, and holds a page.
has_rested() {
	local size

	size=$(stat -c %s "$SPAWND_HOME/state/spawnd.db-wal")
	((size > 4096 && size < 8192))
}

# has_open PID FILE: whether the process has the file open.
has_open() {
	[[ -n $(find "/proc/$1/fd" -lname "$2" 2>/dev/null) ]]
}

await_open() {
	wait_until has_open "$@"
}
