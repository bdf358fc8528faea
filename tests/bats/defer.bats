# What is taken note of a moment later: that a program was executed.
load common

# Without a call of a client: that would end the moment.
in_store() {
	sqlite3 -readonly -cmd '.timeout 5000' "$SPAWND_HOME/state/spawnd.db" "$1"
}

is_running_in_store() {
	[[ $(in_store "SELECT count(*) FROM job WHERE status = 'running' AND pid > 0") == "$1" ]]
}

@test "that a job runs is stored though nothing else happens and nobody asks" {
	for ((i = 0; i < 3; i++)); do
		spawnd enqueue --parent P --child "c$i" -- testjob sleep 100000
	done
	wait_until is_running_in_store 3
}

@test "brief jobs are told as queued, started and completed, in this order" {
	local job

	for ((i = 0; i < 40; i++)); do
		echo '{"argv":["true"]}'
	done >"$TEST_DIR/batch"
	spawnd enqueue --parent P --batch "$TEST_DIR/batch" >/dev/null
	spawnd wait --parent P >/dev/null
	run -0 in_store "SELECT count(DISTINCT job) FROM event"
	assert_output 40
	for ((job = 1; job <= 40; job++)); do
		run -0 in_store "SELECT kind FROM event WHERE job = $job ORDER BY seq"
		assert_output $'queued\nstarted\ncompleted'
	done
}

@test "who listens to the feed is told of a start before the end" {
	spawnd run --parent P --child first -- true
	"$SPAWND" events --parent P --follow --since 3 >"$TEST_DIR/told" 2>&1 3>&- &
	listener=$!
	spawnd enqueue --parent P --child c -- testjob sleep 100000
	wait_until grep -q '"started"' "$TEST_DIR/told"
	spawnd cancel c
	wait_until grep -q '"completed"' "$TEST_DIR/told"
	kill "$listener"
	wait "$listener" || :
}
