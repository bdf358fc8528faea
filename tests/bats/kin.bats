# Cancel down a tree, while it grows, and what becomes of the children of a job that ends.
load common

# A job that enqueues WIDTH more of its kind below itself, down to DEPTH, notes each answer, and ends soon; and
# when it is asked to end tries it once more.
write_grow() {
	cat >"$TEST_DIR/grow" <<-'EOF'
		#!/bin/bash
		more() {
			"$SPAWND" enqueue -- "$0" 2>>"$TEST_DIR/refused"
		}
		trap 'more; exit 1' TERM
		echo "$SPAWND_JOB" >>"$TEST_DIR/began"
		for ((i = 0; i < WIDTH && SPAWND_DEPTH < DEPTH; i++)); do
			more
		done
		testjob sleep $((RANDOM % 60))
	EOF
	chmod +x "$TEST_DIR/grow"
	export SPAWND WIDTH=2 DEPTH=4
}

# How many lines a file has that may not be there.
lines() {
	if [[ -e $1 ]]; then
		wc -l <"$1"
	else
		echo 0
	fi
}

has_begun() {
	(($(lines "$TEST_DIR/began") >= $1))
}

# The number of the last job that was accepted.
last_job() {
	spawnd list --json | jq -s 'map(.job) | max'
}

# How many jobs have not ended.
count_live() {
	spawnd list --json | jq -s 'map(select(.completed_at == null)) | length'
}

is_over() {
	[[ $(count_live) == 0 ]]
}

# Ends the server, whichever lives now, without a word.
kill_server() {
	kill -KILL "$(daemon_field server_pid)"
}

# Nothing was accepted after the cancel, nothing is left, and each job has one record.
assert_cut_down() {
	local last=$1

	wait_until is_over
	assert_equal "$(last_job)" "$last"
	assert_equal "$(spawnd results | wc -l)" "$last"
	assert_equal "$(spawnd results | jq -s 'map(.job) | unique | length')" "$last"
}

@test "cancel of the root of a growing tree leaves no process and no queued job" {
	local round last

	configure '[spawnd]' 'max_running = 6'
	write_grow
	for round in 1 2 3 4; do
		rm -f "$TEST_DIR/began"
		spawnd enqueue --parent P --child "root$round" -- "$TEST_DIR/grow"
		wait_until has_begun $((round * 5))
		spawnd cancel "root$round"
		last=$(last_job)
		assert_cut_down "$last"
	done
}

@test "cancel --parent cuts down all trees of that parent, while they grow" {
	local i last

	configure '[spawnd]' 'max_running = 6'
	write_grow
	for i in 1 2 3 4 5 6; do
		spawnd enqueue --parent P --child "root$i" -- "$TEST_DIR/grow"
	done
	wait_until has_begun 25
	spawnd cancel --parent P
	last=$(last_job)
	assert_cut_down "$last"
}

@test "a cancel that was answered holds when the server is killed at once" {
	local round last

	configure '[spawnd]' 'max_running = 6'
	write_grow
	for round in 1 2 3 4; do
		rm -f "$TEST_DIR/began"
		spawnd enqueue --parent P --child "root$round" -- "$TEST_DIR/grow"
		wait_until has_begun $((round * 5))
		# In the middle of it, and after it.
		if ((round % 2)); then
			kill_server
		fi
		spawnd cancel "root$round"
		kill_server
		last=$(last_job)
		assert_cut_down "$last"
	done
}

@test "a child that enqueues after its cancel is refused, and told so" {
	enqueue top --kill-grace 60s -- sh -c 'trap "" TERM
		testjob wait-for "$TEST_DIR/go"
		"$1" enqueue --child late -- true 2>"$TEST_DIR/refused"
		echo $? >"$TEST_DIR/code"' sh "$SPAWND"
	wait_until is_status top running
	spawnd cancel top
	touch "$TEST_DIR/go"
	await_record top
	assert_equal "$(cat "$TEST_DIR/code")" 77
	assert_regex "$(cat "$TEST_DIR/refused")" "'late' is not accepted: job 1.* was cancelled"
	run -66 spawnd status late
}

@test "what a cancelled job has left cannot enqueue below it once it has ended" {
	enqueue top --leftovers leave -- testjob stall
	wait_until is_status top running
	spawnd cancel top
	await_record top
	# As such a process would, whose call is read only now.
	run -77 --separate-stderr env SPAWND_CHILD=top SPAWND_JOB=1 "$SPAWND" enqueue --child late -- true
	[[ $stderr == *'job 1'*'was cancelled'* ]]
	# Anybody else may use the id as a parent's.
	run -0 spawnd enqueue --parent top --child other -- true
	run -0 env SPAWND_CHILD=top SPAWND_JOB=2 "$SPAWND" enqueue --child another -- true
}

