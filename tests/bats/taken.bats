#!/usr/bin/env bats
# A record that somebody takes otherwise than from the FIFO leaves nothing behind: no reader that waits for ever, no
# descriptor, no second copy.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common

# How many descriptors the server has open.
descriptors() {
	find "/proc/$(daemon_field server_pid)/fd" -mindepth 1 | wc -l
}

@test "a reader of the FIFO sees its end when wait has taken the last record" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	local fifo
	fifo=$(spawnd fifo P)
	cat "$fifo" >"$TEST_DIR/out" 3>&- &
	local reader=$!
	await_open "$reader" "$fifo"
	spawnd wait --parent P >"$TEST_DIR/waited" 3>&- &
	local waiter=$!
	touch "$TEST_DIR/go"
	await_exit "$waiter"
	assert_equal "$CODE" 0
	await_exit "$reader"
	assert_equal "$CODE" 0
	# It went to one of them at least.
	assert_equal "$(jq -r .child "$TEST_DIR/out" "$TEST_DIR/waited" | sort -u)" a
}

@test "a reader of the FIFO sees its end when next has taken the last record" {
	enqueue a -- true
	await_record a
	spawnd next --parent P >/dev/null
	enqueue b -- testjob wait-for "$TEST_DIR/go"
	cat "$(spawnd fifo P)" >"$TEST_DIR/out" 3>&- &
	local reader=$!
	touch "$TEST_DIR/go"
	await_exit "$reader"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r .child "$TEST_DIR/out")" b
}

@test "parents whose records are taken leave no descriptor in the server" {
	local before i

	spawnd run --parent first -- true
	before=$(descriptors)
	for i in {1..30}; do
		spawnd run --parent "parent-$i" -- true
	done
	has_no_more() {
		(($(descriptors) <= before))
	}
	wait_until has_no_more
}

@test "calls without reply are carried out though the client closes its side at once" {
	local i call

	spawnd status >/dev/null || spawnd daemon --detach
	set --
	for i in {1..20}; do
		call="{\"method\":\"org.spawnd.Enqueue\",\"oneway\":true,\"parameters\":{\"parent\":\"P\",\"child\":\"c$i\",\"argv\":[\"/bin/true\"]}}"
		set -- "$@" send "$call" nul
	done
	run -0 rawclient "$SPAWND_HOME/run/socket" "$@" shutdown closed
	has_all() {
		(($(record_count P) == 20))
	}
	wait_until has_all
}

@test "while the store refuses to write a reader is not given the same record again and again" {
	local i records

	for i in 1 2 3; do
		finish "c$i" -- true
	done
	# Nobody can write to the store while somebody else has it locked: as good as a full disk.
	mkfifo "$TEST_DIR/sql"
	sqlite3 "$SPAWND_HOME/state/spawnd.db" <"$TEST_DIR/sql" >"$TEST_DIR/locked" 3>&- &
	local locker=$!
	exec 7>"$TEST_DIR/sql"
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&7
	wait_until test -s "$TEST_DIR/locked"
	cat "$(spawnd fifo P)" >"$TEST_DIR/out" 3>&- 7>&- &
	local reader=$!
	is_in_trouble() {
		[[ $(daemon_field trouble) != null ]]
	}
	wait_until is_in_trouble
	# It goes on trying all the while.
	for i in {1..50}; do
		is_in_trouble
	done
	records=$(wc -l <"$TEST_DIR/out")
	exec 7>&-
	await_exit "$locker"
	await_exit "$reader"
	((records <= 3))
	assert_equal "$(jq -r .child "$TEST_DIR/out" | sort | uniq | tr '\n' ' ')" 'c1 c2 c3 '
	(($(wc -l <"$TEST_DIR/out") <= 6))
}
