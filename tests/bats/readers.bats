# Readers of a FIFO who come late, leave early, are slow, are many, or die half-way; and the server that dies at
# random moments. Each record is had whole at least once, the end of the file comes after the last one and
# then at once, and what was taken elsewhere does not come.
load common

# enqueue_many N: children c1 to cN of P.
enqueue_many() {
	local i

	for ((i = 1; i <= $1; i++)); do
		spawnd enqueue --parent P --child "c$i" -- true >/dev/null
	done
}

# The numbers of the jobs in these files of records, each once. Fails where a line is no whole record.
jobs_in() {
	cat "$@" >"$TEST_DIR/all"
	jq -r .job "$TEST_DIR/all" | sort -nu
}

# assert_all_in N FILE...: jobs 1 to N are there.
assert_all_in() {
	assert_equal "$(jobs_in "${@:2}" | tr '\n' ' ')" "$(seq -s ' ' "$1") "
}

# A reader that stays until the end of the file, into $TEST_DIR/$1; $READER.
follow() {
	cat <"$FIFO" >"$TEST_DIR/$1" 3>&- &
	READER=$!
}

# An open job, so that the FIFO does not end: finished by `touch $TEST_DIR/go`.
keep_open() {
	spawnd enqueue --parent P --child open -- testjob wait-for "$TEST_DIR/go" >/dev/null
	FIFO=$(spawnd fifo P)
}

server_pid() {
	daemon_field server_pid
}

# Whether the server has handled what had happened before this was called.
settle() {
	spawnd status >/dev/null && spawnd status >/dev/null
}

@test "a reader that comes when all is over gets all, and then the end" {
	enqueue_many 20
	wait_until has_records P 20
	FIFO=$(spawnd fifo P)
	follow late
	await_exit "$READER"
	assert_all_in 20 "$TEST_DIR/late"
	assert_equal "$(wc -l <"$TEST_DIR/late")" 20
}

@test "readers that take one record each, one after the other, get each record once" {
	local i

	enqueue_many 20
	wait_until has_records P 20
	FIFO=$(spawnd fifo P)
	for i in {1..20}; do
		dd bs=4096 count=1 <"$FIFO" >>"$TEST_DIR/got" 2>/dev/null
	done
	assert_all_in 20 "$TEST_DIR/got"
	wait_until not has_pending
}

has_pending() {
	[[ $(sqlite3 "$SPAWND_HOME/state/spawnd.db" 'select count(*) from delivery') != 0 ]]
}

@test "readers that leave half-way, again and again, take nothing from the one who stays" {
	local i

	enqueue_many 20
	wait_until has_records P 20
	FIFO=$(spawnd fifo P)
	for i in {1..30}; do
		head -c $((RANDOM % 100 + 1)) <"$FIFO" >"$TEST_DIR/half"
	done
	follow rest
	await_exit "$READER"
	# He may begin with the rest of what the last of them left, which comes whole after that.
	jq -cR 'fromjson? | objects' "$TEST_DIR/rest" >"$TEST_DIR/whole"
	assert_all_in 20 "$TEST_DIR/whole"
	assert [ $(($(wc -l <"$TEST_DIR/rest") - $(wc -l <"$TEST_DIR/whole"))) -le 1 ]
}

@test "one who is in the middle of a record finds its end, though another opens the FIFO and goes" {
	local half rest

	keep_open
	enqueue_many 1
	exec 7<"$FIFO"
	IFS= read -r -N 10 -u 7 half
	: <"$FIFO"
	settle
	IFS= read -r -u 7 rest
	exec 7<&-
	assert_equal "$(jq -r .child <<<"$half$rest")" c1
	touch "$TEST_DIR/go"
	follow rest
	await_exit "$READER"
	# Nobody can know who had which part: it may come again, whole.
	assert_equal "$(jq -r .child "$TEST_DIR/rest" | sort -u | tail -n 1)" open
}

@test "the rest of a record that one left half-way goes to another, and then all of it" {
	local half rest record

	keep_open
	enqueue_many 1
	exec 7<"$FIFO" 8<"$FIFO"
	IFS= read -r -N 10 -u 7 half
	exec 7<&-
	settle
	IFS= read -r -u 8 rest
	assert_equal "$(jq -r .child <<<"$half$rest")" c1
	IFS= read -r -u 8 record
	assert_equal "$(jq -r .child <<<"$record")" c1
	exec 8<&-
	touch "$TEST_DIR/go"
	follow rest
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/rest")" open
}

@test "one byte at a time" {
	enqueue_many 5
	wait_until has_records P 5
	FIFO=$(spawnd fifo P)
	dd bs=1 <"$FIFO" >"$TEST_DIR/got" 2>/dev/null
	assert_all_in 5 "$TEST_DIR/got"
	assert_equal "$(wc -l <"$TEST_DIR/got")" 5
}

@test "a slow reader holds up nobody, and has the end only after the last record" {
	local i

	enqueue_many 3
	spawnd enqueue --parent Q --child q -- true
	exec 7<"$(spawnd fifo P)"
	wait_until has_records P 3
	read_fifo Q "$TEST_DIR/q"
	await_exit "$READER"
	for i in 1 2 3; do
		settle
		IFS= read -r -u 7 record
		printf '%s\n' "$record" >>"$TEST_DIR/read"
	done
	run ! read -r -u 7
	exec 7<&-
	assert_equal "$(jq .seq "$TEST_DIR/read")" "$(spawnd results --parent P | jq .seq)"
}

