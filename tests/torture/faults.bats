# What takes a failpoint to be seen: run with the program that has them (make torture-faults).
load ../bats/common

setup_page() {
	export TORTURE_PAGE=$TEST_DIR/page
	truncate -s 16384 "$TORTURE_PAGE"
}

# arm PLAN: tests/torture/failpoint.h. The mark in front goes last.
arm() {
	printf '\0%s\0' "$1" 1<>"$TORTURE_PAGE"
	printf '\0\0\0\0' | dd of="$TORTURE_PAGE" bs=1 seek=128 conv=notrunc status=none
	printf '!' 1<>"$TORTURE_PAGE"
}

# set_clock SECONDS: by how much the daemon's wall clock is off from now on.
set_clock() {
	perl -e 'print pack "q", $ARGV[0] * 1000' -- "$1" |
		dd of="$TORTURE_PAGE" bs=1 seek=144 conv=notrunc status=none
}

# How many plans were carried out.
done_count() {
	od -An -tu4 -j132 -N4 "$TORTURE_PAGE" | tr -d ' '
}

was_done() {
	(($(done_count) >= $1))
}

@test "a daemon that is killed before it serves is started anew by who wanted it" {
	setup_page
	arm wire_receive/HELLO:after:1:server:kill-other
	run -0 --separate-stderr spawnd enqueue --parent P --child a -- true
	assert_equal "$output" 1
	assert_regex "$stderr" 'was killed before it served'
	await_record a
	assert_record .status completed
	assert_equal "$(done_count)" 1
}

@test "who started a daemon that is killed does not wait for its jobs" {
	setup_page
	enqueue a -- true
	await_record a
	# Accepted, but not started: both die as soon as it is stored.
	arm store_commit:after:1:server:kill-both
	spawnd enqueue --no-autostart --parent P --child b -- testjob pid "$TEST_DIR/pid" stall || :
	wait_until was_done 1
	sqlite3 "$SPAWND_HOME/state/spawnd.db" \
		"UPDATE job SET status = 'queued', supervisor = NULL WHERE child = 'b'"
	arm wire_receive/READY:after:1:supervisor:kill-self
	enqueue c -- true
	await_record b
	await_record c
	kill -KILL "$(pid_in "$TEST_DIR/pid")" || :
}
