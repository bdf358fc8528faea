# run: like the command itself, but watched.
load common

@test "run passes the output through and ends as the child did" {
	run -0 --separate-stderr spawnd run -- testjob output hello
	assert_output hello
	assert_equal "$stderr" ''
	run -7 spawnd run -- testjob output last exit 7
	assert_output last
	run -139 spawnd run -- testjob die SEGV
}

@test "output comes while the child runs" {
	"$SPAWND" run -- testjob output first wait-for "$TEST_DIR/go" output second >"$TEST_DIR/out" 3>&- &
	local pid=$!
	wait_until grep -qx first "$TEST_DIR/out"
	assert is_alive "$pid"
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(cat "$TEST_DIR/out")" $'first\nsecond'
}

@test "a megabyte of output comes through whole" {
	spawnd run -- testjob fill 1048576 >"$TEST_DIR/out"
	assert_equal "$(stat -c %s "$TEST_DIR/out")" 1048576
}

@test "run ends 124 for a timeout and says why" {
	run -124 --separate-stderr spawnd run --max-idle 0.2s -- testjob stall
	[[ $stderr == *'idle timeout'* ]]
	run -124 --separate-stderr spawnd run --max-total 0.2s -- testjob stall
	[[ $stderr == *'total timeout'* ]]
}

@test "run ends 127 for a program that does not exist, 126 for one that is not executable" {
	run -127 --separate-stderr spawnd run -- "$TEST_DIR/none"
	[[ -n $stderr ]]
	touch "$TEST_DIR/text"
	run -126 --separate-stderr spawnd run -- "$TEST_DIR/text"
	[[ -n $stderr ]]
}

@test "run ends 123 when somebody cancels the job" {
	"$SPAWND" run --child c -- testjob stall 2>"$TEST_DIR/err" 3>&- &
	local pid=$!
	wait_until is_status c running
	spawnd cancel c
	await_exit "$pid"
	assert_equal "$CODE" 123
}

@test "a signal to run cancels the job" {
	local signal pid

	# A background shell ignores INT, and what it starts with it; TERM and HUP show the same.
	for signal in TERM HUP; do
		"$SPAWND" run --child "c$signal" -- testjob pid "$TEST_DIR/pid-$signal" stall \
			2>"$TEST_DIR/err" 3>&- &
		pid=$!
		pid_in "$TEST_DIR/pid-$signal"
		kill -s "$signal" "$pid"
		await_exit "$pid"
		# It has died by the signal itself.
		assert_equal "$CODE" $((128 + $(kill -l "$signal")))
		await_record "c$signal"
		assert_record .status cancelled
		run ! is_alive "$(cat "$TEST_DIR/pid-$signal")"
	done
}

@test "Ctrl-C cancels the job" {
	local pid

	# env gives the default back that a shell in the background takes away.
	env --default-signal=INT "$SPAWND" run --child c -- testjob pid "$TEST_DIR/pid" stall 3>&- &
	pid=$!
	pid_in "$TEST_DIR/pid"
	kill -INT "$pid"
	await_exit "$pid"
	assert_equal "$CODE" 130
	await_record c
	assert_record .status cancelled
}

@test "Ctrl-C ends the loop that run stands in" {
	local shell

	# A terminal signals the whole group, the shell that waits included.
	env --default-signal=INT setsid bash -c 'for i in 1 2; do
		"$SPAWND" run --child "c$i" -- testjob pid "$TEST_DIR/pid-$i" stall
	done
	touch "$TEST_DIR/went-on"' 2>"$TEST_DIR/err" 3>&- &
	shell=$!
	pid_in "$TEST_DIR/pid-1"
	kill -INT -- "-$shell"
	await_exit "$shell"
	assert_equal "$CODE" 130
	assert_not_exist "$TEST_DIR/pid-2"
	assert_not_exist "$TEST_DIR/went-on"
	await_record c1
	assert_record .status cancelled
}

@test "run that is killed leaves its job running under its limits" {
	"$SPAWND" run --child c -- testjob wait-for "$TEST_DIR/go" 3>&- &
	local pid=$!
	wait_until is_status c running
	kill -KILL "$pid"
	await_exit "$pid"
	touch "$TEST_DIR/go"
	await_record c
	assert_record .status completed
}

@test "run acknowledges its own record" {
	spawnd run --parent P --child c -- true
	run -66 spawnd next --parent P
	assert_output ''
}

@test "run inside run" {
	run -5 spawnd run -- "$SPAWND" run -- testjob output inner exit 5
	assert_output inner
}

# run in a pipeline, into a reader that takes one byte and goes; the exit code of run.
run_into_head() {
	"$SPAWND" run --child c "$@" 2>"$TEST_DIR/err" | head -c 1 >"$TEST_DIR/out"
	return "${PIPESTATUS[0]}"
}

@test "a reader that goes away ends run and its job, without a word" {
	run -141 run_into_head -- yes
	assert_equal "$(cat "$TEST_DIR/out")" y
	assert_equal "$(cat "$TEST_DIR/err")" ''
	await_record c
	assert_record .status cancelled
	run -66 spawnd next --parent "$(jq -r .parent <<<"$RECORD")"
}

