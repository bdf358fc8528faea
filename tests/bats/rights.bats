# Files that are open to other users: refused, with what mends it.
load common

# refuses PATH CODE COMMAND...: the path is named with its mend, which mends it.
refuses() {
	local path=$1 code=$2

	run --separate-stderr "${@:3}"
	assert_equal "$status" "$code"
	assert_equal "$output" ''
	[[ $stderr == *"$path: open to other users; run: chmod 600 $path"* ]]
	chmod 600 "$path"
	run -0 "${@:3}"
}

prepare() {
	spawnd enqueue --parent P --child first -- true
	spawnd stop
}

@test "a FIFO in its usual place that is open to others is refused" {
	prepare
	mkfifo -m 666 "$SPAWND_HOME/run/parents/loose"
	refuses "$SPAWND_HOME/run/parents/loose" 64 spawnd fifo loose
}

@test "a FIFO for --at that is open to others is refused" {
	prepare
	mkfifo -m 640 "$TEST_DIR/mine"
	refuses "$TEST_DIR/mine" 64 spawnd fifo P --at "$TEST_DIR/mine"
}

@test "a FIFO that was opened to others meanwhile gets no record, and no job" {
	local path

	enqueue a -- testjob wait-for "$TEST_DIR/go"
	path=$(spawnd fifo P)
	touch "$TEST_DIR/go"
	await_record a
	spawnd stop
	chmod 604 "$path"
	refuses "$path" 64 enqueue b -- true
}

@test "a lock that is open to others is refused" {
	prepare
	chmod 666 "$SPAWND_HOME/run/lock"
	refuses "$SPAWND_HOME/run/lock" 77 spawnd daemon --detach
}

@test "a log that is open to others is refused" {
	prepare
	chmod 644 "$SPAWND_HOME/state/spawnd.log"
	refuses "$SPAWND_HOME/state/spawnd.log" 77 spawnd daemon --detach
}
