# spawnd suspend: a job ends its process, and is run again when its children have ended.
load common
load crash

export SPAWND

# A job that has children enqueued, suspends with the words given, and tells what it is resumed with.
write_agent() {
	cat >"$TEST_DIR/agent" <<-'EOF'
		#!/bin/sh
		if [ -n "$SPAWND_RESUMED" ]; then
			echo "resumed $SPAWND_RESUMED in $PWD as $SPAWND_JOB with $SECRET"
			jq -r '"\(.child) \(.status) \(.result_text // "-" | rtrimstr("\n"))"' "$SPAWND_RESULTS"
			exit "${LATER:-0}"
		fi
		echo first
		[ -z "$CHILDREN" ] || for child in $CHILDREN; do
			"$SPAWND" enqueue --child "$child" -- sh -c 'testjob wait-for "$1"; echo "from $SPAWND_CHILD" >"$SPAWND_RESULT"; exit "$(cat "$1")"' sh "$TEST_DIR/gate.$child" >/dev/null
		done
		touch "$TEST_DIR/spawned"
		[ -z "$BEFORE" ] || eval "$BEFORE"
		exec "$SPAWND" suspend "$@"
	EOF
	chmod +x "$TEST_DIR/agent"
	export SPAWND
}

open_gate() {
	echo "$2" >"$TEST_DIR/gate.$1.new"
	mv "$TEST_DIR/gate.$1.new" "$TEST_DIR/gate.$1"
}

output_of() {
	spawnd logs "$1"
}

event_kinds() {
	spawnd events | jq -r "select(.child == \"$1\") | .event" | paste -sd' '
}

@test "a job that suspends frees its room, and is run again with its children's results" {
	write_agent
	configure '[spawnd]' 'max_running = 1'
	CHILDREN='a b' SECRET=s3 enqueue top -- "$TEST_DIR/agent"
	wait_until is_status top suspended
	assert_equal "$(job_field top '[.pid, .completed_at, .record] | tojson')" '[null,null,null]'
	assert_regex "$(job_field top .waits_for)" '^after a, which (runs|is queued), and 1 other$'
	run -73 spawnd enqueue --parent P --child top -- true
	wait_until is_status a running
	open_gate a 0
	open_gate b 7
	await_record top
	assert_record '[.status, .exit_code, .ran, .run] | tojson' '["completed",0,true,1]'
	run output_of top
	assert_line --index 0 first
	assert_line --index 1 "resumed 1 in $TEST_DIR as $(job_field top .job) with s3"
	assert_line --index 2 'a completed from a'
	assert_line --index 3 'b error from b'
	assert_equal "$(event_kinds top)" 'queued started suspended resumed started completed'
	# They were delivered by the file.
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" "SELECT count(*) FROM delivery WHERE parent = 'top'")" 0
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" 'SELECT (SELECT count(*) FROM waiter) + (SELECT count(*) FROM wait)')" 0
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" 'SELECT count(*) FROM launch')" 0
}

@test "--any and --first-error resume it sooner; what it has not been given it can wait for again" {
	write_agent
	cat >"$TEST_DIR/twice" <<-'EOF'
		if [ -n "$SPAWND_RESUMED" ]; then
			jq -r .child "$SPAWND_RESULTS" | paste -sd, >>"$TEST_DIR/given"
		else
			for child in a b c; do
				"$SPAWND" enqueue --child "$child" -- sh -c 'testjob wait-for "$1"; exit "$(cat "$1")"' sh "$TEST_DIR/gate.$child"
			done
		fi
		case $(cat "$TEST_DIR/given" 2>/dev/null | wc -l) in
		0) exec "$SPAWND" suspend --any ;;
		1) exec "$SPAWND" suspend --first-error ;;
		2) exec "$SPAWND" suspend ;;
		*) "$SPAWND" suspend 2>"$TEST_DIR/refused"; exit "$?" ;;
		esac
	EOF
	enqueue top -- sh "$TEST_DIR/twice"
	wait_until is_status top suspended
	run -73 spawnd enqueue --child top -- true
	assert_output --partial "child 'top' is already suspended as job 1;"
	open_gate b 0
	wait_until test -s "$TEST_DIR/given"
	wait_until is_status top suspended
	open_gate c 1
	wait_until eval '(($(wc -l <"$TEST_DIR/given") == 2))'
	wait_until is_status top suspended
	open_gate a 0
	await_record top
	assert_equal "$(cat "$TEST_DIR/given")" $'b\nc\na'
	assert_record .exit_code 66
	run cat "$TEST_DIR/refused"
	assert_output 'spawnd suspend: not found: children of top that have not ended, or whose records nobody has taken; enqueue some, and then suspend'
}

