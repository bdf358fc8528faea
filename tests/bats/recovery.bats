# Crashes: of the server, of the supervisor, of both. Children run on, and every record arrives.
load common
load crash

@test "kill -9 of the server: children run on, and their records arrive" {
	local pid

	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go" exit 7
	pid=$(pid_in "$TEST_DIR/pid")
	kill_server
	assert is_alive "$pid"
	assert_equal "$(job_field a .status)" running
	touch "$TEST_DIR/go"
	await_record a
	assert_record '[.status, .exit_code] | tojson' '["error",7]'
}

@test "kill -9 of the server: limits are kept meanwhile" {
	enqueue a --max-idle 5s -- testjob stall
	wait_until is_status a running
	kill -KILL "$(daemon_field server_pid)"
	await_record a
	assert_record .status timeout
}

@test "kill -9 of the server: a client that waits gets its record" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	"$SPAWND" wait a >"$TEST_DIR/record" 3>&- &
	local pid=$!
	wait_until is_status a running
	kill_server
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r .child "$TEST_DIR/record")" a
}

@test "kill -9 of the server: run passes on output and exit code" {
	"$SPAWND" run --child a -- testjob output one wait-for "$TEST_DIR/go" output two exit 7 \
		>"$TEST_DIR/out" 3>&- &
	local pid=$!
	wait_until grep -qx one "$TEST_DIR/out"
	kill_server
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 7
	assert_equal "$(cat "$TEST_DIR/out")" $'one\ntwo'
}

@test "kill -9 of the server: the FIFO's reader gets every record" {
	local i reader

	for i in 1 2 3; do
		enqueue "c$i" -- testjob wait-for "$TEST_DIR/go$i"
	done
	# The pipe ends when its server does: a reader that wants all opens it again until nothing is to come.
	while IFS= read -r record; do
		printf '%s\n' "$record"
	done <"$(spawnd fifo P)" >"$TEST_DIR/first" 3>&- &
	reader=$!
	touch "$TEST_DIR/go1"
	await_record c1
	kill_server
	touch "$TEST_DIR/go2" "$TEST_DIR/go3"
	await_record c2
	await_record c3
	all_arrived() {
		local arrived

		arrived=$(cat "$TEST_DIR/first" "$TEST_DIR/second" 2>/dev/null | jq -r .child | sort -u | tr -d '\n')
		[[ $arrived == c1c2c3 ]]
	}
	if ! wait_until not is_alive "$reader" || ! all_arrived; then
		timeout "$PATIENCE" cat "$(spawnd fifo P)" >"$TEST_DIR/second"
	fi
	all_arrived
}

@test "kill -9 of the server: queued jobs run, no number is used twice, nothing runs twice" {
	local i

	configure '[spawnd]' 'max_running = 2'
	for i in {1..30}; do
		enqueue "c$i" -- testjob append "$TEST_DIR/ran" "$i"
		((i % 10)) || kill -KILL "$(daemon_field server_pid)"
	done >/dev/null
	wait_until has_records P 30
	assert_equal "$(sort -n "$TEST_DIR/ran" | tr '\n' ' ')" "$(seq -s ' ' 30) "
	assert_equal "$(spawnd results --parent P | jq -r .status | sort | uniq -c | tr -s ' ')" ' 30 completed'
}

@test "kill -9 of the supervisor and the server: what ran goes on, what was queued runs after it" {
	local pid

	configure '[spawnd]' 'max_running = 1'
	enqueue a -- testjob pid "$TEST_DIR/pid" stall
	enqueue b -- true
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	kill_daemon
	assert_equal "$(job_field a .status)" running
	assert is_alive "$pid"
	spawnd cancel a
	await_record a
	assert_record .status cancelled
	refute is_alive "$pid"
	await_record b
	assert_record .status completed
}

@test "records survive kill -9 of both, and are delivered" {
	finish a -- testjob exit 7
	kill_daemon
	run -7 spawnd wait a
}

@test "a crash loses nothing that enqueue has acknowledged" {
	local i

	for i in {1..5}; do
		enqueue "c$i" -- true
	done
	kill_daemon
	for i in {1..5}; do
		await_record "c$i"
		assert_record_like .status '^(completed|lost)$'
	done
	assert_equal "$(record_count P)" 5
}