@test "ten readers on one FIFO share the records, and all of them see the end" {
	local i pids=()

	keep_open
	for i in {1..10}; do
		follow "got$i"
		pids+=("$READER")
	done
	enqueue_many 40
	touch "$TEST_DIR/go"
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert_all_in 41 "$TEST_DIR"/got*
}

@test "ten readers killed at random: none but what the killed had in hand is missing, and none is torn" {
	local i n=0 pids=() missing

	keep_open
	for i in {1..10}; do
		follow "got$i"
		pids+=("$READER")
	done
	for i in {1..40}; do
		spawnd enqueue --parent P --child "c$i" -- true >/dev/null
		if ((i % 4 == 0)); then
			kill -KILL "${pids[n]}"
			wait "${pids[n]}" || :
			((n += 1))
			follow "more$n"
			pids+=("$READER")
		fi
	done
	touch "$TEST_DIR/go"
	for i in "${pids[@]:n}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	missing=$((41 - $(jobs_in "$TEST_DIR"/got* "$TEST_DIR"/more* | wc -l)))
	assert [ "$missing" -ge 0 ]
	assert [ "$missing" -le 10 ]
}

@test "what wait and next take does not come through the FIFO, though a reader waits at it" {
	enqueue_many 10
	wait_until has_records P 10
	# Open, and not read: the first record lies in it.
	exec 7<"$(spawnd fifo P)"
	settle
	spawnd wait c1 >/dev/null
	spawnd wait c2 >/dev/null
	spawnd next --parent P >/dev/null
	cat <&7 >"$TEST_DIR/got"
	exec 7<&-
	assert_equal "$(jobs_in "$TEST_DIR/got" | tr '\n' ' ')" "$(seq -s ' ' 4 10) "
	assert_equal "$(wc -l <"$TEST_DIR/got")" 7
}

@test "a record that is half read and taken by wait is read to its end, and does not come again" {
	local half rest

	keep_open
	enqueue_many 1
	exec 7<"$FIFO"
	IFS= read -r -N 10 -u 7 half
	run -0 spawnd wait c1
	IFS= read -r -u 7 rest
	assert_equal "$(jq -r .child <<<"$half$rest")" c1
	touch "$TEST_DIR/go"
	IFS= read -r -u 7 rest
	assert_equal "$(jq -r .child <<<"$rest")" open
	run ! read -r -u 7
	exec 7<&-
}

# kill -9 of the server, so many times, while something goes on.
kill_servers() {
	local i before

	for ((i = 0; i < $1; i++)); do
		before=$(server_pid)
		[[ -z $before ]] || kill -KILL "$before" 2>/dev/null || :
		command sleep "0.0$((RANDOM % 90 + 10))"
	done
}

@test "kill -9 of the server at random: one reader has each record, whole, before the end" {
	keep_open
	follow got
	kill_servers 12 &
	enqueue_many 40
	wait $!
	touch "$TEST_DIR/go"
	await_exit "$READER"
	assert_all_in 41 "$TEST_DIR/got"
}

@test "kill -9 of the server at random: a reader of single bytes, likewise" {
	keep_open
	dd bs=1 <"$FIFO" >"$TEST_DIR/got" 2>/dev/null 3>&- &
	READER=$!
	kill_servers 12 &
	enqueue_many 40
	wait $!
	touch "$TEST_DIR/go"
	await_exit "$READER"
	assert_all_in 41 "$TEST_DIR/got"
}

@test "kill -9 of the server at random: readers of one record each, and one for the rest" {
	local i

	keep_open
	kill_servers 12 &
	enqueue_many 40
	for i in {1..20}; do
		dd bs=4096 count=1 <"$FIFO" >>"$TEST_DIR/got" 2>/dev/null
	done
	wait $!
	touch "$TEST_DIR/go"
	follow rest
	await_exit "$READER"
	assert_all_in 41 "$TEST_DIR/got" "$TEST_DIR/rest"
}

@test "kill -9 of the server with a record half read: whole for the next reader" {
	local half

	keep_open
	enqueue_many 1
	exec 7<"$FIFO"
	IFS= read -r -N 10 -u 7 half
	kill -KILL "$(server_pid)"
	exec 7<&-
	touch "$TEST_DIR/go"
	wait_until has_ended open
	follow got
	await_exit "$READER"
	assert_all_in 2 "$TEST_DIR/got"
}

@test "kill -9 of the server with a record half read: its reader has the end of it, and it comes again" {
	local half rest again

	keep_open
	enqueue_many 1
	exec 7<"$FIFO"
	IFS= read -r -N 10 -u 7 half
	kill -KILL "$(server_pid)"
	settle
	IFS= read -r -u 7 rest
	assert_equal "$(jq -r .child <<<"$half$rest")" c1
	IFS= read -r -u 7 again
	assert_equal "$again" "$half$rest"
	touch "$TEST_DIR/go"
	cat <&7 >"$TEST_DIR/got"
	exec 7<&-
	assert_equal "$(jq -r .child "$TEST_DIR/got")" open
}

@test "no inotify watch to be had: readers get their records all the same" {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o "$TEST_DIR/trace" -e trace=inotify_add_watch \
		-e inject=inotify_add_watch:error=ENOSPC "$SPAWND" daemon >"$TEST_DIR/out" 2>&1 3>&- &
	wait_until test -S "$SPAWND_HOME/run/socket"
	enqueue_many 5
	wait_until has_records P 5
	FIFO=$(spawnd fifo P)
	follow got
	await_exit "$READER"
	assert_all_in 5 "$TEST_DIR/got"
}
