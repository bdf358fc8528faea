# The daemon: one for each runtime directory, started when it is needed, outliving who started it.
load common

is_serving() {
	spawnd status --no-autostart >/dev/null 2>&1
}

# The daemon in the background, in $DAEMON.
start_daemon() {
	"$SPAWND" daemon >"$TEST_DIR/daemon.out" 2>&1 3>&- &
	DAEMON=$!
	wait_until is_serving
}

@test "the first enqueue starts the daemon, stop ends it and leaves nothing" {
	run -69 spawnd status --no-autostart
	enqueue c -- true
	assert is_serving
	local pid
	pid=$(daemon_field pid)
	run -0 spawnd stop
	run ! is_alive "$pid"
	run -69 spawnd status --no-autostart
	wait_until is_empty_of_processes
}

@test "--no-autostart and autostart = no start none" {
	run -69 --separate-stderr spawnd enqueue --no-autostart --parent P --child c -- true
	[[ -n $stderr ]]
	configure '[spawnd]' 'autostart = no'
	run -69 enqueue c -- true
	wait_until is_empty_of_processes
}

@test "twenty shells at once end up with one daemon and no message" {
	local i pids=()

	for i in {1..20}; do
		"$SPAWND" enqueue --parent P --child "c$i" -- true >"$TEST_DIR/out$i" 2>"$TEST_DIR/err$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert_equal "$(cat "$TEST_DIR"/err*)" ''
	assert_equal "$(sort -n "$TEST_DIR"/out* | tr '\n' ' ')" "$(seq -s ' ' 20) "
	wait_until has_records P 20
}

@test "a second daemon refuses to start and says who holds the lock" {
	start_daemon
	run --separate-stderr spawnd daemon
	assert_not_equal "$status" 0
	[[ $stderr == *"$(daemon_field pid)"* ]]
	assert is_serving
	spawnd stop
	await_exit "$DAEMON"
	assert_equal "$CODE" 0
}

@test "the daemon that a command starts keeps nothing of its caller open" {
	# The pipe ends when enqueue does, though the daemon lives on.
	"$SPAWND" enqueue --parent P --child c -- testjob stall | cat >"$TEST_DIR/out"
	assert_equal "$(cat "$TEST_DIR/out")" 1
	assert is_serving
	run -0 readlink "/proc/$(daemon_field pid)/cwd"
	assert_output /
}

@test "the daemon that a command starts outlives its terminal" {
	# A session of its own, ended with everything in its group.
	setsid -w sh -c '"$1" enqueue --parent P --child c -- testjob wait-for "$2"; kill -HUP 0' sh \
		"$SPAWND" "$TEST_DIR/go" 3>&- || :
	assert is_serving
	touch "$TEST_DIR/go"
	await_record c
	assert_record .status completed
}

@test "files are 0600 and directories 0700, whatever the umask" {
	(umask 0; enqueue c -- true)
	await_record c
	run -0 find "$SPAWND_HOME" -type d ! -perm 700
	assert_output ''
	run -0 find "$SPAWND_HOME/state" "$SPAWND_HOME/run" ! -type d ! -type s ! -perm 600
	assert_output ''
	run -0 find "$SPAWND_HOME" -perm /077
	assert_output ''
}

@test "a runtime directory with loose rights is refused, and the message says how to mend it" {
	mkdir -m 700 "$SPAWND_HOME"
	mkdir -m 755 "$SPAWND_HOME/run"
	run --separate-stderr spawnd daemon
	assert_not_equal "$status" 0
	[[ $stderr == *"chmod 700 $SPAWND_HOME/run"* ]]
	run --separate-stderr enqueue c -- true
	assert_not_equal "$status" 0
	chmod 700 "$SPAWND_HOME/run"
	run -0 enqueue c -- true
}

@test "a state or runtime directory that is a link is refused" {
	mkdir -m 700 "$SPAWND_HOME" "$TEST_DIR/elsewhere"
	ln -s "$TEST_DIR/elsewhere" "$SPAWND_HOME/run"
	run --separate-stderr spawnd daemon
	assert_not_equal "$status" 0
	[[ $stderr == *"$SPAWND_HOME/run"* ]]
}

@test "a relative SPAWND_HOME is refused" {
	run --separate-stderr env SPAWND_HOME=relative "$SPAWND" enqueue --parent P --child c -- true
	assert_not_equal "$status" 0
	[[ $stderr == *SPAWND_HOME* ]]
	assert_not_exists "$TEST_DIR/relative"
}

