# The parent's FIFO: every record comes through it, whole and in order, and it ends when there is no more.
load common

# The FIFO as the commands' users read it.
read_loop() {
	while IFS= read -r record; do
		printf '%s\n' "$record"
	done <"$(spawnd fifo "$1")"
}

@test "the loop handles every completion, waits for those to come, and ends by itself" {
	local pid

	enqueue a -- true
	enqueue b -- testjob exit 3
	enqueue c -- testjob wait-for "$TEST_DIR/go"
	read_loop P >"$TEST_DIR/records" 3>&- &
	pid=$!
	two_records() {
		[[ -e $TEST_DIR/records ]] && (($(wc -l <"$TEST_DIR/records") == 2))
	}
	wait_until two_records
	assert is_alive "$pid"
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(jq -r '"\(.child) \(.status)"' "$TEST_DIR/records" | sort)" \
		$'a completed\nb error\nc completed'
}

@test "the FIFO exists from the first enqueue on, for its owner alone" {
	enqueue a -- testjob stall
	run -0 spawnd fifo P
	assert [ -p "$output" ]
	assert_equal "$(stat -c %a "$output")" 600
}

@test "a reader that was there first gets what comes" {
	read_fifo P "$TEST_DIR/records"
	enqueue a -- true
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" a
}

@test "records wait for a reader, also across a restart of the daemon" {
	enqueue a -- true
	enqueue b -- true
	await_record a
	await_record b
	spawnd stop
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records" | sort | tr -d '\n')" ab
}

@test "records that were read do not come again" {
	finish a -- true
	read_fifo P "$TEST_DIR/first"
	await_exit "$READER"
	finish b -- true
	read_fifo P "$TEST_DIR/second"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/first")" a
	assert_equal "$(jq -r .child "$TEST_DIR/second")" b
}

@test "each parent gets its own" {
	enqueue a -- true
	spawnd enqueue --parent Q --child b -- true
	read_fifo P "$TEST_DIR/p"
	await_exit "$READER"
	read_fifo Q "$TEST_DIR/q"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/p")" a
	assert_equal "$(jq -r .child "$TEST_DIR/q")" b
}

@test "a reader that dies half-way through a record finds that record whole" {
	enqueue a -- true
	enqueue b -- testjob wait-for "$TEST_DIR/go"
	await_record a
	# One read of ten bytes, and gone.
	head -c 10 <"$(spawnd fifo P)" >"$TEST_DIR/half"
	touch "$TEST_DIR/go"
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records" | sort -u | tr -d '\n')" ab
	assert_equal "$(head -c 10 "$TEST_DIR/half")" "$(head -n 1 "$TEST_DIR/records" | head -c 10)"
}

@test "a reader that takes one record leaves the others for the next" {
	local i

	for i in 1 2 3 4 5; do
		enqueue "c$i" -- true
	done
	wait_until has_records P 5
	IFS= read -r first <"$(spawnd fifo P)"
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(cat <(printf '%s\n' "$first") "$TEST_DIR/records" | jq -r .seq | sort -un | wc -l)" 5
}

@test "records taken by wait or next do not come through the FIFO" {
	finish a -- true
	finish b -- true
	finish c -- true
	spawnd wait a
	spawnd next --parent P
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" c
}

@test "--at puts it elsewhere" {
	run -0 spawnd fifo P --at "$TEST_DIR/my-fifo"
	assert_output "$TEST_DIR/my-fifo"
	assert [ -p "$TEST_DIR/my-fifo" ]
	run -0 spawnd fifo P
	assert_output "$TEST_DIR/my-fifo"
	enqueue a -- true
	cat <"$TEST_DIR/my-fifo" >"$TEST_DIR/records"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" a
}

@test "--at is named where there can be no FIFO" {
	run -64 spawnd fifo P --at "$TEST_DIR/none/fifo"
	assert_output "spawnd fifo: --at: $TEST_DIR/none/fifo: cannot make the FIFO: No such file or directory; make the directory first"
	run -64 spawnd fifo P --at ''
	assert_output 'spawnd fifo: --at is empty; give the path at which the FIFO is to be'
}

@test "--at takes a path from the caller's directory" {
	cd "$TEST_DIR"
	run -0 spawnd fifo P --at my-fifo
	assert_output "$TEST_DIR/my-fifo"
}

@test "--format tsv has eight columns, the error escaped" {
	local newline=$'no\tsuch\nfile'

	spawnd fifo P --format tsv
	enqueue a -- testjob exit 3
	enqueue b -- "/none/$newline"
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(wc -l <"$TEST_DIR/records")" 2
	assert_equal "$(awk -F '\t' '{ print NF }' "$TEST_DIR/records" | tr '\n' ' ')" '8 8 '
	assert_equal "$(awk -F '\t' '$3 == "a" { print $2, $4, $5, $6 "." }' "$TEST_DIR/records")" 'error 1 3 .'
	assert_equal "$(awk -F '\t' '$3 == "b" { print $2, $4, $5 $6 "." }' "$TEST_DIR/records")" 'error 2 .'
}

@test "a FIFO path that is a regular file, a link or a directory is refused and left alone" {
	echo precious >"$TEST_DIR/file"
	ln -s "$TEST_DIR/file" "$TEST_DIR/link"
	mkfifo "$TEST_DIR/fifo"
	ln -s "$TEST_DIR/fifo" "$TEST_DIR/link-to-fifo"
	mkdir "$TEST_DIR/directory"
	local name

	for name in file link link-to-fifo directory; do
		run --separate-stderr spawnd fifo P --at "$TEST_DIR/$name"
		assert_not_equal "$status" 0
		[[ $stderr == *"$TEST_DIR/$name"* ]]
		assert_equal "$output" ''
	done
	assert_equal "$(cat "$TEST_DIR/file")" precious
	# And the parent's FIFO is where it was.
	enqueue a -- true
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" a
}

@test "a FIFO that somebody has replaced by a file is refused, and the records are kept" {
	local path

	enqueue a -- testjob wait-for "$TEST_DIR/go"
	path=$(spawnd fifo P)
	rm "$path"
	echo precious >"$path"
	touch "$TEST_DIR/go"
	await_record a
	run --separate-stderr enqueue b -- true
	assert_not_equal "$status" 0
	[[ $stderr == *"$path"* ]]
	assert_equal "$(cat "$path")" precious
	run -0 spawnd wait a
	assert_equal "$(jq -r .status <<<"$output")" completed
}

@test "a hundred children, one loop, no record missing or twice" {
	local i

	for i in {1..100}; do
		enqueue "c$i" -- true
	done >/dev/null
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .job "$TEST_DIR/records" | sort -n | uniq | wc -l)" 100
	assert_equal "$(wc -l <"$TEST_DIR/records")" 100
	assert_equal "$(jq -r .seq "$TEST_DIR/records")" "$(jq -r .seq "$TEST_DIR/records" | sort -n)"
}
