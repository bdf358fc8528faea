# Disks that are full, or cannot be written to: on a small file system of the test's own. Run by root alone.
load ../common

teardown() {
	spawnd stop --now >/dev/null 2>&1 || :
	if [[ -n ${DAEMON-} ]]; then
		kill -KILL "$DAEMON" 2>/dev/null || :
	fi
	clean_up_mounts
	clean_up
}

clean_up_mounts() {
	if mountpoint -q "$SPAWND_HOME/state"; then
		umount -l "$SPAWND_HOME/state"
	fi
}

mount_state() {
	mkdir -p -m 700 "$SPAWND_HOME" "$SPAWND_HOME/state"
	mount -t tmpfs -o size=3m,mode=700 spawnd-test "$SPAWND_HOME/state"
}

fill() {
	dd if=/dev/zero of="$SPAWND_HOME/state/filler" bs=4096 2>/dev/null || :
}

trouble_is() {
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $(daemon_field trouble 2>/dev/null) == $1 ]]
}

# A daemon whose log is not on the disk in question.
start_daemon() {
	"$SPAWND" daemon >"$TEST_DIR/log" 2>&1 3>&- &
	DAEMON=$!
	wait_until trouble_is null
}

@test "disk full: new work is refused, running jobs are watched on, the log does not grow, records come later" {
	local pid server size i

	mount_state
	start_daemon
	enqueue a --max-idle 3s -- testjob pid "$TEST_DIR/pid" stall
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	server=$(daemon_field server_pid)
	# There is nothing left in the store's log whose room could be had again.
	wait_until has_rested
	fill
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"$SPAWND_HOME/state/spawnd.db: "*"full"*"make room on its file system"* ]]
	trouble_is '*make room on its file system*'
	wait_until not is_alive "$pid"
	size=$(stat -c %s "$TEST_DIR/log")
	for i in {1..20}; do
		run -74 spawnd enqueue --parent P --child b -- true
	done
	assert_equal "$(stat -c %s "$TEST_DIR/log")" "$size"
	assert_equal "$(daemon_field server_pid)" "$server"
	run -0 spawnd list
	rm "$SPAWND_HOME/state/filler"
	await_record a
	assert_record .status timeout
	wait_until trouble_is null
	finish b -- true
	run -0 grep -c 'the store works again' "$TEST_DIR/log"
	assert_output 1
}

@test "a file system that has become read-only: calls are answered, and it goes on when it can be written to" {
	local server

	mount_state
	start_daemon
	finish a -- true
	server=$(daemon_field server_pid)
	kill -STOP "$DAEMON"
	kill -KILL "$server"
	wait_until not is_alive "$server"
	wait_until mount -o remount,ro "$SPAWND_HOME/state"
	kill -CONT "$DAEMON"
	wait_until trouble_is '*cannot be written to; see to its file system*'
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"cannot be written to"* ]]
	mount -o remount,rw "$SPAWND_HOME/state"
	wait_until trouble_is null
	finish b -- true
	run -0 spawnd wait a
}

@test "a small file system is not filled by the store's own log" {
	local i

	mount_state
	start_daemon
	for i in {1..150}; do
		run -0 enqueue "c$i" -- true
	done
	wait_until has_records P 150
	trouble_is null
	assert [ "$(stat -c %s "$SPAWND_HOME/state/spawnd.db-wal")" -lt 1048576 ]
}

@test "disk full of the store's own log: that is emptied, and all goes on" {
	local i

	mount_state
	start_daemon
	finish a -- true
	wait_until has_rested
	# What others write is emptied by nobody, and needs no more room in the file.
	for i in {1..40}; do
		echo 'UPDATE event SET at_ms = at_ms + 1;'
	done | sqlite3 -cmd '.dbconfig no_ckpt_on_close on' -cmd 'PRAGMA wal_autocheckpoint = 0' \
		"$SPAWND_HOME/state/spawnd.db"
	assert [ "$(stat -c %s "$SPAWND_HOME/state/spawnd.db-wal")" -gt 100000 ]
	fill
	run spawnd enqueue --parent P --child b -- true
	[[ $status == 0 || $status == 74 ]]
	wait_until trouble_is null
	finish c -- true
	run -0 grep -c 'make room on its file system' "$TEST_DIR/log"
}
