# A listening socket that a service manager has made, at a place of its choice.
load common

# activated ADDRESS: the daemon in the background, with a socket listening at this path, or, after an @, at
# this abstract address. $DAEMON is its process.
activated() {
	perl -MSocket -MPOSIX -e '
		my ($address, $s) = shift;
		$address =~ s/^@/\0/;
		socket($s, AF_UNIX, SOCK_STREAM, 0) && bind($s, pack_sockaddr_un($address)) &&
			listen($s, 10) && POSIX::dup2(fileno($s), 4) && POSIX::dup2(4, 3) && POSIX::close(4)
			or die "$!";
		$ENV{LISTEN_PID} = $$;
		$ENV{LISTEN_FDS} = 1;
		exec @ARGV;
	' "$1" "$SPAWND" daemon 3>&- 2>"$TEST_DIR/log" &
	DAEMON=$!
}

is_serving() {
	SPAWND_SOCKET=$1 spawnd status --no-autostart
}

@test "jobs and status name the socket that a service manager gave" {
	local socket=$TEST_DIR/elsewhere

	activated "$socket"
	wait_until is_serving "$socket"
	export SPAWND_SOCKET=$socket
	assert_equal "$(daemon_field socket)" "$socket"
	# shellcheck disable=SC2016 # for the job
	run -0 spawnd run -- sh -c 'printf "%s\n" "$SPAWND_SOCKET"; "$0" status --json' "$SPAWND"
	assert_line --index 0 "$socket"
	assert_equal "$(jq -r .socket <<<"${lines[1]}")" "$socket"
	# Who does not say where it is looks in the usual place, and finds nobody.
	run --separate-stderr env -u SPAWND_SOCKET "$SPAWND" status --no-autostart
	assert_equal "$status" 69
	[[ $stderr == *"$SPAWND_HOME/run/socket"* ]]
	spawnd stop
	await_exit "$DAEMON"
	assert [ -S "$socket" ]
}

@test "a socket without a path is refused" {
	activated "@$TEST_DIR/abstract"
	await_exit "$DAEMON"
	assert_equal "$CODE" 78
	grep -F 'LISTEN_FDS: descriptor 3 has no path' "$TEST_DIR/log"
}
