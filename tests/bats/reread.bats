# Readers that are in the middle of a record when something happens to the server, or to each other.
load common

# Opens P's FIFO at descriptor 5, and reads the first ten bytes of the record that is there.
begin_to_read() {
	exec 5<"$(spawnd fifo P)"
	assert_equal "$(head -c 10 <&5)" '{"seq":3,"'
}

# The next line that descriptor 5 gets, with what was read of it before.
assert_next_line() {
	local line

	IFS= read -r -t "$PATIENCE" line <&5
	assert_equal "$(jq -r .child <<<"$1$line")" a
}

# Whatever was on its way to the supervisor, and back, has come.
make_round() {
	spawnd run --child "round$RANDOM" -- true
}

frozen() {
	[[ $(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status") == T ]]
}

@test "kill -9 of the server: who is in the middle of a record gets the rest of it, and it comes again" {
	local server

	finish a -- true
	begin_to_read
	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until not is_alive "$server"
	make_round
	assert_next_line '{"seq":3,"'
	assert_next_line ''
	exec 5<&-
}

@test "a writing end that is closed, as the supervisor does with an earlier server's, is no reader that goes away" {
	finish a -- true
	begin_to_read
	: >"$SPAWND_HOME/run/parents/P"
	make_round
	assert_next_line '{"seq":3,"'
	exec 5<&-
}

@test "kill -9 of the supervisor: who is in the middle of a record gets the rest of it" {
	local supervisor

	finish a -- true
	begin_to_read
	supervisor=$(daemon_field pid)
	kill -KILL "$supervisor"
	wait_until not is_alive "$supervisor"
	make_round
	assert_next_line '{"seq":3,"'
	exec 5<&-
}

@test "who has begun to read what another left half-read gets a line of its own, and then the record" {
	local server rest

	finish a -- true
	server=$(daemon_field server_pid)
	begin_to_read
	exec 6<"$(spawnd fifo P)"
	# What both do comes before the server may look.
	kill -STOP "$server"
	wait_until frozen "$server"
	exec 5<&-
	head -c 10 <&6 >/dev/null
	kill -CONT "$server"
	make_round
	exec 5<&6 6<&-
	IFS= read -r -t "$PATIENCE" rest <&5
	[[ $rest != *'"seq"'* ]]
	assert_next_line ''
	exec 5<&-
}

@test "a record read by two, one after the other, is not taken for one that was read" {
	local server rest

	finish a -- true
	server=$(daemon_field server_pid)
	begin_to_read
	exec 6<"$(spawnd fifo P)"
	kill -STOP "$server"
	wait_until frozen "$server"
	exec 5<&- 5<&6 6<&-
	IFS= read -r -t "$PATIENCE" rest <&5
	assert_regex "$rest" '"a"'
	kill -CONT "$server"
	assert_next_line ''
	exec 5<&-
}
