# What does not belong where the daemon keeps its files: stale, foreign, or gone while it runs. It is mended, or
# refused with a message that names it; nothing hangs, nothing is lost, and never are there two daemons.
load common

is_answering() {
	spawnd status --no-autostart >/dev/null 2>&1
}

# How many main processes there are.
daemons() {
	(cd / && exec env -i PATH=/usr/bin:/bin sh -c 'for p in $(grep -lsF -- "$1" /proc/[0-9]*/environ); do
		tr "\0" " " <"${p%environ}cmdline" | grep "^[^ ]* daemon"; done' sh "$TEST_DIR") | wc -l
}

refuses() {
	run --separate-stderr timeout "$PATIENCE" "$SPAWND" enqueue --parent P --child x -- true
	assert_not_equal "$status" 0
	assert_not_equal "$status" 124
	[[ $stderr == *"$1"* ]]
}

@test "what is no socket, no directory or no file of ours is refused by name, and left alone" {
	local name

	mkdir -m 700 -p "$SPAWND_HOME/run"
	cd "$SPAWND_HOME/run"
	for name in socket notify lock; do
		wait_until rm -rf "$SPAWND_HOME"/run/*
		mkdir "$name"
		refuses "$SPAWND_HOME/run/$name"
		rmdir "$name"
	done
	for name in socket notify parents beats; do
		wait_until rm -rf "$SPAWND_HOME"/run/*
		echo precious >"$name"
		refuses "$SPAWND_HOME/run/$name"
		assert_equal "$(cat "$name")" precious
		rm "$name"
	done
	mkdir -m 700 "$TEST_DIR/other"
	for name in lock parents beats socket; do
		wait_until rm -rf "$SPAWND_HOME"/run/*
		ln -s "$TEST_DIR/other" "$name"
		refuses "$SPAWND_HOME/run/$name"
		rm "$name"
	done
	wait_until rm -rf "$SPAWND_HOME"/run/*
	mkfifo lock
	refuses "$SPAWND_HOME/run/lock"
	rm lock
	assert_equal "$(ls "$TEST_DIR/other")" ''
	run -0 enqueue a -- true
}

@test "a FIFO, a directory or a link in the place of log, configuration or store hangs nobody" {
	local name

	mkdir -m 700 -p "$SPAWND_HOME/state"
	for name in state/spawnd.log state/spawnd.db state/lock spawnd.ini; do
		rm -rf "$SPAWND_HOME"/state/*
		mkfifo -m 600 "$SPAWND_HOME/$name"
		refuses "$SPAWND_HOME/$name"
		rm "$SPAWND_HOME/$name"
		mkdir "$SPAWND_HOME/$name"
		refuses "$SPAWND_HOME/$name"
		rmdir "$SPAWND_HOME/$name"
	done
	run -0 enqueue a -- true
}

@test "stale sockets, locks and FIFOs of a dead daemon are no obstacle" {
	local pids

	enqueue a -- testjob exit 0
	await_record a
	pids="$(daemon_field pid) $(daemon_field server_pid)"
	# shellcheck disable=SC2086 # two words
	kill -KILL $pids
	wait_until is_empty_of_processes
	mkfifo "$SPAWND_HOME/run/beats/2" "$SPAWND_HOME/run/beats/7"
	run -0 enqueue b -- testjob exit 0
	await_record b
	assert_record .status completed
	assert_not_exists "$SPAWND_HOME/run/beats/7"
}

@test "foreign files where a job's own are to be: an error of that job, the next one runs" {
	enqueue a -- testjob exit 0
	await_record a
	mkfifo "$SPAWND_HOME/state/output/2.log"
	enqueue b -- testjob exit 0
	await_record b
	assert_record .status error
	assert_record_like .error "$SPAWND_HOME/state/output/2.log"
	mkdir "$SPAWND_HOME/run/beats/3"
	enqueue c -- testjob exit 0
	await_record c
	assert_record .status error
	assert_record_like .error "$SPAWND_HOME/run/beats/3"
	ln -s "$TEST_DIR/other" "$SPAWND_HOME/state/output/4.log"
	enqueue d -- testjob exit 0
	await_record d
	assert_record .status error
	assert_not_exists "$TEST_DIR/other"
	enqueue e -- testjob exit 0
	await_record e
	assert_record .status completed
}

# Under strace(1), which leaves no room for a sanitizer that looks for leaks.
traced() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o "$TEST_DIR/trace" "$@"
}

# without CALL ERRNO TEXT WORD...: spawnd WORD..., for which that call fails, says so with this text.
without() {
	run --separate-stderr traced -e "trace=$1" -e "inject=$1:error=$2" "$SPAWND" "${@:4}"
	assert_not_equal "$status" 0
	[[ $stderr == *"$3"* ]]
}

@test "a file system without flock is refused, and the message says what to do" {
	without flock EOPNOTSUPP 'cannot be locked' daemon
	without flock ENOLCK XDG_STATE_HOME daemon
}

@test "a file system without FIFOs: enqueue says so, and the daemon goes on" {
	traced -e trace=mknodat,mknod -e inject=mknodat,mknod:error=EPERM \
		"$SPAWND" daemon >"$TEST_DIR/daemon.out" 2>&1 3>&- &
	wait_until is_answering
	refuses 'has no FIFOs'
	refuses "$SPAWND_HOME/run/parents/P"
	assert is_answering
}

@test "no second daemon over one store, wherever its runtime directory is" {
	local pid

	enqueue a -- testjob stall
	pid=$(daemon_field pid)
	mkdir -m 700 "$TEST_DIR/rt"
	run --separate-stderr env -u SPAWND_HOME XDG_RUNTIME_DIR="$TEST_DIR/rt" XDG_STATE_HOME="$TEST_DIR/x" \
		HOME="$TEST_DIR" sh -c 'mkdir "$XDG_STATE_HOME" && mv "$2" "$XDG_STATE_HOME/spawnd" && "$1" daemon' \
		sh "$SPAWND" "$SPAWND_HOME/state"
	mv "$TEST_DIR/x/spawnd" "$SPAWND_HOME/state"
	assert_equal "$status" 75
	[[ $stderr == *"process $pid"* && $stderr == *"$TEST_DIR/x/spawnd/lock"* ]]
	assert is_answering
}

# A daemon, in $DAEMON, with a job that runs until $TEST_DIR/go is there.
begin() {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	DAEMON=$(daemon_field pid)
}

is_same_daemon() {
	[[ $(daemon_field pid 2>/dev/null) == "$DAEMON" ]]
}

@test "the runtime directory is removed under running jobs: the same daemon is reached, nothing is lost" {
	begin
	wait_until rm -rf "$SPAWND_HOME/run"
	# The next command, at once.
	run -0 enqueue b -- testjob exit 3
	assert_output 2
	wait_until is_same_daemon
	touch "$TEST_DIR/go"
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r '"\(.child) \(.status)"' "$TEST_DIR/records" | sort)" $'a completed\nb error'
	assert_equal "$(daemons)" 1
	run -0 find "$SPAWND_HOME" -type d ! -perm 700
	assert_output ''
	spawnd stop
	assert_not_exists "$SPAWND_HOME/run/socket"
}

@test "each of its files is removed, one after the other, and comes back by itself" {
	local name

	begin
	for name in socket notify lock parents beats; do
		rm -r "$SPAWND_HOME/run/${name:?}"
		wait_until test -e "$SPAWND_HOME/run/$name"
		wait_until is_same_daemon
	done
	run -0 env SPAWND_HOME="$SPAWND_HOME" "$SPAWND" daemon --if-needed
	run -75 --separate-stderr spawnd daemon
	[[ $stderr == *"process $DAEMON"* ]]
	assert [ -p "$SPAWND_HOME/run/parents/P" ]
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
}

@test "the directory above is moved away: the next command reaches the same daemon" {
	unset SPAWND_HOME
	export XDG_RUNTIME_DIR=$TEST_DIR/rt XDG_STATE_HOME=$TEST_DIR/st
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	begin
	mv "$TEST_DIR/rt" "$TEST_DIR/elsewhere"
	run -0 enqueue b -- true
	assert_output 2
	wait_until is_same_daemon
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
	spawnd stop
}

@test "twenty commands at once while it is gone: one daemon" {
	local i pids=()

	begin
	wait_until rm -rf "$SPAWND_HOME/run"
	for i in {1..20}; do
		"$SPAWND" enqueue --parent P --child "c$i" -- true >"$TEST_DIR/out$i" 2>"$TEST_DIR/err$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert is_same_daemon
	assert_equal "$(sort -n "$TEST_DIR"/out* | tr '\n' ' ')" "$(seq -s ' ' 2 21) "
	touch "$TEST_DIR/go"
	wait_until has_records P 21
	assert_equal "$(daemons)" 1
}

@test "kill -9 of the server while it is gone, and right after it was mended" {
	local server

	begin
	server=$(daemon_field server_pid)
	kill -STOP "$server"
	wait_until rm -rf "$SPAWND_HOME/run"
	kill -KILL "$server"
	run -0 enqueue b -- true
	assert is_same_daemon
	kill -KILL "$(daemon_field server_pid)"
	run -0 enqueue c -- true
	assert is_same_daemon
	# The mended lock and socket are the supervisor's now, and later servers'.
	run -75 --separate-stderr spawnd daemon
	touch "$TEST_DIR/go"
	wait_until has_records P 3
}

@test "kill -9 of the supervisor, and another program in its place, after it was mended" {
	local before

	is_another_daemon() {
		[[ $(daemon_field pid 2>/dev/null) =~ ^[0-9]+$ && $(daemon_field pid) != "$before" ]]
	}
	begin
	before=$DAEMON
	wait_until rm -rf "$SPAWND_HOME/run"
	run -0 enqueue b -- true
	assert is_same_daemon
	kill -KILL "$DAEMON"
	wait_until is_another_daemon
	DAEMON=$(daemon_field pid)
	run -75 --separate-stderr spawnd daemon
	[[ $stderr == *"process $DAEMON"* ]]
	wait_until rm -rf "$SPAWND_HOME/run"
	run -0 enqueue c -- true
	spawnd reload --exec
	wait_until is_same_daemon
	run -75 --separate-stderr spawnd daemon
	run -0 enqueue d -- true
	touch "$TEST_DIR/go"
	wait_until has_records P 4
	await_record a
	assert_record_like .status 'completed|lost'
	assert_equal "$(daemons)" 1
}

@test "signs of life go on while it is gone, by notices, by descriptor, and by path" {
	enqueue a --max-idle 3s --activity heartbeat -- sh -c \
		'until [ -e "$1" ]; do echo tick >"$SPAWND_HEARTBEAT"; sleep 0.1; done 2>/dev/null' sh "$TEST_DIR/go"
	enqueue b --max-idle 3s --activity heartbeat -- sh -c \
		'until [ -e "$1" ]; do notifier WATCHDOG=1; sleep 0.1; done 2>/dev/null' sh "$TEST_DIR/go"
	enqueue c --max-idle 3s --activity heartbeat -- sh -c \
		'until [ -e "$1" ]; do spawnd beat --tool c 3>&-; sleep 0.1; done 2>/dev/null' sh "$TEST_DIR/go"
	wait_until is_status a running
	wait_until is_status b running
	wait_until is_status c running
	DAEMON=$(daemon_field pid)
	wait_until rm -rf "$SPAWND_HOME/run"
	wait_until is_same_daemon
	# More than the limit: without signs of life all of them would have been ended.
	is_older() {
		(($(job_field a .elapsed_ms) > $1))
	}
	wait_until is_older 7000
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
	await_record b
	assert_record .status completed
	await_record c
	assert_record .status completed
}

@test "another daemon has taken the runtime directory: it keeps it, and each keeps its store" {
	local first second

	unset SPAWND_HOME
	export XDG_RUNTIME_DIR=$TEST_DIR/rt XDG_STATE_HOME=$TEST_DIR/st
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	enqueue a -- true
	await_record a
	first=$(daemon_field pid)
	kill -STOP "$(daemon_field server_pid)"
	rm -rf "$XDG_RUNTIME_DIR/spawnd"
	XDG_STATE_HOME=$TEST_DIR/other enqueue b -- true
	second=$(daemon_field pid)
	assert_not_equal "$first" "$second"
	kill -CONT "$(pgrep -P "$first")"
	wait_until grep -q "another daemon (process $second) holds" "$TEST_DIR/st/spawnd/spawnd.log"
	assert_equal "$(daemon_field pid)" "$second"
	spawnd stop
	# Now it is free, and the first one comes back.
	is_first() {
		[[ $(daemon_field pid 2>/dev/null) == "$first" ]]
	}
	wait_until is_first
	spawnd stop
}

@test "the store is gone as well: nothing is made in its place, and nothing is lost" {
	local pid

	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go"
	wait_until is_status a running
	pid=$(pid_in "$TEST_DIR/pid")
	DAEMON=$(daemon_field pid)
	mv "$SPAWND_HOME/state" "$TEST_DIR/away"
	rm -r "$SPAWND_HOME/run"
	wait_until grep -q 'somebody removed it' "$TEST_DIR/away/spawnd.log"
	assert_equal "$(ls "$SPAWND_HOME")" ''
	# How the job ended is kept until it can be stored.
	touch "$TEST_DIR/go"
	wait_until not is_alive "$pid"
	mv "$TEST_DIR/away" "$SPAWND_HOME/state"
	await_record a
	assert_record .status completed
	assert_equal "$(daemon_field pid)" "$DAEMON"
}

@test "a daemon that serves elsewhere over the same state: a command says where, and does not look for long" {
	unset SPAWND_HOME
	export XDG_STATE_HOME=$TEST_DIR/st
	mkdir -m 700 "$TEST_DIR/one" "$TEST_DIR/two"
	export XDG_RUNTIME_DIR=$TEST_DIR/one
	enqueue a -- true
	XDG_RUNTIME_DIR=$TEST_DIR/two run -69 --separate-stderr spawnd enqueue -- true
	[[ $stderr == *"$TEST_DIR/st/spawnd/lock"*"SPAWND_SOCKET=$TEST_DIR/one/spawnd/socket"* ]]
	# By another name it is the same place.
	ln -s "$TEST_DIR/one" "$TEST_DIR/link"
	XDG_RUNTIME_DIR=$TEST_DIR/link spawnd enqueue -- true
	spawnd stop
}