@test "a wait that is met before it is registered: the job is run again at once" {
	write_agent
	open_gate a 0
	CHILDREN=a BEFORE='until [ "$("$SPAWND" status a --json | jq .record)" != null ]; do :; done' \
		enqueue top -- "$TEST_DIR/agent"
	await_record top
	assert_record .status completed
	assert_equal "$(output_of top | tail -1)" 'a completed from a'
}

@test "records that the job has taken itself are none that it waits for" {
	write_agent
	open_gate a 0
	CHILDREN='a' BEFORE='"$SPAWND" wait a >/dev/null' enqueue top -- "$TEST_DIR/agent"
	await_record top
	assert_record .exit_code 66
}

@test "a job that is suspended can be cancelled, with its children, and has run" {
	write_agent
	CHILDREN='a b' enqueue top -- "$TEST_DIR/agent"
	wait_until is_status top suspended
	wait_until is_status a running
	assert_equal "$(spawnd cancel top)" 3
	await_record top
	assert_record '[.status, .error, .ran] | tojson' '["cancelled","cancelled while it was suspended",true]'
	await_record a
	await_record b
	assert_equal "$(event_kinds top)" 'queued started suspended completed'
}

@test "whatever the processes of a job do, once its wait is registered they end, and it is suspended" {
	write_agent
	# The shell ignores the signal, and goes on with another command; the leader itself has exited.
	cat >"$TEST_DIR/stubborn" <<-'EOF'
		[ -n "$SPAWND_RESUMED" ] && exit 5
		"$SPAWND" enqueue --child a -- testjob wait-for "$TEST_DIR/go"
		trap '' TERM
		"$SPAWND" suspend & wait
		testjob stall
	EOF
	enqueue top --kill-grace 0.1s -- sh "$TEST_DIR/stubborn"
	wait_until is_status top suspended
	touch "$TEST_DIR/go"
	await_record top
	assert_record '[.status, .exit_code] | tojson' '["error",5]'
}

@test "its limits begin anew with each run" {
	write_agent
	cat >"$TEST_DIR/late" <<-'EOF'
		[ -n "$SPAWND_RESUMED" ] && exec testjob stall
		"$SPAWND" enqueue --child a -- testjob wait-for "$TEST_DIR/go"
		exec "$SPAWND" suspend
	EOF
	enqueue top --max-total 10s -- sh "$TEST_DIR/late"
	wait_until is_status top suspended
	touch "$TEST_DIR/go"
	await_record top
	assert_record .status timeout
	assert_record_like .error '^total timeout: ran for 1[0-9]\.'
	(($(jq .elapsed_ms <<<"$RECORD") >= 10000))
}

@test "suspend outside of a job, of one that is over, and with two policies is refused" {
	local job

	run -64 spawnd suspend
	assert_output 'spawnd suspend: not inside a job: SPAWND_JOB names none'
	job=$(enqueue a -- true)
	await_record a
	SPAWND_JOB=$job run -65 spawnd suspend
	SPAWND_JOB=4711 run -66 spawnd suspend
	assert_output 'spawnd suspend: not found: job 4711'
	SPAWND_JOB=x run -64 spawnd suspend
	SPAWND_JOB=$job run -64 spawnd suspend --all --any
	assert_output --partial 'only one of --all, --any and --first-error can be meant'
}

