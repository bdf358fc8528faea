# Many at once: one daemon, a record for each, nothing twice, nothing left open.
load common

descriptors_of() {
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

@test "500 jobs from twenty shells at once against no daemon: 500 records, no duplicate, no process left" {
	local i pids=()

	for i in {1..20}; do
		sh -c 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
			"$1" enqueue --parent build --child "c$2-$n" -- true || exit
		done' sh "$SPAWND" "$i" >"$TEST_DIR/jobs$i" 2>"$TEST_DIR/err$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert_equal "$(cat "$TEST_DIR"/err*)" ''
	assert_equal "$(sort -u "$TEST_DIR"/jobs* | wc -l)" 500

	read_fifo build "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(wc -l <"$TEST_DIR/records")" 500
	assert_equal "$(jq -r .child "$TEST_DIR/records" | sort -u | wc -l)" 500
	assert_equal "$(jq -r .status "$TEST_DIR/records" | sort -u)" completed
	spawnd stop
	wait_until is_empty_of_processes
}

@test "no descriptor stays open, and no zombie, after many jobs of every kind" {
	local supervisor server before_supervisor before_server i

	for i in {1..10}; do
		enqueue "warm$i" -- true
	done >/dev/null
	wait_until has_records P 10
	spawnd wait --parent P >/dev/null
	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	before_supervisor=$(descriptors_of "$supervisor")
	before_server=$(descriptors_of "$server")

	for i in {1..60}; do
		enqueue "ok$i" -- true
		enqueue "none$i" -- "$TEST_DIR/none"
		enqueue "dies$i" -- testjob die KILL
		enqueue "stalls$i" --max-idle 0.05s -- testjob stall
	done >/dev/null
	spawnd wait --parent P >"$TEST_DIR/records" || :
	assert_equal "$(wc -l <"$TEST_DIR/records")" 240

	as_before() {
		(($(descriptors_of "$supervisor") <= before_supervisor && \
		$(descriptors_of "$server") <= before_server))
	}
	wait_until as_before
	run -0 sh -c 'cat /proc/[0-9]*/status 2>/dev/null | awk -v p="$1" -v s="$2" "
		/^State:/ { z = \$2 == \"Z\" } /^PPid:/ { if (z && (\$2 == p || \$2 == s)) print }"' sh \
		"$supervisor" "$server"
	assert_output ''
}

@test "nothing but what is needed stays on disk in the runtime directory" {
	local i

	for i in {1..20}; do
		enqueue "c$i" -- true
	done >/dev/null
	spawnd wait --parent P >/dev/null
	no_beats() {
		[[ -z $(find "$SPAWND_HOME/run/beats" -mindepth 1) ]]
	}
	wait_until no_beats
}
