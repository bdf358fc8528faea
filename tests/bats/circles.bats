#!/usr/bin/env bats
# Jobs that wait for each other: whoever closes the circle is told, with who waits for whom; what can end is left
# alone.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common

# waiter CHILD WORD...: a job that waits for the file $TEST_DIR/CHILD, then by `spawnd WORD...`, and leaves the exit
# code of that in CHILD.code and what it complained of in CHILD.err.
waiter() {
	enqueue "$1" --max-total 120s -- sh -c 'cd "$1"; child=$2; shift 2
		testjob wait-for "$child"; "$SPAWND" "$@" >/dev/null 2>"$child.err"; echo $? >"$child.code"' \
		sh "$TEST_DIR" "$@"
}

# Whether the job's first process sleeps until the `spawnd` below it has exited, and the daemon has that one's call.
sits_in_call() {
	local leader children

	leader=$(job_field "$1" .pid)
	[[ $(cat "/proc/$leader/wchan") == do_wait ]] || return
	read -ra children <"/proc/$leader/task/$leader/children"
	[[ ${#children[@]} == 1 && $(readlink "/proc/${children[0]}/exe") == "$(realpath "$SPAWND")" ]] &&
		is_waiting "$1"
}

is_waiting() {
	[[ $(job_field "$1" .waits_for) == 'others, and has lent its room' ]]
}

# Whether that process has asked the daemon, and has no answer yet.
sleeps_in_poll() {
	[[ $(cat "/proc/$1/wchan") == *poll* && $(readlink "/proc/$1/exe") == "$(realpath "$SPAWND")" ]]
}

# Lets the waiters begin, one after the other.
begin() {
	local child

	for child; do
		touch "$TEST_DIR/$child"
		wait_until sits_in_call "$child"
	done
}

# assert_closes CHILD [CODE]: the last of a circle; it is told what stands in $TEST_DIR/CHILD.err, and then all end.
assert_closes() {
	touch "$TEST_DIR/$1"
	await_record "$1"
	assert_equal "$(cat "$TEST_DIR/$1.code")" "${2:-64}"
}

# A kernel may not say in what a process sleeps, nor which children it has.
needs_sight() {
	local pid

	sh -c 'sleep 2; exit 0' 3>&- &
	pid=$!
	until [[ -r /proc/$pid/task/$pid/children && $(cat "/proc/$pid/wchan") == do_wait ]]; do
		is_alive "$pid" || skip 'nobody sees here in what a process sleeps'
		command sleep 0.02
	done
}

@test "two jobs that wait for each other: the second is told, and both go on" {
	needs_sight
	export SPAWND
	waiter s1 wait s2
	waiter s2 wait s1
	begin s1
	assert_closes s2
	grep -q "'s1' waits for 's2', the job that waits: neither would ever go on" "$TEST_DIR/s2.err"
	await_record s1
	assert_equal "$(cat "$TEST_DIR/s1.code")" 0
}

@test "three in a ring: the last is told, and by whom" {
	needs_sight
	export SPAWND
	waiter s1 wait s2
	waiter s2 wait --any s3
	waiter s3 wait s1
	begin s1 s2
	assert_closes s3
	grep -q "'s1' waits for 's2', which waits for 's3', the job that waits" "$TEST_DIR/s3.err"
	await_record s1
	assert_equal "$(cat "$TEST_DIR/s1.code" "$TEST_DIR/s2.code" | paste -sd' ')" '0 0'
}

@test "a job after another that waits in a call for whoever asks for it is refused" {
	needs_sight
	export SPAWND
	waiter s wait top
	waiter top run --after s -- true
	begin s
	assert_closes top 125
	grep -q "waits for 's', which waits for 'top', the job that waits" "$TEST_DIR/top.err"
	await_record s
	assert_equal "$(cat "$TEST_DIR/s.code")" 0
}

@test "next in the last child of a parent is told, at once and when somebody else took what came" {
	needs_sight
	export SPAWND
	waiter first next --parent P
	assert_closes first
	grep -q "nothing is left but 'first', the job that waits" "$TEST_DIR/first.err"
	spawnd next --parent P >/dev/null
	enqueue other -- testjob wait-for "$TEST_DIR/other"
	waiter last next --parent P
	"$SPAWND" next --parent P >"$TEST_DIR/taken" 3>&- &
	NEXT=$!
	wait_until sleeps_in_poll "$NEXT"
	begin last
	touch "$TEST_DIR/other"
	await_record last
	assert_equal "$(cat "$TEST_DIR/last.code")" 64
	await_exit "$NEXT"
	assert_equal "$(jq -r .child "$TEST_DIR/taken")" other
}

@test "one who waits for the next of a parent waits for all of its children that are left" {
	needs_sight
	export SPAWND
	waiter s1 next --parent P
	waiter s2 wait s1
	begin s1
	assert_closes s2
	grep -q "'s1' waits for 's2', the job that waits" "$TEST_DIR/s2.err"
	await_record s1
	assert_equal "$(cat "$TEST_DIR/s1.code")" 0
}

@test "a job in a call is told when those that it waits for come to wait for it" {
	export SPAWND
	spawnd enqueue --parent y --child x --max-total 120s -- sh -c 'cd "$1"
		"$SPAWND" enqueue -p x -c y -- sh -c "testjob wait-for go; \"\$SPAWND\" suspend; exit 3" >y.job
		"$SPAWND" wait y >x.out 2>x.err; echo $? >x.code' sh "$TEST_DIR"
	wait_until is_waiting x
	touch "$TEST_DIR/go"
	await_record x
	assert_equal "$(cat "$TEST_DIR/x.code")" 64
	grep -q "'y' waits for 'x', the job that waits" "$TEST_DIR/x.err"
	await_record y
}

@test "what may end is left alone: a job with more to do, a limit, one of several" {
	export SPAWND
	waiter s1 wait busy
	enqueue busy -- sh -c '"$SPAWND" wait s1 2>/dev/null & testjob wait-for "$1"' sh "$TEST_DIR/busy"
	wait_until is_waiting busy
	touch "$TEST_DIR/s1"
	wait_until is_waiting s1
	touch "$TEST_DIR/busy"
	await_record s1
	assert_equal "$(cat "$TEST_DIR/s1.code")" 0
	waiter s2 wait --timeout 10m s3
	waiter s3 wait s2
	begin s2 s3
	spawnd cancel s2
	await_record s3
	assert_equal "$(cat "$TEST_DIR/s3.err")" ''
	enqueue free -- testjob wait-for "$TEST_DIR/free"
	waiter s4 wait --any s5 free
	waiter s5 wait s4
	begin s4
	touch "$TEST_DIR/s5"
	wait_until is_waiting s5
	touch "$TEST_DIR/free"
	await_record s5
	assert_equal "$(cat "$TEST_DIR/s5.code")" 0
}
