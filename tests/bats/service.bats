# Under a service manager: ready when it serves, alive while its loop turns, told apart from what it starts;
# and systemd's units, s6 and runit as they are shipped.
load common

contrib=$BATS_TEST_DIRNAME/../../contrib

teardown() {
	if [[ -n ${MANAGED-} ]] && is_alive "$MANAGED"; then
		kill -TERM "$MANAGED"
		wait_until not is_alive "$MANAGED"
	fi
	clean_up
}

# manage [OPTION...] [-- DAEMON-OPTION...]: the daemon under a small manager, whose log is $TEST_DIR/told.
manage() {
	manager "${@}" "$TEST_DIR/told" "$SPAWND" daemon >"$TEST_DIR/daemon.out" 2>&1 3>&- &
	MANAGED=$!
}

told() {
	grep -q "^[0-9]* $1" "$TEST_DIR/told" 2>/dev/null
}

# told_times TEXT N: so often at least.
told_times() {
	(($(grep -c "^[0-9]* $1" "$TEST_DIR/told") >= $2))
}

@test "READY=1 comes when it serves, STOPPING=1 when it ends, both with a status, all from the main process" {
	local pid

	manage
	wait_until told READY=1
	assert told STATUS=Serving
	pid=$(daemon_field pid)
	kill -TERM "$pid"
	await_exit "$MANAGED"
	assert_equal "$CODE" 0
	assert told STOPPING=1
	assert told STATUS=Stopping
	assert_equal "$(grep -cv "^$pid " "$TEST_DIR/told")" 1 # `0 ended`, the manager's own
	run ! told WATCHDOG=1
}

@test "a daemon that cannot serve never says READY=1" {
	mkdir -m 700 "$SPAWND_HOME" "$SPAWND_HOME/state"
	echo 'dear diary' >"$SPAWND_HOME/state/spawnd.db"
	manage
	await_exit "$MANAGED"
	assert_not_equal "$CODE" 0
	run ! told READY=1
}

@test "the manager's address may be an abstract one" {
	manage -a
	wait_until told READY=1
}

@test "WATCHDOG=1 comes again and again, from the main process, with nothing to do" {
	manage -w 200000
	wait_until told_times WATCHDOG=1 5
	run grep -v "^$(daemon_field pid) " "$TEST_DIR/told"
	assert_output ''
}

@test "a server that died is no reason to be silent" {
	local count

	manage -w 200000
	wait_until told READY=1
	kill -KILL "$(daemon_field server_pid)"
	count=$(grep -c WATCHDOG=1 "$TEST_DIR/told")
	wait_until told_times WATCHDOG=1 $((count + 3))
	assert_equal "$(grep -c READY=1 "$TEST_DIR/told")" 1
}

@test "reload --exec: the next program in the same process says that it serves, and is alive" {
	manage -w 200000
	wait_until told READY=1
	spawnd reload --exec
	wait_until told_times READY=1 2
	count=$(grep -c WATCHDOG=1 "$TEST_DIR/told")
	wait_until told_times WATCHDOG=1 $((count + 3))
	run grep -v "^$(daemon_field pid) " "$TEST_DIR/told"
	assert_output ''
}

@test "a main process that stands still is silent" {
	local pid count

	manage -w 100000
	wait_until told_times WATCHDOG=1 3
	pid=$(daemon_field pid)
	kill -STOP "$pid"
	wait_until grep -q 'State:.*T' "/proc/$pid/status"
	# The last one may be on its way; what is checked is that one that stands still is not replaced by another.
	finish_and_count() {
		count=$(grep -c WATCHDOG=1 "$TEST_DIR/told")
		command sleep 0.5
		(($(grep -c WATCHDOG=1 "$TEST_DIR/told") == count))
	}
	wait_until finish_and_count
	kill -CONT "$pid"
	wait_until told_times WATCHDOG=1 $((count + 3))
}

@test "a watchdog that is another process's, or no number, is not answered" {
	manage -w 100000 -p 1
	wait_until told READY=1
	finish a -- testjob exit 0
	spawnd stop
	await_exit "$MANAGED"
	run ! told WATCHDOG=1
	manage -w 1e5
	wait_until told READY=1
	finish a -- testjob exit 0
	spawnd stop
	await_exit "$MANAGED"
	run ! told WATCHDOG=1
}

@test "neither server nor jobs inherit the manager's variables" {
	local pid

	manage -l "$TEST_DIR/s" -w 200000
	wait_until told READY=1
	pid=$(awk '/READY=1/ { print $1 }' "$TEST_DIR/told")
	run grep -acE '^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)' <(tr '\0' '\n' <"/proc/$(pgrep -P "$pid")/environ")
	assert_output 0
	# Who enqueues may be a service himself.
	ln -sfn "$TEST_DIR/s" "$SPAWND_HOME/run/socket"
	NOTIFY_SOCKET=/theirs WATCHDOG_USEC=1 WATCHDOG_PID=2 spawnd enqueue --max-idle 7s --parent P --child a -- \
		sh -c 'env >"$1"' sh "$TEST_DIR/env"
	await_record a
	assert_equal "$(grep -E '^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)' "$TEST_DIR/env" | sort)" \
		"NOTIFY_SOCKET=$SPAWND_HOME/run/notify"$'\n'"WATCHDOG_USEC=7000000"
}

@test "a socket that the manager made is served, also across kill -9 of the server, and left where it is" {
	mkdir -m 700 -p "$SPAWND_HOME/run"
	manage -l "$SPAWND_HOME/run/socket"
	# The first call waits in it until it is served.
	run -0 enqueue a -- true
	await_record a
	kill -KILL "$(daemon_field server_pid)"
	run -0 enqueue b -- true
	await_record b
	spawnd stop
	await_exit "$MANAGED"
	assert_equal "$CODE" 0
	assert [ -S "$SPAWND_HOME/run/socket" ]
}

