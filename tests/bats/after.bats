# --after, --after-ok, --after-policy: a job that waits for others before it is started.
load common
load crash

# Ends child `$1`, which runs `gate $1`, with code $2.
open_gate() {
	echo "$2" >"$TEST_DIR/gate.$1.new"
	mv "$TEST_DIR/gate.$1.new" "$TEST_DIR/gate.$1"
}

# A child that runs until its gate is opened, and exits with what stands there.
gate() {
	enqueue "$1" "${@:2}" -- sh -c 'testjob wait-for "$1"; exit "$(cat "$1")"' sh "$TEST_DIR/gate.$1" >/dev/null
}

@test "a job waits for others, says for whom, and starts when all have ended, however" {
	gate a
	gate b
	enqueue last --after a,b -- true
	wait_until is_status a running
	wait_until is_status b running
	assert_equal "$(job_field last '"\(.status) \(.waits_for)"')" \
		'queued after a, which runs, and 1 other'
	run -0 spawnd list --status queued
	assert_line --regexp 'true  \(after a, which runs, and 1 other\)$'
	open_gate a 3
	await_record a
	assert_equal "$(job_field last '"\(.status) \(.waits_for)"')" 'queued after b, which runs'
	open_gate b 0
	await_record last
	assert_record .status completed
	(($(jq .seq <<<"$RECORD") > $(job_field b .record.seq)))
}

@test "--after-ok: what fails skips those after it, each of whom names the chain of causes" {
	gate fetch
	enqueue build --after-ok fetch -- true
	enqueue test --after-ok build -- true
	enqueue tidy --after test -- true
	open_gate fetch 2
	await_record test
	assert_record '[.status, .ran, .exit_code, .started_at] | tojson' '["skipped",false,null,null]'
	assert_record .error 'skipped: after build, which was skipped: after fetch, which ended with error: exited with code 2'
	await_record tidy
	assert_record .status completed
	run -123 spawnd wait test
	spawnd events >"$TEST_DIR/events"
	assert_equal "$(jq -c 'select(.child == "test") | [.event, .status]' "$TEST_DIR/events" | paste -sd' ')" \
		'["queued",null] ["completed","skipped"]'
}

@test "the causes are told as they were: cancelled, out of time, lost hope for any" {
	enqueue slow --max-total 0.1s -- testjob stall
	enqueue after-slow --after-ok slow -- true
	gate gone
	enqueue after-gone --after-ok gone -- true
	gate bad
	enqueue any --after-ok gone,bad --after-policy any -- true
	wait_until is_status gone running
	spawnd cancel gone
	await_record after-slow
	assert_record_like .error '^skipped: after slow, which ran out of time: total timeout: ran for'
	await_record after-gone
	assert_record .error 'skipped: after gone, which was cancelled'
	assert is_status any queued
	open_gate bad 1
	await_record any
	assert_record .error \
		'skipped: after several of which none completed, the last being bad, which ended with error: exited with code 1'
}

@test "--after-policy any is met by the first end, first_error by the first that is none" {
	gate a
	gate b
	enqueue any --after a,b --after-policy any -- true
	enqueue error --after a,b --after-policy first_error -- true
	# As it is spelled elsewhere.
	enqueue dash --after a,b --after-policy first-error -- true
	assert_equal "$(job_field any .waits_for)" "$(job_field any .waits_for | grep -F ', or one of 1 other')"
	open_gate a 0
	await_record any
	assert_record .status completed
	assert is_status error queued
	assert is_status dash queued
	open_gate b 1
	await_record error
	assert_record .status completed
	await_record dash
	assert_record .status completed
}

@test "who has ended already counts at once, by its latest run or by number" {
	local number

	number=$(enqueue a -- false)
	await_record a
	finish a -- true
	finish b --after-ok a -- true
	assert_record .status completed
	finish c --after-ok "$number" -- true
	assert_record .error 'skipped: after a, which ended with error: exited with code 1'
	run -123 spawnd run --parent P --child d --after-ok "$number,a" -- true
	assert_output --partial 'skipped: after a, which ended with error'
}

@test "a job after others takes no room meanwhile, and can be cancelled" {
	configure '[spawnd]' 'max_running = 1'
	gate a
	enqueue b --after a -- true
	enqueue c -- true
	spawnd cancel b
	await_record b
	assert_record '[.status, .error] | tojson' '["cancelled","cancelled before it was started"]'
	enqueue d --after-ok b -- true
	await_record d
	assert_record .error 'skipped: after b, which was cancelled'
	open_gate a 0
	await_record c
}

