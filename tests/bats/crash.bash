# Loaded by bats files in which the daemon's processes are killed.

# A new server answers.
serves_anew() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

kill_server() {
	local server

	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew "$server"
}

# Both at once: the supervisor is stopped first, so that it cannot start a new server in between.
kill_daemon() {
	local supervisor server

	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	kill -STOP "$supervisor"
	kill -KILL "$server" "$supervisor"
	wait_until not is_alive "$server"
	wait_until not is_alive "$supervisor"
}