@test "systemd's units are installed where it looks, name the program, and are taken without a word" {
	local kind

	for kind in user system; do
		assert [ -f "$contrib/systemd/$kind/spawnd.service" ]
		mkdir "$TEST_DIR/$kind"
		sed "s,/usr/local/bin/spawnd,$(command -v true)," "$contrib/systemd/$kind/spawnd.service" \
			>"$TEST_DIR/$kind/spawnd.service"
		cp "$contrib/systemd/$kind/spawnd.socket" "$TEST_DIR/$kind"
		run grep -cE '^(Type=notify|KillMode=process|Delegate=yes|WatchdogSec=.*|Restart=on-failure)$' \
			"$contrib/systemd/$kind/spawnd.service"
		assert_output 5
	done
	mkdir -m 700 "$TEST_DIR/rt"
	run -0 systemd-analyze verify --man=no "$TEST_DIR"/system/spawnd.*
	assert_output ''
	XDG_RUNTIME_DIR=$TEST_DIR/rt run -0 systemd-analyze --user verify --man=no "$TEST_DIR"/user/spawnd.*
	assert_output ''
}

@test "what is installed names the places where it was installed" {
	local share=$TEST_DIR/root/opt/sp/share

	env -u MAKEFLAGS make -s -C "$BATS_TEST_DIRNAME/../.." -o all BUILD="$TEST_DIR/none" BINARY="$SPAWND" \
		DESTDIR="$TEST_DIR/root" PREFIX=/opt/sp install
	# The directories in which a program is looked up that has no PATH are the same for all.
	run grep -rnI --exclude=spawnd-enqueue.1 /usr/local "$share" "$TEST_DIR/root/opt/sp/lib"
	assert_output ''
	assert grep -q '^\.It Pa /opt/sp/share/spawnd/s6 , /opt/sp/share/spawnd/runit' "$share/man/man7/spawnd-service.7"
	assert grep -q '^command = /opt/sp/share/spawnd/runners/far ' "$share/man/man5/spawnd.ini.5"
	assert grep -q '/usr/local/bin:/bin' "$share/man/man1/spawnd-enqueue.1"
	assert grep -q '^exec /opt/sp/bin/spawnd ' "$share/spawnd/runit/run"
	assert [ -x "$TEST_DIR/root/opt/sp/bin/spawnd" ]
}

# supervise KIND COMMAND...: a service directory as it is shipped, and its supervisor.
supervise() {
	local kind=$1

	shift
	cp -r "$contrib/$kind" "$TEST_DIR/service"
	PATH=$(dirname "$SPAWND"):$PATH "$@" "$TEST_DIR/service" >"$TEST_DIR/daemon.out" 2>&1 3>&- &
	MANAGED=$!
}

is_serving_as() {
	PID=$(daemon_field pid 2>/dev/null) && [[ $PID -gt 0 && $PID != "$1" ]]
}

s6_gave_up() {
	[[ $(s6-svstat -o up,wantedup "$TEST_DIR/service") == 'false false' ]]
}

runit_gave_up() {
	sv status "$TEST_DIR/service" | grep -q '^down: [^,]*, normally up$'
}

# kill -9 of the main process; another serves, and what was queued and what ran has its record.
dies_and_comes_back() {
	local before

	configure '[spawnd]' 'max_running = 1'
	spawnd reload
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	enqueue b -- true
	wait_until is_status a running
	before=$PID
	kill -KILL "$PID"
	wait_until is_serving_as "$before"
	touch "$TEST_DIR/go"
	await_record a
	assert_record_like .status 'completed|lost'
	await_record b
	assert_record .status completed
}

@test "s6: start, readiness, kill -9, another start, orderly end" {
	supervise s6 s6-supervise
	wait_until test -p "$TEST_DIR/service/supervise/control"
	run -0 s6-svwait -U -t $((PATIENCE * 1000)) "$TEST_DIR/service"
	wait_until is_serving_as ''
	dies_and_comes_back
	run -0 s6-svwait -U -t $((PATIENCE * 1000)) "$TEST_DIR/service"
	enqueue c -- testjob stall
	wait_until is_status c running
	run -0 s6-svc -wD -T $((PATIENCE * 1000)) -d "$TEST_DIR/service"
	run ! is_alive "$PID"
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" "select status from jobs where child = 'c'")" cancelled
	s6-svc -x "$TEST_DIR/service"
	await_exit "$MANAGED"
}

@test "s6: a configuration that is refused is not tried again and again" {
	configure '[spawnd]' 'max_running = many'
	supervise s6 s6-supervise
	wait_until s6_gave_up
	s6-svc -x "$TEST_DIR/service"
	await_exit "$MANAGED"
}

@test "runit: start, kill -9, another start, orderly end" {
	supervise runit runsv
	wait_until is_serving_as ''
	dies_and_comes_back
	enqueue c -- testjob stall
	wait_until is_status c running
	run -0 sv -w "$PATIENCE" stop "$TEST_DIR/service"
	run ! is_alive "$PID"
	assert_equal "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" "select status from jobs where child = 'c'")" cancelled
	sv exit "$TEST_DIR/service"
	await_exit "$MANAGED"
}

@test "runit: a configuration that is refused is not tried again and again" {
	configure '[spawnd]' 'max_running = many'
	supervise runit runsv
	wait_until runit_gave_up
	sv exit "$TEST_DIR/service"
	await_exit "$MANAGED"
}
