# One FIFO for one parent: a second parent is refused the place, and where two have it all the same, the
# records of one wait until the other's are read.
load common

refused() {
	run --separate-stderr spawnd fifo "$@"
	assert_equal "$status" 64
	assert_equal "$output" ''
	[[ $stderr == *"is the place of the FIFO of parent A; choose another path"* ]]
}

@test "a path at which another parent has its FIFO is refused" {
	spawnd fifo A --at "$TEST_DIR/one"
	refused B --at "$TEST_DIR/one"
	[[ $stderr == *"$TEST_DIR/one"* ]]
	# Its own place, told again, is no matter; nor is one that has been given up.
	run -0 spawnd fifo A --at "$TEST_DIR/one"
	run -0 spawnd fifo A --at "$TEST_DIR/two"
	run -0 spawnd fifo B --at "$TEST_DIR/one"
}

@test "the usual place of another parent is refused, whether it is in use or not" {
	local parents=$SPAWND_HOME/run/parents

	refused B --at "$parents/A"
	assert [ ! -e "$parents/A" ]
	spawnd fifo A
	refused B --at "$parents/A"
	run -0 spawnd fifo B --at "$parents/B"
}

@test "another name of a FIFO that another parent uses is refused" {
	spawnd fifo A --at "$TEST_DIR/one"
	spawnd enqueue --parent A --child a1 -- testjob stall
	ln "$TEST_DIR/one" "$TEST_DIR/two"
	refused B --at "$TEST_DIR/two"
	ln -s "$TEST_DIR" "$TEST_DIR/elsewhere"
	refused B --at "$TEST_DIR/elsewhere/one"
}

# Nobody could refuse this: the parent A had nothing to do when B was given its FIFO by another name.
@test "two parents with one FIFO: nothing counts as read that nobody has read" {
	spawnd fifo A --at "$TEST_DIR/one"
	ln "$TEST_DIR/one" "$TEST_DIR/two"
	spawnd fifo B --at "$TEST_DIR/two"
	spawnd enqueue --parent A --child a1 -- true
	spawnd enqueue --parent B --child b1 -- true
	await_record a1
	await_record b1
	head -c 50 <"$TEST_DIR/one" >/dev/null
	cat <"$TEST_DIR/one" >"$TEST_DIR/records" 3>&- &
	await_exit "$!"
	spawnd next --parent B --timeout 1 >>"$TEST_DIR/records" || :
	# Who comes fast enough gets the rest of what the first has left: no record, as anyone can tell.
	assert_equal "$(jq -Rr 'fromjson? | .child' "$TEST_DIR/records" | sort -u | tr '\n' ' ')" 'a1 b1 '
	grep -F "$TEST_DIR/two: is the place of the FIFO of parent A" "$SPAWND_HOME/state/spawnd.log"
}