# A tree of three: its middle has ended, and its leaf runs.
grow_three() {
	enqueue top -- sh -c '"$1" enqueue --child middle -- "$1" enqueue --child leaf -- testjob stall
		exec testjob stall' sh "$SPAWND"
	wait_until spawnd status leaf
	wait_until is_status leaf running
	await_record middle
}

@test "cancel finds those below a job that has ended" {
	grow_three
	assert_equal "$(spawnd cancel top)" 2
	await_record leaf
	assert_record .status cancelled
}

@test "cancel of a job that has ended cancels who is left below it" {
	grow_three
	assert_equal "$(spawnd cancel middle)" 1
	await_record leaf
	assert_record .status cancelled
	assert_equal "$(job_field top .status)" running
}

@test "cancel --parent finds those below a child that has ended, after a crash too" {
	spawnd enqueue --parent Q --child top -- sh -c '"$1" enqueue --child middle -- \
		"$1" enqueue --child leaf -- testjob stall' sh "$SPAWND"
	wait_until spawnd status leaf
	wait_until is_status leaf running
	await_record middle
	await_record top
	spawnd enqueue --parent other --child stranger -- testjob stall
	wait_until is_status stranger running
	kill_server
	assert_equal "$(spawnd cancel --parent Q)" 1
	await_record leaf
	assert_record .status cancelled
	assert_equal "$(job_field stranger .status)" running
}

@test "a job is not below one that only came to have its parent's id" {
	spawnd enqueue --parent later --child early -- testjob stall
	enqueue later -- testjob stall
	assert_equal "$(spawnd cancel later)" 1
	wait_until is_status early running
}

@test "queued jobs below go first, the deepest before those above them" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top -- testjob stall
	wait_until is_status top running
	spawnd enqueue --parent top --child a -- testjob stall
	spawnd enqueue --parent a --child b -- testjob stall
	spawnd enqueue --parent b --child c -- testjob stall
	spawnd cancel top
	await_record top
	assert_equal "$(spawnd results | jq -r .child | tr -d '\n')" cbatop
	assert_equal "$(spawnd results | jq -s 'map(.ran) | map(select(.)) | length')" 1
}

@test "orphans = keep: the children of a job that ends go on" {
	grow_three
	assert_equal "$(job_field leaf .status)" running
	assert_equal "$(spawnd list --status cancelled)" ""
}

@test "orphans = cancel: all that is below a job that ends is cancelled, however it ends" {
	configure '[spawnd]' 'orphans = cancel' 'max_running = 3'
	enqueue top -- sh -c '"$1" enqueue --child middle -- sh -c "\"\$1\" enqueue --child leaf -- testjob stall
		\"\$1\" enqueue --child waits -- testjob stall; exec testjob stall" sh "$1"
		testjob wait-for "$TEST_DIR/go"; exit 3' sh "$SPAWND"
	wait_until spawnd status waits
	wait_until is_status leaf running
	touch "$TEST_DIR/go"
	await_record top
	assert_record .status error
	for RECORD in middle leaf waits; do
		wait_until has_ended "$RECORD"
		assert_equal "$(job_field "$RECORD" .status)" cancelled
	done
	assert_equal "$(job_field waits .started_at)" null
}

@test "orphans = cancel: what a job has left cannot enqueue below it once it has ended" {
	configure '[spawnd]' 'orphans = cancel'
	finish top -- true
	run -77 --separate-stderr env SPAWND_CHILD=top SPAWND_JOB=1 "$SPAWND" enqueue --child late -- true
	[[ $stderr == *'orphans = cancel'* ]]
}

@test "orphans = keep: what a job has left enqueues below it, as deep as before" {
	configure '[spawnd]' 'max_depth = 1'
	enqueue top -- true
	await_record top
	run -0 env SPAWND_CHILD=top SPAWND_JOB=1 "$SPAWND" enqueue --child late -- testjob stall
	assert_equal "$(job_field late .depth)" 1
	run -77 env SPAWND_CHILD=late SPAWND_JOB=2 "$SPAWND" enqueue -- true
	assert_equal "$(spawnd cancel top)" 1
}