@test "without SPAWND_HOME the XDG directories are used" {
	(
		unset SPAWND_HOME
		export XDG_RUNTIME_DIR=$TEST_DIR/runtime XDG_STATE_HOME=$TEST_DIR/state XDG_CONFIG_HOME=$TEST_DIR/config
		mkdir -m 700 "$XDG_RUNTIME_DIR"
		mkdir -p "$XDG_CONFIG_HOME/spawnd"
		printf '[watchdog]\nmax_idle = 0.2s\n' >"$XDG_CONFIG_HOME/spawnd/spawnd.ini"
		run -124 spawnd run -- testjob stall
		assert [ -S "$TEST_DIR/runtime/spawnd/socket" ]
		assert [ -f "$TEST_DIR/state/spawnd/spawnd.db" ]
		spawnd stop
	)
}

@test "without XDG_STATE_HOME state is kept under the home directory" {
	(
		unset SPAWND_HOME
		export XDG_RUNTIME_DIR=$TEST_DIR/runtime
		mkdir -m 700 "$XDG_RUNTIME_DIR"
		spawnd run -- true
		assert [ -f "$HOME/.local/state/spawnd/spawnd.db" ]
		spawnd stop
	)
}

@test "stop lets running jobs end, takes no new ones, and keeps queued ones for the next start" {
	configure '[spawnd]' 'max_running = 1'
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	enqueue b -- true
	wait_until is_status a running
	"$SPAWND" stop 3>&- &
	local stop=$!
	wait_until is_stopping
	run --separate-stderr spawnd enqueue --parent P --child c -- true
	assert_not_equal "$status" 0
	assert_equal "$(job_field b .status)" queued
	touch "$TEST_DIR/go"
	await_exit "$stop"
	assert_equal "$CODE" 0
	run -69 spawnd status --no-autostart
	await_record a
	assert_record .status completed
	await_record b
	assert_record .status completed
}

@test "stop --now cancels what runs" {
	enqueue a -- testjob stall
	wait_until is_status a running
	spawnd stop --now
	await_record a
	assert_record .status cancelled
}

@test "TERM to the daemon is stop --now" {
	start_daemon
	enqueue a -- testjob stall
	wait_until is_status a running
	kill -TERM "$DAEMON"
	await_exit "$DAEMON"
	assert_equal "$CODE" 0
	await_record a
	assert_record .status cancelled
}

@test "a stale socket and lock file are no obstacle" {
	enqueue a -- true
	await_record a
	local pid server
	pid=$(daemon_field pid)
	server=$(daemon_field server_pid)
	kill -KILL "$pid" "$server"
	wait_until not is_alive "$pid"
	wait_until not is_alive "$server"
	assert [ -S "$SPAWND_HOME/run/socket" ]
	run -0 enqueue b -- true
	await_record b
	assert_record .status completed
}

@test "a job starts no daemon, which would end with it, and meets the one that others start" {
	local pid server

	enqueue a -- sh -c 'testjob pid leader wait-for go; '"$SPAWND"' list >/dev/null 2>alone; echo $? >code
		testjob wait-for on; '"$SPAWND"' list >/dev/null && touch met; testjob stall'
	wait_until test -s "$TEST_DIR/leader"
	pid=$(daemon_field pid)
	server=$(daemon_field server_pid)
	kill -KILL "$pid" "$server"
	wait_until not is_alive "$pid"
	wait_until not is_alive "$server"
	touch "$TEST_DIR/go"
	wait_until test -s "$TEST_DIR/code"
	assert_equal "$(cat "$TEST_DIR/code")" 69
	run cat "$TEST_DIR/alone"
	assert_output --partial 'a job starts none'
	# From outside, where the job's variables are not.
	enqueue b -- true
	await_record b
	assert_record .status completed
	touch "$TEST_DIR/on"
	wait_until test -e "$TEST_DIR/met"
	spawnd cancel a
	await_record a
	assert_equal "$(daemon_field is_stopping)" false
}

@test "--ready-fd says when it serves" {
	mkfifo "$TEST_DIR/ready"
	"$SPAWND" daemon --ready-fd 9 9>"$TEST_DIR/ready" >"$TEST_DIR/out" 2>&1 3>&- &
	DAEMON=$!
	IFS= read -r line <"$TEST_DIR/ready"
	assert_equal "$line" ''
	assert is_serving
}

# A daemon that cannot open its store says why, and leaves nothing running.
is_refused() {
	run --separate-stderr timeout "$PATIENCE" "$SPAWND" enqueue --parent P --child b -- true
	assert_not_equal "$status" 0
	assert_not_equal "$status" 124
	[[ $stderr == *"$SPAWND_HOME/state/spawnd.db"* ]]
	wait_until is_empty_of_processes
}

@test "a store of a newer version is refused and left alone" {
	finish a -- true
	spawnd stop
	sqlite3 "$SPAWND_HOME/state/spawnd.db" 'PRAGMA user_version = 9999'
	sha256sum "$SPAWND_HOME/state/spawnd.db" >"$TEST_DIR/sum"
	is_refused
	sha256sum -c "$TEST_DIR/sum"
	[[ $stderr == *newer* ]]
}
