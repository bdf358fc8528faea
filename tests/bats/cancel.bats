# cancel: ends jobs, and everything below them.
load common

@test "cancel ends a running job" {
	enqueue c -- testjob stall
	wait_until is_status c running
	run -0 spawnd cancel c
	await_record c
	assert_record '[.status, .signal, .ran] | tojson' '["cancelled","TERM",true]'
}

@test "cancel takes a queued job out of the queue: it never ran" {
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob stall
	enqueue c -- touch "$TEST_DIR/ran"
	run -0 spawnd cancel c
	await_record c
	assert_record '[.status, .ran, .exit_code] | tojson' '["cancelled",false,null]'
	spawnd cancel first
	await_record first
	assert_not_exists "$TEST_DIR/ran"
}

# no_parent NAME MORE: each command that is told of this parent says that there is none, and this besides.
no_parent() {
	local command

	for command in cancel list next pause results unpause; do
		run -66 --separate-stderr spawnd "$command" --parent "$1"
		assert_equal "$output" ''
		assert_equal "$stderr" "spawnd $command: not found: $1: no child has had that parent; $2"
	done
}

@test "a parent that nobody has had is told of, with the one that may have been meant" {
	local command i

	for i in $(seq 70); do
		echo "{\"parent\":\"a$i\",\"child\":\"x$i\",\"argv\":[\"true\"]}"
	done >lines
	spawnd enqueue --batch lines >/dev/null
	spawnd enqueue --parent build --child lint -- true
	no_parent biuld 'did you mean build?'
	no_parent nobody "'spawnd list' shows all"
	await_record lint
	# Not only while they live; and who is a child may have none of its own.
	no_parent buidl 'did you mean build?'
	for command in cancel list results; do
		run -0 spawnd "$command" --parent build
		run -0 spawnd "$command" --parent lint
	done
	for command in pause unpause; do
		run -66 --separate-stderr spawnd "$command" --parent build
		assert_equal "$stderr" "spawnd $command: not found: a running child of 'build'"
	done
	for command in build lint; do
		run --separate-stderr spawnd next --parent "$command"
		assert_equal "$stderr" ''
	done
	assert_equal "$status" 66
}

@test "cancel --parent ends all children of that parent, and no other" {
	enqueue a -- testjob stall
	enqueue b -- testjob stall
	spawnd enqueue --parent Q --child q -- testjob stall
	wait_until is_status q running
	spawnd cancel --parent P
	await_record a
	assert_record .status cancelled
	await_record b
	assert_record .status cancelled
	assert_equal "$(job_field q .status)" running
}

@test "cancel goes down the tree" {
	enqueue outer -- sh -c '"$1" enqueue --child inner -- testjob stall; testjob stall' sh "$SPAWND"
	wait_until spawnd status inner
	wait_until is_status inner running
	spawnd cancel outer
	await_record outer
	assert_record .status cancelled
	await_record inner
	assert_record .status cancelled
}

@test "cancel of a job that ignores TERM kills it after its grace" {
	enqueue c --kill-grace 0.2s -- testjob ignore TERM touch "$TEST_DIR/ready" stall
	wait_until test -e "$TEST_DIR/ready"
	spawnd cancel c
	await_record c
	assert_record '[.status, .signal] | tojson' '["cancelled","KILL"]'
}

@test "cancel of a child that has ended changes nothing" {
	finish c -- true
	run -0 spawnd cancel c
	await_record c
	assert_record .status completed
	assert_equal "$(record_count P)" 1
}

@test "cancel of a child that nobody knows is refused" {
	run -66 --separate-stderr spawnd cancel nobody
	assert_equal "$stderr" "spawnd cancel: not found: nobody: no child has had that id, and no job that number; 'spawnd list' shows all"
}

@test "a child that nobody knows keeps cancel from none of the others" {
	enqueue a -- testjob stall
	enqueue b -- testjob stall
	run -66 --separate-stderr spawnd cancel a nobody b nowhere
	assert_equal "$output" ''
	[[ $stderr == *"not found: nobody: "* ]]
	await_record a
	assert_record .status cancelled
	await_record b
	assert_record .status cancelled
}

@test "a timeout stays a timeout when a cancel comes later" {
	enqueue c --max-idle 0.2s --kill-grace 60s -- testjob child ignore TERM wait-for "$TEST_DIR/go" \
		parent pid "$TEST_DIR/pid" stall
	pid_in "$TEST_DIR/pid"
	wait_until not is_alive "$(cat "$TEST_DIR/pid")"
	spawnd cancel c
	touch "$TEST_DIR/go"
	await_record c
	assert_record .status timeout
}
