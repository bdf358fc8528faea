#!/usr/bin/env bats
# A daemon under which the store was removed: it waits for it as long as anybody may want that, and ends without when
# it is to end now.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common

# begin COMMAND...: in the background, its messages in $TEST_DIR/err, its pid in $PID.
begin() {
	"$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" 3>&- &
	PID=$!
}

has_trouble() {
	[[ $(daemon_field trouble) == *'put it back'* ]]
}

log_has() {
	grep -q "$1" "$SPAWND_HOME/state/spawnd.log"
}

# Two jobs run, a until `go` is there, b until it is killed, and q waits for room; $DAEMON and $SERVER are the processes.
start_jobs() {
	configure '[spawnd]' 'max_running = 2'
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	enqueue b --kill-grace 1s -- testjob ignore TERM touch "$TEST_DIR/ready" stall
	enqueue q -- true
	wait_until is_status a running
	wait_until test -e "$TEST_DIR/ready"
	wait_until is_status b running
	DAEMON=$(daemon_field pid)
	SERVER=$(daemon_field server_pid)
}

# The file under the server, and nothing else: what it has open is its own.
take_away() {
	mkdir "$TEST_DIR/away"
	mv "$SPAWND_HOME"/state/spawnd.db* "$TEST_DIR/away"
}

put_back() {
	mv "$TEST_DIR/away"/* "$SPAWND_HOME/state"
}

# The stop that was begun says what it waits for, once, and ends the daemon when the store is back.
assert_waits_for_store() {
	wait_until grep -q "spawnd.db: has been moved or removed; put it back.*; waiting: the daemon ends when" "$TEST_DIR/err"
	put_back
	await_exit "$PID"
	assert_equal "$CODE" 0
	assert_equal "$(wc -l <"$TEST_DIR/err")" 1
	await_record a
	assert_record .status completed
}

@test "stop says why it waits where what has ended cannot be stored, and goes on when it can" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	take_away
	touch "$TEST_DIR/go"
	wait_until has_trouble
	begin "$SPAWND" stop
	assert_waits_for_store
}

@test "stop is not refused where it is the end that it waits for which cannot be stored" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	take_away
	begin "$SPAWND" stop
	wait_until is_stopping
	touch "$TEST_DIR/go"
	assert_waits_for_store
}

# The daemon ends though what has ended cannot be stored; whoever waits is told.
assert_ends_without_store() {
	local waiter

	start_jobs
	spawnd wait a 2>"$TEST_DIR/waiter" 3>&- &
	waiter=$!
	rm "$SPAWND_HOME"/state/spawnd.db*
	touch "$TEST_DIR/go"
	wait_until has_trouble
	"$@"
	wait_until not is_alive "$DAEMON"
	log_has 'the end of job 1 is not kept, for .*/spawnd.db is gone'
	log_has 'the end of job 2 is not kept, for .*/spawnd.db is gone'
	run ! log_has 'ignored QUIT'
	await_exit "$waiter"
	assert_equal "$CODE" 125
	grep -q 'the daemon ends' "$TEST_DIR/waiter"
	finish c -- true
}

stop_now() {
	run -0 --separate-stderr timeout "$PATIENCE" "$SPAWND" stop --now
	[[ $stderr == *'put it back'*'the daemon ends all the same, and what it cannot store is lost' ]]
}

@test "stop --now ends a daemon whose store was removed" {
	assert_ends_without_store stop_now
}

terminate() {
	kill -TERM "$DAEMON"
}

@test "SIGTERM ends a daemon whose store was removed" {
	assert_ends_without_store terminate
}

# Its server knows of no job but what the supervisor tells.
assert_ends_with_unknown_jobs() {
	start_jobs
	take_away
	kill -KILL "$SERVER"
	wait_until has_trouble
	"$@"
	wait_until not is_alive "$DAEMON"
	log_has 'the end of job 2 is not kept, for .*/spawnd.db is gone'
	# What the store had is there again with it.
	put_back
	spawnd daemon --detach
	await_record b
	assert_record .status lost
	await_record q
	assert_record .status completed
}

@test "stop --now ends a daemon whose server found no store when it began" {
	assert_ends_with_unknown_jobs stop_now
}

@test "SIGTERM ends a daemon whose server found no store when it began" {
	assert_ends_with_unknown_jobs terminate
}

@test "stop --now ends a daemon whose store comes back when ends were let go" {
	start_jobs
	take_away
	touch "$TEST_DIR/go"
	wait_until has_trouble
	begin "$SPAWND" stop --now
	wait_until log_has 'the end of job 1 is not kept'
	put_back
	await_exit "$PID"
	assert_equal "$CODE" 0
	wait_until not is_alive "$DAEMON"
	spawnd daemon --detach
	await_record a
	assert_record .status lost
	await_record q
	assert_record .status completed
}

@test "stop --now ends a daemon in place of whose store there is an empty file" {
	start_jobs
	rm "$SPAWND_HOME"/state/spawnd.db*
	touch "$SPAWND_HOME/state/spawnd.db" "$TEST_DIR/go"
	wait_until has_trouble
	stop_now
	wait_until not is_alive "$DAEMON"
}

@test "stop --now cancels what runs though the store is back before it is known what that is" {
	start_jobs
	take_away
	kill -KILL "$SERVER"
	wait_until has_trouble
	kill -STOP "$DAEMON"
	begin "$SPAWND" stop --now
	wait_until is_stopping
	put_back
	wait_until not has_trouble
	kill -CONT "$DAEMON"
	await_exit "$PID"
	assert_equal "$CODE" 0
	spawnd daemon --detach
	await_record a
	assert_record .status cancelled
	await_record b
	assert_record .status cancelled
}
