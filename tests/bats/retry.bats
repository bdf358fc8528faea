# Retries: a job that is run again, under its number, until it completes or has no retries left.
load common

# A program that fails, says so, and succeeds from its run $1 on.
until_run() {
	cat >"$TEST_DIR/until" <<-'SCRIPT'
		#!/bin/sh
		echo "run $SPAWND_RUN"
		test -s "$SPAWND_RESULT" && echo 'a result is there'
		echo "result $SPAWND_RUN" >"$SPAWND_RESULT"
		[ "$SPAWND_RUN" -ge "$1" ] || exit 3
	SCRIPT
	chmod +x "$TEST_DIR/until"
}

# The events of job $1 of kind $2, as jq's FILTER has them, on one line.
events_of() {
	spawnd events --since 0 | jq -c "select(.job == $1 and .event == \"$2\") | $3" | tr '\n' ' '
}

waits_for_retry() {
	[[ $(job_field "$1" .waits_for) == "retry $2 at 20"* ]]
}

@test "a job that fails is run again until it completes: one number, one record, one output" {
	until_run
	finish c --retries 5 --retry-delay 0.01s -- "$TEST_DIR/until" 3
	assert_record '[.job, .run, .status, .exit_code] | tojson' '[1,3,"completed",0]'
	assert_equal "$(record_count P)" 1
	run -0 spawnd logs c
	assert_output $'run 1\nrun 2\nrun 3'
	assert_equal "$(cat "$(jq -r .result <<<"$RECORD")")" 'result 3'
	assert_equal "$(events_of 1 started .event)" '"started" "started" "started" '
	assert_equal "$(events_of 1 retry '[.run, .status, .error, .retry, .retries]')" \
		'[2,"error","exited with code 3",1,5] [3,"error","exited with code 3",2,5] '
	assert_equal "$(events_of 1 completed .run)" '3 '
	# The next job of that child counts on.
	finish c -- true
	assert_record '[.job, .run] | tojson' '[2,4]'
}

@test "when no retry is left, the record is that of the last run" {
	finish c --retries 2 --retry-delay 0 -- sh -c 'exit $((10 + SPAWND_RUN))'
	assert_record '[.run, .status, .exit_code] | tojson' '[3,"error",13]'
	assert_equal "$(job_field c '[.retries, .retried] | tojson')" '[2,2]'
}

@test "run passes on the output of all runs, and exits as the last" {
	until_run
	run -0 spawnd run --retries 2 --retry-delay 0.01s -- "$TEST_DIR/until" 2
	assert_output $'run 1\nrun 2'
	run -3 spawnd run --retries 1 --retry-delay 0.01s -- "$TEST_DIR/until" 9
}

@test "the wait doubles, is told, and the job is queued meanwhile, its FIFO open" {
	local first

	enqueue c --retries 3 --retry-delay 1h -- false
	wait_until waits_for_retry c '1 of 3'
	assert_equal "$(job_field c .status)" queued
	read_fifo P "$TEST_DIR/read"
	first=$(job_field c .due_at)
	assert [ $(($(date -d "$first" +%s) - $(date +%s))) -gt 3000 ]
	finish other -- true
	spawnd cancel c
	await_exit "$READER"
	run -0 jq -rs 'map(select(.child == "c"))[0] | [.status, .error, .ran, .exit_code] | tojson' "$TEST_DIR/read"
	assert_output '["cancelled","cancelled before it was run again",true,null]'
	# By what is planned, not by the clock of a busy machine.
	finish d --retries 2 --retry-delay 0.2s -- false
	run -0 jq -se 'def ms: (sub("\\.[0-9]+Z$"; "Z") | fromdate) * 1000 + (capture("\\.(?<f>[0-9]+)Z$").f | tonumber);
		map(select(.child == "d" and .event == "retry") | (.due_at | ms) - (.at | ms))
		| length == 2 and .[0] <= 201 and .[1] <= 401 and .[1] > .[0]' <(spawnd events --since 0)
}