@test "a child that never was, the child itself, and a missing list are refused with what to do" {
	spawnd daemon --detach
	run -66 enqueue x --after nobody -- true
	assert_output 'spawnd enqueue: not found: nobody, for which x is to wait: no child has had that id, and no job that number; enqueue it first'
	run -66 enqueue x --after-ok 4711 -- true
	assert_output --partial 'not found: 4711, for which x is to wait'
	run -64 enqueue x --after x -- true
	assert_output 'spawnd enqueue: --after: x is to wait for itself; name others'
	run -64 enqueue x --after-policy any -- true
	assert_output --partial '--after-policy: says how to wait, but not for whom; give --after or --after-ok as well'
	run -64 enqueue x --after '' -- true
	assert_output --partial "--after: child id '': it is empty"
	run -64 enqueue x --after-ok 'a,,b' -- true
	assert_output --partial "--after-ok: child id '': it is empty"
	run -64 enqueue x --after a,,b -- true
	run -64 enqueue x --after a --after-policy some -- true
	assert_output --partial "--after-policy 'some': no such word"
	run -64 enqueue x --after "$(printf '%0101d' 0)" -- true
	run -66 spawnd status x
	assert_equal "$(spawnd list --json)" ''
}

@test "to wait for the job above, or for one that waits for it, is refused" {
	cat >"$TEST_DIR/top" <<-'EOF'
		testjob wait-for "$TEST_DIR/go"
		"$SPAWND" enqueue --child below --after top -- true 2>"$TEST_DIR/direct"
		echo $? >>"$TEST_DIR/codes"
		"$SPAWND" enqueue --child below --after other -- true 2>"$TEST_DIR/indirect"
		echo $? >>"$TEST_DIR/codes"
	EOF
	export SPAWND
	enqueue top -- sh "$TEST_DIR/top"
	enqueue other --after top -- true
	touch "$TEST_DIR/go"
	await_record other
	assert_equal "$(cat "$TEST_DIR/codes")" $'64\n64'
	run cat "$TEST_DIR/direct"
	assert_output --partial 'top is above below, and would wait for it in turn; name others'
	run cat "$TEST_DIR/indirect"
	assert_output --partial 'other waits for top, which is above below, and would wait for it in turn'
}

@test "kill -9: waits are as before, met or failed when those have ended meanwhile" {
	gate a
	gate b
	gate c
	enqueue ok --after-ok a -- true
	enqueue bad --after-ok b -- true
	enqueue worse --after-ok bad -- true
	enqueue lost --after c -- true
	wait_until is_status c running
	kill_server
	assert_equal "$(job_field ok .waits_for)" 'after a, which runs'
	kill_daemon
	open_gate a 0
	open_gate b 4
	open_gate c 0
	await_record ok
	await_record worse
	assert_record_like .error '^skipped: after bad, which was skipped: after b, which '
	await_record lost
	assert_record .status completed
	assert_equal "$(spawnd results --parent P | jq -r .child | sort | uniq -d)" ''
	assert_equal "$(record_count P)" 7
}

@test "a chain of 200 that fails at its head is skipped whole, and every link has its record" {
	local i

	spawnd daemon --detach
	gate j0
	for ((i = 1; i <= 200; i++)); do
		enqueue "j$i" --after-ok "j$((i - 1))" -- true >/dev/null
	done
	open_gate j0 1
	wait_until has_records P 201
	assert_equal "$(spawnd results --parent P | jq -r .status | sort | uniq -c | tr -s ' ' | paste -sd' ')" \
		' 1 error  200 skipped'
	assert_equal "$(spawnd results --parent P | awk 'length >= 4096' | wc -l)" 0
}

@test "a batch has fields for them, and a child of a line before may be named" {
	cat >"$TEST_DIR/batch" <<-'EOF'
		{"parent":"P","child":"a","argv":["false"]}
		{"parent":"P","child":"b","argv":["true"],"after_ok":"a"}
		{"parent":"P","child":"c","argv":["true"],"after":"a,b","after_policy":"any"}
		{"parent":"P","child":"d","argv":["true"],"after":"nobody"}
	EOF
	run -66 --separate-stderr spawnd enqueue --batch "$TEST_DIR/batch"
	assert_regex "$stderr" ':4: not found: nobody, for which d is to wait'
	await_record b
	assert_record .status skipped
	await_record c
	assert_record .status completed
	assert_equal "$(spawnd list --status skipped --json | jq -r .child)" b
}

# What a job enqueues that others wait for, while these fill the queue.
enqueue_three() {
	cat >"$TEST_DIR/three" <<-'SCRIPT'
		#!/bin/sh
		until [ -e "$1/go" ]; do sleep 0.05; done
		for i in 1 2 3; do spawnd enqueue --parent "$SPAWND_CHILD" --child "$SPAWND_CHILD.$i" -- true || exit 1; done
	SCRIPT
	chmod +x "$TEST_DIR/three"
}

@test "who waits for others does not fill the queue, so that these can go on" {
	configure '[spawnd]' 'max_running = 1' 'queue_limit = 2'
	enqueue_three
	enqueue first --max-total 60s -- "$TEST_DIR/three" "$TEST_DIR"
	wait_until is_status first running
	for c in a b c d; do
		run -0 enqueue "$c" --no-wait --after first -- true
	done
	enqueue room --no-wait -- true
	enqueue rest --no-wait -- true
	run -75 enqueue over --no-wait -- true
	run -75 enqueue over --no-wait --after first -- true
	touch "$TEST_DIR/go"
	await_record first
	assert_record .status completed
	for c in a b c d rest; do
		await_record "$c"
		assert_record .status completed
	done
}