@test "a child that waits for the job by way of another's suspension: suspend is refused" {
	export SPAWND
	cat >"$TEST_DIR/over" <<-'EOT'
		[ -n "$SPAWND_RESUMED" ] && exit
		testjob wait-for "$TEST_DIR/go"
		"$SPAWND" enqueue --child top -- sh -c 'testjob wait-for "$TEST_DIR/go.top"; exec "$SPAWND" suspend'
		exec "$SPAWND" suspend
	EOT
	enqueue over -- sh "$TEST_DIR/over"
	# There is no job of that id yet, so it is below nobody.
	spawnd enqueue --parent top --child below --after over -- true
	touch "$TEST_DIR/go"
	wait_until is_status over suspended
	touch "$TEST_DIR/go.top"
	await_record top
	assert_record .exit_code 64
	assert_equal "$(spawnd logs top)" \
		'spawnd suspend: job: below, a child of top, waits for top itself: neither would ever go on; cancel below'
	await_record below
	assert_record .status completed
}

@test "kill -9 of the server while a job is suspended: it is resumed all the same" {
	write_agent
	CHILDREN=a enqueue top -- "$TEST_DIR/agent"
	wait_until is_status top suspended
	kill_server
	assert is_status top suspended
	assert_equal "$(job_field top .waits_for)" 'after a, which runs'
	open_gate a 0
	await_record top
	assert_equal "$(output_of top | tail -1)" 'a completed from a'
}

@test "kill -9 of both while a job is suspended, its children end meanwhile: it is resumed" {
	write_agent
	CHILDREN='a b' enqueue top -- "$TEST_DIR/agent"
	wait_until is_status top suspended
	wait_until is_status b running
	kill_daemon
	open_gate a 0
	open_gate b 0
	await_record top
	assert_record .status completed
	assert_equal "$(output_of top | grep -c '^[ab] ')" 2
	assert_equal "$(event_kinds top)" 'queued started suspended resumed started completed'
}

@test "stop while a job is suspended: it goes on at the next start" {
	write_agent
	CHILDREN=a enqueue top -- "$TEST_DIR/agent"
	wait_until is_status top suspended
	wait_until is_status a running
	spawnd stop --now
	await_record top
	assert_equal "$(output_of top | tail -1)" 'a cancelled -'
}

@test "a program that suspends at once is not told that it does not run" {
	local i

	enqueue over -- testjob wait-for "$TEST_DIR/go" >/dev/null
	for i in {1..20}; do
		spawnd enqueue --parent "top$i" --child "below$i" --after over -- true
		enqueue "top$i" -- sh -c '[ -n "$SPAWND_RESUMED" ] || exec "$SPAWND" suspend'
	done
	for i in {1..20}; do
		wait_until is_status "top$i" suspended
	done
	assert_equal "$(spawnd list --status suspended --json | jq -r .child | wc -l)" 20
	touch "$TEST_DIR/go"
	for i in {1..20}; do
		await_record "top$i"
		assert_record .status completed
	done
}

# It suspends, fails when it is resumed, and suspends again in its next run.
@test "who fails after it was resumed is run again with the same results, and may suspend anew" {
	cat >"$TEST_DIR/again" <<-'SCRIPT'
		#!/bin/sh
		echo "run $SPAWND_RUN resumed ${SPAWND_RESUMED:-0} with $(jq -r .child "${SPAWND_RESULTS:-/dev/null}" | tr '\n' ' ')"
		case "$SPAWND_RUN ${SPAWND_RESUMED:-0} $(ls "$1"/mark.* 2>/dev/null | wc -l)" in
		"1 0 0") touch "$1/mark.1"; spawnd enqueue --child first -- true; exec spawnd suspend ;;
		"1 1 1") touch "$1/mark.2"; exit 3 ;;
		"2 1 2") touch "$1/mark.3"; spawnd enqueue --child second -- true; exec spawnd suspend ;;
		esac
	SCRIPT
	chmod +x "$TEST_DIR/again"
	finish again --retries 1 --retry-delay 0 -- "$TEST_DIR/again" "$TEST_DIR"
	assert_record '[.run, .status, .exit_code] | tojson' '[2,"completed",0]'
	run grep resumed "$(job_field again .output)"
	assert_output "$(printf 'run %s\n' '1 resumed 0 with ' '1 resumed 1 with first ' '2 resumed 1 with first ' \
		'2 resumed 1 with second ')"
	assert_equal "$(event_kinds again)" \
		'queued started suspended resumed started retry started suspended resumed started completed'
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" 'SELECT (SELECT count(*) FROM waiter) + (SELECT count(*) FROM wait)')" 0
}
