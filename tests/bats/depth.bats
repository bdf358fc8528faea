# max_depth: how deep jobs may be nested, and that nobody's word is taken for it.
load common

# A job that enqueues one below itself with the default parent, names its child "below-" and its own depth, and
# waits to be ended.
write_nest() {
	cat >"$TEST_DIR/nest" <<-'EOF'
		#!/bin/sh
		"$SPAWND" enqueue --child "below-$SPAWND_DEPTH" -- "$0" 2>"$TEST_DIR/refused-$SPAWND_DEPTH"
		echo $? >"$TEST_DIR/code-$SPAWND_DEPTH"
		exec testjob stall
	EOF
	chmod +x "$TEST_DIR/nest"
	export SPAWND
}

@test "jobs nest down to max_depth, and what would be deeper is refused with depth, limit and setting" {
	configure '[spawnd]' 'max_depth = 2'
	write_nest
	enqueue top -- "$TEST_DIR/nest"
	wait_until test -s "$TEST_DIR/code-2"
	assert_equal "$(cat "$TEST_DIR/code-0" "$TEST_DIR/code-1" "$TEST_DIR/code-2")" $'0\n0\n77'
	assert_equal "$(job_field below-0 '"\(.parent) \(.depth)"')" 'top 1'
	assert_equal "$(job_field below-1 '"\(.parent) \(.depth)"')" 'below-0 2'
	run -66 spawnd status below-2
	run cat "$TEST_DIR/refused-2"
	assert_output --partial "'below-2' would be at depth 3"
	assert_output --partial 'max_depth in spawnd.ini is 2'
}

@test "max_depth is 4 where nothing is set" {
	write_nest
	enqueue top -- "$TEST_DIR/nest"
	wait_until test -s "$TEST_DIR/code-4"
	assert_equal "$(cat "$TEST_DIR/code-3" "$TEST_DIR/code-4")" $'0\n77'
	assert_equal "$(job_field below-3 .depth)" 4
}

@test "max_depth 0: no job has a job below it, and a run that is refused says 125" {
	configure '[spawnd]' 'max_depth = 0'
	enqueue top -- testjob stall
	run -77 --separate-stderr spawnd enqueue --parent top --child c -- true
	[[ $stderr == *'depth 1'* ]]
	run -125 --separate-stderr spawnd run --parent top --child c -- true
	run -0 spawnd run --parent P --child c -- true
}

@test "a depth that a client claims in its environment counts for nothing" {
	configure '[spawnd]' 'max_depth = 1'
	enqueue top -- testjob stall
	run -0 env SPAWND_DEPTH=7 SPAWND_CHILD=top "$SPAWND" enqueue --child one -- testjob stall
	assert_equal "$(job_field one .depth)" 1
	run -77 env SPAWND_DEPTH=0 SPAWND_CHILD=one "$SPAWND" enqueue --child two -- true
	# Who names another parent is a child of that one, and as deep.
	run -77 env SPAWND_CHILD=nobody "$SPAWND" enqueue --parent one --child two -- true
}

@test "a refusal for its depth replaces nothing" {
	configure '[spawnd]' 'max_depth = 0'
	enqueue top -- testjob stall
	enqueue c -- testjob stall
	wait_until is_status c running
	run -77 spawnd enqueue --parent top --child c --if-exists replace -- true
	assert_equal "$(job_field c .status)" running
}

@test "depth is a matter of jobs that live: the child of one that has ended is at the root" {
	finish top -- true
	enqueue c --parent top -- testjob stall
	assert_equal "$(job_field c .depth)" 0
}

@test "a max_depth that is no number is refused by config check" {
	configure '[spawnd]' 'max_depth = deep'
	run -78 --separate-stderr spawnd config check
	[[ $stderr == *max_depth*'from 0 to 64'* ]]
}
