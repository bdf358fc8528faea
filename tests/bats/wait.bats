# wait, next and results: records by command, acknowledged once they are out.
load common

@test "wait prints the record of each child and ends as the first that is not completed did" {
	enqueue a -- true
	enqueue b -- testjob exit 7
	run -7 spawnd wait a b
	assert_equal "$(jq -r '"\(.child) \(.exit_code)"' <<<"$output" | sort)" $'a 0\nb 7'
}

@test "wait ends 0 when all have completed" {
	enqueue a -- true
	enqueue b -- testjob sleep 100
	run -0 spawnd wait a b
}

@test "wait's exit code tells each ending apart" {
	enqueue killed -- testjob die KILL
	run -137 spawnd wait killed
	enqueue stalls --max-idle 0.2s -- testjob stall
	run -124 spawnd wait stalls
	enqueue none -- "$TEST_DIR/none"
	run -127 spawnd wait none
	touch "$TEST_DIR/text"
	enqueue text -- "$TEST_DIR/text"
	run -126 spawnd wait text
	enqueue cancelled -- testjob stall
	spawnd cancel cancelled
	run -123 spawnd wait cancelled
}

@test "wait --parent takes every record, and those to come" {
	enqueue a -- true
	enqueue b -- testjob wait-for "$TEST_DIR/go"
	"$SPAWND" wait --parent P >"$TEST_DIR/records" 3>&- &
	local pid=$!
	wait_until test -s "$TEST_DIR/records"
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r .child "$TEST_DIR/records" | tr -d '\n')" ab
	run -66 spawnd next --parent P
}

@test "wait --timeout gives up with 125, and the job runs on" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	run -125 --separate-stderr spawnd wait a --timeout 0.1s
	[[ -n $stderr ]]
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
}

@test "wait for a child that nobody knows is refused" {
	run -66 --separate-stderr spawnd wait nobody
	[[ $stderr == *nobody* ]]
}

@test "next takes one record, the oldest first" {
	finish a -- true
	finish b -- testjob exit 2
	run -0 spawnd next --parent P
	assert_equal "$(jq -r .child <<<"$output")" a
	run -0 spawnd next --parent P
	assert_equal "$(jq -r .child <<<"$output")" b
	run -66 spawnd next --parent P
	assert_output ''
}

@test "next waits for a record that will come" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	"$SPAWND" next --parent P >"$TEST_DIR/record" 3>&- &
	local pid=$!
	wait_until is_status a running
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r .child "$TEST_DIR/record")" a
}

@test "next --timeout gives up with 75" {
	enqueue a -- testjob stall
	run -75 spawnd next --parent P --timeout 0.1s
	assert_equal "$(job_field a .status | sed s/queued/running/)" running
}

@test "twenty readers at once: each record goes to one of them" {
	local i pids=()

	for i in {1..20}; do
		enqueue "c$i" -- true
	done >/dev/null
	for i in {1..20}; do
		"$SPAWND" next --parent P >>"$TEST_DIR/records" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert_equal "$(jq -r .seq "$TEST_DIR/records" | sort -u | wc -l)" 20
	assert_equal "$(wc -l <"$TEST_DIR/records")" 20
}

@test "a reader that is killed while it waits takes nothing with it" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	"$SPAWND" next --parent P >"$TEST_DIR/record" 3>&- &
	local pid=$!
	wait_until is_status a running
	kill -KILL "$pid"
	await_exit "$pid"
	touch "$TEST_DIR/go"
	run -0 spawnd next --parent P
	assert_equal "$(jq -r .child <<<"$output")" a
}

@test "a record that could not be written is not acknowledged" {
	finish a -- true
	run --separate-stderr sh -c '"$1" next --parent P >/dev/full' sh "$SPAWND"
	assert_equal "$status" 74
	[[ -n $stderr ]]
	run -0 spawnd next --parent P
	assert_equal "$(jq -r .child <<<"$output")" a
}

@test "results replays records, acknowledged or not, from any point" {
	local seq

	finish a -- true
	finish b -- true
	spawnd wait a b >/dev/null
	run -0 spawnd results --parent P
	assert_equal "$(jq -r .child <<<"$output" | tr -d '\n')" ab
	seq=$(jq -r 'select(.child == "a").seq' <<<"$output")
	run -0 spawnd results --parent P --since "$seq"
	assert_equal "$(jq -r .child <<<"$output")" b
	run -0 spawnd results --parent a
	assert_output ''
}

