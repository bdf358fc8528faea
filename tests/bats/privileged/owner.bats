# What only root can try: the things of other users. Run by root alone.
load ../common

# A number that no user of this machine has.
STRANGER=61234

as_stranger() {
	setpriv --reuid="$STRANGER" --regid="$STRANGER" --clear-groups -- "$@"
}

@test "a peer of another user is refused, even where the file system lets it in" {
	spawnd fifo P
	chmod 711 "$TEST_DIR"
	chmod 755 "$SPAWND_HOME" "$SPAWND_HOME/run"
	chmod 666 "$SPAWND_HOME/run/socket"
	cp "$(command -v rawclient)" "$TEST_DIR/rawclient"
	chmod 755 "$TEST_DIR/rawclient"
	run as_stranger "$TEST_DIR/rawclient" "$SPAWND_HOME/run/socket" \
		send '{"method":"org.spawnd.Info"}' nul closed
	refute_output --partial server_pid
	chmod 700 "$SPAWND_HOME" "$SPAWND_HOME/run"
	run -0 spawnd status --no-autostart
}

@test "a client of another user is told at once, and ends with 77" {
	local socket=$SPAWND_HOME/run/socket command

	spawnd fifo P
	chmod 711 "$TEST_DIR"
	chmod 755 "$SPAWND_HOME" "$SPAWND_HOME/run"
	chmod 666 "$socket"
	install -m 755 "$SPAWND" "$TEST_DIR/spawnd"
	install -m 755 "$(command -v rawclient)" "$TEST_DIR/rawclient"
	mkdir "$TEST_DIR/empty"
	cd "$TEST_DIR/empty"
	for command in status 'enqueue -p P -c c -- true' 'next -p P' 'run -- true'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr as_stranger env SPAWND_SOCKET="$socket" "$TEST_DIR/spawnd" $command
		# What a command of `run` exits with is the child's; 125 is spawnd's own failure.
		assert_equal "$status" "$([[ $command == run* ]] && echo 125 || echo 77)"
		assert_equal "$output" ''
		assert_regex "$stderr" 'the daemon serves its own user and root only'
	done
	# Who says nothing is told as well, and who has much to say is not listened to.
	run -0 as_stranger "$TEST_DIR/rawclient" "$socket" reply
	assert_equal "$(jq -r .error <<<"$output")" org.varlink.service.PermissionDenied
	head -c 3000000 /dev/zero >"$TEST_DIR/noise"
	run as_stranger "$TEST_DIR/rawclient" "$socket" file "$TEST_DIR/noise" closed
	run -0 spawnd list --json
	assert_output ''
	chmod 700 "$SPAWND_HOME" "$SPAWND_HOME/run"
}

@test "a client does not talk to a daemon of another user" {
	chmod 711 "$TEST_DIR"
	install -m 755 "$SPAWND" "$TEST_DIR/spawnd"
	mkdir -m 700 "$SPAWND_HOME"
	chown "$STRANGER" "$SPAWND_HOME"
	as_stranger "$TEST_DIR/spawnd" fifo P
	run --separate-stderr spawnd status --no-autostart
	assert_not_equal "$status" 0
	[[ -n $stderr && -z $output ]]
	as_stranger "$TEST_DIR/spawnd" stop
}

@test "directories of another owner are refused" {
	local name

	for name in run state; do
		mkdir -p -m 700 "$SPAWND_HOME" "$SPAWND_HOME/$name"
		chown "$STRANGER" "$SPAWND_HOME/$name"
		run --separate-stderr spawnd daemon
		assert_not_equal "$status" 0
		[[ $stderr == *"$SPAWND_HOME/$name"* ]]
		rm -r "${SPAWND_HOME:?}/$name"
	done
}

@test "a FIFO path that is somebody else's is refused" {
	mkfifo "$TEST_DIR/fifo"
	chown "$STRANGER" "$TEST_DIR/fifo"
	run --separate-stderr spawnd fifo P --at "$TEST_DIR/fifo"
	assert_not_equal "$status" 0
	[[ $stderr == *"$TEST_DIR/fifo"* ]]
}

switches() {
	cat "/proc/$1/status" "/proc/$2/status" | grep ctxt_switches
}

# Whether two processes have slept for a moment longer than the loops wait before they set their timers later.
have_slept() {
	local before

	before=$(switches "$@")
	command sleep 0.3
	[[ $(switches "$@") == "$before" ]]
}

# Ten seconds are what is promised: here the time is the condition. What was waiting when strace came
# and when it went is no call of these seconds. The store is tidied up first, a while after the last change.
assert_silent() {
	wait_until has_rested
	wait_until have_slept "$1" "$2"
	timeout 10 strace -f -qq -o "$TEST_DIR/trace" -p "$1" -p "$2" 3>&- || :
	cat "$TEST_DIR/trace"
	run ! grep -v '^[0-9]* *epoll_wait([^)]*$\|detached' "$TEST_DIR/trace"
	assert [ "$(wc -l <"$TEST_DIR/trace")" -le 2 ]
}

@test "an idle daemon makes no system call for ten seconds, without and with quiet children" {
	local supervisor server

	# Nor for the limit of a job that is over.
	finish c --max-total 6s -- true
	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	assert_silent "$supervisor" "$server"
	enqueue quiet -- testjob stall
	wait_until is_status quiet running
	assert_silent "$supervisor" "$server"
}
