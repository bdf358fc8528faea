#!/usr/bin/env bats
# A planned stop costs nobody anything: what ran has ended, what it had to say was taken, and who waits for
# what will not happen is told.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common

# begin COMMAND...: in the background, what it prints in $TEST_DIR/out, its pid in $PID.
begin() {
	"$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" 3>&- &
	PID=$!
}

# Stops the daemon while `go` is awaited, and lets the job end then.
stop_meanwhile() {
	spawnd stop 3>&- &
	STOP=$!
	wait_until is_stopping
	touch "$TEST_DIR/go"
	await_exit "$STOP"
	assert_equal "$CODE" 0
}

@test "run exits as its job did though the daemon stops meanwhile" {
	begin "$SPAWND" run -c a -- testjob wait-for "$TEST_DIR/go" exit 5
	wait_until is_status a running
	stop_meanwhile
	await_exit "$PID"
	assert_equal "$CODE" 5
	# Its record was taken: nothing is left for anybody.
	assert_equal "$(sqlite3 -readonly "$SPAWND_HOME/state/spawnd.db" 'SELECT count(*) FROM delivery')" 0
}

@test "next takes the last record before the daemon ends, and it does not come again" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	begin "$SPAWND" next --parent P
	stop_meanwhile
	await_exit "$PID"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r .child "$TEST_DIR/out")" a
	run -66 spawnd next --parent P
}

@test "a reader of the FIFO gets the last record before the end of the file" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	local fifo
	fifo=$(spawnd fifo P)
	begin cat "$fifo"
	await_open "$PID" "$fifo"
	stop_meanwhile
	await_exit "$PID"
	assert_equal "$(jq -r .child "$TEST_DIR/out")" a
	run -66 spawnd next --parent P
}

@test "who waits for a job that will not be started is told, and the job runs at the next start" {
	configure '[spawnd]' 'max_running = 1'
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	enqueue b -- true
	wait_until is_status a running
	begin "$SPAWND" wait b
	spawnd stop 3>&- &
	STOP=$!
	await_exit "$PID"
	assert_equal "$CODE" 125
	touch "$TEST_DIR/go"
	await_exit "$STOP"
	await_record b
	assert_record_like .status completed
}

@test "wait prints records in the order in which they came, whatever the order of its arguments" {
	finish b -- testjob exit 4
	finish a -- testjob exit 3
	run -4 spawnd wait a b
	assert_equal "$(jq -r .child <<<"$output" | tr '\n' ' ')" 'b a '
}

@test "a job's number stands for its child where no child has that id" {
	local number

	number=$(spawnd enqueue -- testjob exit 4)
	run -4 spawnd wait "$number"
	run -0 spawnd status "$number" --json
	assert_equal "$(jq -r .job <<<"$output")" "$number"
	run -0 spawnd logs "$number"
	enqueue "$number" -- testjob exit 7
	run -7 spawnd wait "$number"
	run -66 spawnd wait 999999
}

@test "a parent that never had a child is not waited for" {
	run -66 spawnd wait --parent nobody
}

@test "a job that would wait for its own end by stopping the daemon is told, and nothing is stopped" {
	finish a -- sh -c '"$1" stop 2>"$2"; echo $? >>"$2"; "$1" enqueue -c b -- true' sh "$SPAWND" "$TEST_DIR/err"
	assert_record .status completed
	run cat "$TEST_DIR/err"
	assert_output "spawnd stop: --now: 'a' is the job that calls: it would wait for its own end; stop with --now, which cancels it as well, or from outside of it
64"
	await_record b
	local daemon
	daemon=$(daemon_field pid)
	enqueue c -- sh -c '"$1" stop --now; sleep 600' sh "$SPAWND"
	wait_until not is_alive "$daemon"
}
