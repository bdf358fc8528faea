# Ending a job ends its whole process group, and the record comes when nothing of it is left.
load common

@test "a timeout takes the whole group with it" {
	enqueue c --max-idle 0.5s --kill-grace 0.3s -- testjob \
		child pid "$TEST_DIR/a" stall parent child ignore TERM pid "$TEST_DIR/b" stall parent \
		pid "$TEST_DIR/c" stall
	pid_in "$TEST_DIR/a"
	pid_in "$TEST_DIR/b"
	pid_in "$TEST_DIR/c"
	await_record c
	assert_record .status timeout
	run ! is_alive "$(cat "$TEST_DIR/a")"
	run ! is_alive "$(cat "$TEST_DIR/b")"
	run ! is_alive "$(cat "$TEST_DIR/c")"
}

@test "what the first process leaves running is ended before the record comes" {
	finish c --kill-grace 0.3s -- testjob child ignore TERM pid "$TEST_DIR/a" stall parent \
		wait-for "$TEST_DIR/a" exit 5
	assert_record '[.status, .exit_code] | tojson' '["error",5]'
	run ! is_alive "$(cat "$TEST_DIR/a")"
}

@test "the grace period belongs to the group, not to its first process" {
	finish c --max-idle 0.5s --kill-grace 20s -- testjob child on-term 0 touch "$TEST_DIR/ready" \
		stall parent wait-for "$TEST_DIR/ready" stall
	assert_record '[.status, .signal] | tojson' '["timeout","TERM"]'

	# A grandchild that needs its time to clean up gets it, though its parent is gone at once.
	finish d --max-idle 0.5s --kill-grace 20s -- sh -c \
		'(trap "sleep 0.5; touch \"$1\"; exit" TERM; while :; do sleep 0.1; done) & testjob stall' \
		sh "$TEST_DIR/cleaned"
	assert_record .status timeout
	assert_exists "$TEST_DIR/cleaned"
}

@test "cancel takes the group with it" {
	local pid

	enqueue c -- testjob child pid "$TEST_DIR/a" stall parent stall
	pid=$(pid_in "$TEST_DIR/a")
	spawnd cancel c
	await_record c
	assert_record .status cancelled
	run ! is_alive "$pid"
}

@test "a stopped group is ended" {
	local pid

	enqueue c --max-idle 1s -- testjob child pid "$TEST_DIR/a" stop parent pid "$TEST_DIR/b" stop
	pid=$(pid_in "$TEST_DIR/a")
	await_record c
	assert_record .status timeout
	run ! is_alive "$pid"
}