@test "a reader that goes away after the job has ended is a SIGPIPE, too" {
	run -141 run_into_head -- testjob fill 1000000 exit 3
	assert_equal "$(cat "$TEST_DIR/err")" ''
}

@test "output that cannot be written is told at once, the job goes on, and run ends 125" {
	"$SPAWND" run --child c -- testjob output hello wait-for "$TEST_DIR/go" exit 3 \
		>/dev/full 2>"$TEST_DIR/err" 3>&- &
	local pid=$!
	wait_until test -s "$TEST_DIR/err"
	assert is_status c running
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 125
	await_record c
	assert_record .exit_code 3
	assert_equal "$(cat "$TEST_DIR/err")" \
		"spawnd run: the output cannot be passed on: No space left on device; the job goes on; it is in $(jq -r .output <<<"$RECORD")"
}

@test "logs -f that cannot write its output does not wait for the job" {
	spawnd enqueue --child c -- testjob output hello stall
	run -74 sh -c '"$SPAWND" logs -f c >/dev/full'
	assert_output 'spawnd logs: standard output: No space left on device'
	assert is_status c running
}

@test "a record that cannot be acknowledged costs nothing: the daemon has ended by then" {
	mkfifo "$TEST_DIR/pipe"
	exec {pipe}<>"$TEST_DIR/pipe"
	"$SPAWND" run --child c -- testjob fill 1048576 exit 3 >"$TEST_DIR/pipe" 2>"$TEST_DIR/err" \
		3>&- {pipe}>&- &
	local pid=$! since
	await_record c
	# All that comes is more than a pipe holds: run has not passed it on yet.
	spawnd stop
	since=$SECONDS
	exec {drain}<"$TEST_DIR/pipe"
	cat <&"$drain" >"$TEST_DIR/out" 3>&- {pipe}>&- &
	exec {pipe}>&- {drain}<&-
	await_exit "$pid"
	assert_equal "$CODE" 3
	((SECONDS - since < 15))
	assert_equal "$(wc -l <"$TEST_DIR/err")" 1
	wait_until has_size "$TEST_DIR/out" 1048576
	run -0 grep -F 'not acknowledged: it may come again' "$TEST_DIR/err"
	# What was not acknowledged is there at the next start.
	run -0 jq -r .child <(spawnd results)
	assert_output c
}

has_size() {
	[[ $(stat -c %s "$1") == "$2" ]]
}

@test "a daemon that ends tells run that its job stays queued" {
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob wait-for "$TEST_DIR/go"
	"$SPAWND" run --parent P --child c -- true 2>"$TEST_DIR/err" 3>&- &
	local pid=$! stop
	wait_until is_status c queued
	"$SPAWND" stop 3>&- &
	stop=$!
	wait_until is_stopping
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 125
	assert_equal "$(cat "$TEST_DIR/err")" \
		'spawnd run: the daemon ends; job 2 stays queued and runs at its next start'
	await_exit "$stop"
	run -0 spawnd wait c
}

@test "a second signal at once is the same request" {
	local pid

	"$SPAWND" run --child c -- testjob pid "$TEST_DIR/pid" stall 2>"$TEST_DIR/err" 3>&- &
	pid=$!
	pid_in "$TEST_DIR/pid"
	kill -STOP "$pid"
	kill -TERM "$pid"
	kill -HUP "$pid"
	kill -CONT "$pid"
	await_exit "$pid"
	# By either.
	assert_regex "$CODE" '^(129|143)$'
	assert_equal "$(cat "$TEST_DIR/err")" 'spawnd run: job 1: cancelled while it ran'
}

# Whether a process has gone, to which each question is a further signal.
leaves() {
	kill -HUP "$1" 2>/dev/null || :
	! is_alive "$1"
}

@test "a second signal later leaves, and the job is being cancelled" {
	local pid

	"$SPAWND" run --child c --kill-grace 3s -- testjob ignore TERM pid "$TEST_DIR/pid" stall \
		2>"$TEST_DIR/err" 3>&- &
	pid=$!
	pid_in "$TEST_DIR/pid"
	kill -TERM "$pid"
	wait_until leaves "$pid"
	await_exit "$pid"
	# By the first that it has read: HUP, where that has come before it was looked for.
	assert_regex "$CODE" '^(129|143)$'
	run -0 grep -F 'once more: leaving; job 1 is being cancelled' "$TEST_DIR/err"
	await_record c
	assert_record .status cancelled
}

@test "logs -n 0 prints nothing of what is there, with -f what comes" {
	enqueue c -- testjob output old wait-for "$TEST_DIR/go" output new
	wait_until grep -qx old "$(job_field c .output)"
	run -0 spawnd logs -n 0 c
	assert_output ''
	"$SPAWND" logs -n 0 -f c >"$TEST_DIR/out" 3>&- &
	local pid=$!
	wait_until is_watching "$pid"
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$(cat "$TEST_DIR/out")" new
}

# Whether a process watches a file: it has found its place in it by then, or is about to.
is_watching() {
	grep -qs '^inotify wd' "/proc/$1/fdinfo/"*
}

@test "list shows how long a running job has been running" {
	enqueue c -- testjob stall
	wait_until is_status c running
	run -0 spawnd list
	assert_line --index 1 --regexp '^ +1 running +[0-9]+\.[0-9]s '
}