@test "only after the ends that were named" {
	finish a --retries 3 --retry-delay 0 --retry-on timeout -- false
	assert_record '[.run, .status] | tojson' '[1,"error"]'
	finish b --retries 1 --retry-delay 0 --retry-on timeout --max-total 0.2s -- testjob stall
	assert_record '[.run, .status] | tojson' '[2,"timeout"]'
	finish c --retries 1 --retry-delay 0 --retry-on error --max-total 0.2s -- testjob stall
	assert_record '[.run, .status] | tojson' '[1,"timeout"]'
	finish d --retries 1 --retry-delay 0 -- /does/not/exist
	assert_record '[.run, .status, .ran, .errno] | tojson' '[2,"error",true,"ENOENT"]'
}

@test "a cancel ends a job that has retries left" {
	enqueue c --retries 5 --retry-delay 0 -- testjob stall
	wait_until is_status c running
	spawnd cancel c
	await_record c
	assert_record '[.run, .status] | tojson' '[1,"cancelled"]'
}

@test "what was lost is run again only with --retry-on lost" {
	local supervisor server pid

	enqueue lost --retries 2 --retry-delay 0 -- testjob stall
	enqueue again --retries 2 --retry-delay 0 --retry-on lost,error -- sh -c '[ $SPAWND_RUN = 2 ] || exec testjob stall'
	wait_until is_status lost running
	wait_until is_status again running
	# As after a restart of the machine.
	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	kill -STOP "$supervisor"
	kill -KILL "$server" "$supervisor"
	wait_until not is_alive "$server"
	wait_until not is_alive "$supervisor"
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "UPDATE job SET boot_id = 'another';
		SELECT pid FROM job" >"$TEST_DIR/pids"
	while read -r pid; do
		kill -KILL "$pid"
	done <"$TEST_DIR/pids"
	await_record lost
	assert_record '[.run, .status] | tojson' '[1,"lost"]'
	await_record again
	assert_record '[.run, .status] | tojson' '[2,"completed"]'
}

@test "a crash counts no run twice, and forgets none" {
	until_run
	enqueue c --retries 20 --retry-delay 0.05s -- "$TEST_DIR/until" 8
	for _ in 1 2 3 4 5; do
		kill -KILL "$(daemon_field server_pid)"
	done
	await_record c
	assert_record '[.run, .status] | tojson' '[8,"completed"]'
	run -0 spawnd logs c
	assert_output $'run 1\nrun 2\nrun 3\nrun 4\nrun 5\nrun 6\nrun 7\nrun 8'
}

@test "a stop keeps what waits for a retry, and the count of it" {
	enqueue c --retries 3 --retry-delay 1h -- false
	wait_until waits_for_retry c '1 of 3'
	spawnd stop
	wait_until waits_for_retry c '1 of 3'
	assert_equal "$(job_field c .run)" 2
}

@test "a job beyond its output limit is not run again: its output would still be" {
	finish c --retries 3 --retry-delay 0 --max-output 4K --on-output-limit kill -- \
		sh -c 'head -c 100000 /dev/zero; exec testjob stall'
	assert_record '[.run, .status] | tojson' '[1,"error"]'
}

@test "what is wrong with retries is refused with what would be right" {
	run -64 --separate-stderr enqueue c --retries -1 -- true
	[[ $stderr == *"--retries '-1'"*'from 0 to 1000000'* ]]
	run -64 --separate-stderr enqueue c --retries 1 --retry-on success -- true
	[[ $stderr == *"'success': must be one or more of error, timeout, lost"* ]]
	run -64 --separate-stderr enqueue c --retries 1 --retry-on 'error,' -- true
	run -64 --separate-stderr enqueue c --retries 1 --retry-delay soon -- true
	[[ $stderr == *"--retry-delay 'soon': not a duration"* ]]
	run -64 --separate-stderr enqueue c --retry-delay 1s -- true
	[[ $stderr == *'give --retries as well'* ]]
	run -64 --separate-stderr enqueue c --retry-on lost -- true
	[[ $stderr == *'give --retries as well'* ]]
}