@test "seq only goes up" {
	local i

	for i in 1 2 3; do
		finish "c$i" -- true
	done
	run -0 jq -s -e '[.[].seq] | . == (sort | unique)' <(spawnd results --parent P)
}

# held COMMAND...: starts it with a standard output that is full, waits until child a has ended, ends the daemon,
# and reads on. The exit code is in $CODE, what it says in err.
held() {
	local pid since pipe=$TEST_DIR/pipe full drain

	mkfifo "$pipe"
	exec {full}<>"$pipe"
	dd if=/dev/zero of="$pipe" bs=4096 oflag=nonblock 2>/dev/null || :
	"$SPAWND" "$@" >"$pipe" 2>"$TEST_DIR/err" 3>&- {full}>&- &
	pid=$!
	await_record a
	wait_until is_writing "$pid"
	spawnd stop
	since=$SECONDS
	exec {drain}<"$pipe"
	tr -d '\0' <&"$drain" >"$TEST_DIR/out" 3>&- {full}>&- &
	exec {full}>&- {drain}<&-
	await_exit "$pid"
	((SECONDS - since < 15))
}

# Whether a process waits for room in a pipe.
is_writing() {
	[[ $(cat "/proc/$1/wchan") == *pipe_write* ]]
}

@test "wait and next end as the record says where it cannot be acknowledged any more" {
	local command

	for command in 'wait a' 'next --parent P'; do
		rm -f "$TEST_DIR/pipe"
		enqueue a -- true
		# shellcheck disable=SC2086 # words
		held $command
		assert_equal "$CODE" 0
		wait_until grep -q '"child":"a"' "$TEST_DIR/out"
		assert_equal "$(wc -l <"$TEST_DIR/err")" 1
		run -0 grep -F 'not acknowledged: it may come again' "$TEST_DIR/err"
	done
}

@test "a daemon that ends tells who waits that the queue stays" {
	local pid stop
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob wait-for "$TEST_DIR/go"
	enqueue second -- true
	"$SPAWND" wait second 2>"$TEST_DIR/err" 3>&- &
	pid=$!
	wait_until grep -q poll "/proc/$pid/wchan"
	"$SPAWND" stop 3>&- &
	stop=$!
	wait_until is_stopping
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 125
	assert_equal "$(cat "$TEST_DIR/err")" \
		'spawnd wait: the daemon ends; what is queued stays queued for its next start'
	await_exit "$stop"
}

@test "wait --any ends with the first record, and takes no other" {
	enqueue a -- testjob wait-for "$TEST_DIR/a"
	enqueue b -- testjob exit 3
	run -3 spawnd wait --any a b
	assert_equal "$(jq -r .child <<<"$output")" b
	touch a
	await_record a
	# By the parent: b's was taken.
	run -0 spawnd wait --any --parent P
	assert_equal "$(jq -r .child <<<"$output")" a
	run -0 spawnd wait --any --parent P
	assert_output ''
}

@test "wait --any of several that have ended takes the one that ended first" {
	finish a -- true
	finish b -- testjob exit 3
	run -0 spawnd wait --any --parent P
	assert_equal "$(jq -r .child <<<"$output")" a
	run -3 spawnd wait --parent P
	assert_equal "$(jq -r .child <<<"$output")" b
}

@test "wait --first-error ends with the first that has not completed" {
	local pid

	enqueue a -- true
	enqueue b -- testjob wait-for "$TEST_DIR/b" exit 7
	enqueue c -- testjob wait-for "$TEST_DIR/c"
	"$SPAWND" wait --first-error --parent P >"$TEST_DIR/records" 3>&- &
	pid=$!
	wait_until test -s "$TEST_DIR/records"
	touch b
	await_exit "$pid"
	assert_equal "$CODE" 7
	assert_equal "$(jq -r .child "$TEST_DIR/records" | tr -d '\n')" ab
	run -7 spawnd wait --first-error c b
	touch c
	run -0 spawnd wait --first-error a c
	run -0 spawnd wait --first-error --parent P
}

@test "wait knows one policy at a time" {
	run -64 --separate-stderr spawnd wait --any --all --parent P
	[[ $stderr == *--first-error* ]]
}
