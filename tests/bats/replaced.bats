# A FIFO that somebody removes, or puts something else in the place of: its records wait, with a warning, and
# come when that is mended. Who reads the old one is not told that all is done.
load common

log() {
	cat "$SPAWND_HOME/state/spawnd.log"
}

is_logged() {
	log | grep -qF -- "$1"
}

is_fifo() {
	[[ -p $1 && ! -L $1 ]]
}

# A job under way, and the path of its parent's FIFO in $FIFO.
begin() {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	FIFO=$(spawnd fifo P)
}

# The record of a comes through the FIFO, once, and then its end.
is_delivered() {
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" a
}

@test "removed, and nobody reads: it is made anew by itself" {
	begin
	rm "$FIFO"
	wait_until is_fifo "$FIFO"
	touch "$TEST_DIR/go"
	is_delivered
}

@test "moved away: likewise" {
	begin
	mv "$FIFO" "$TEST_DIR/away"
	wait_until is_fifo "$FIFO"
	touch "$TEST_DIR/go"
	is_delivered
}

@test "removed under a reader: he gets what comes, and its end when all is done" {
	begin
	cat <"$FIFO" >"$TEST_DIR/records" 3>&- &
	READER=$!
	await_open "$READER" "$FIFO"
	rm "$FIFO"
	enqueue b -- testjob wait-for "$TEST_DIR/go2"
	touch "$TEST_DIR/go"
	is_read() {
		(($(wc -l <"$TEST_DIR/records") == $1))
	}
	wait_until is_read 1
	assert is_alive "$READER"
	touch "$TEST_DIR/go2"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records")" $'a\nb'
}

@test "removed under a reader who goes away: the next one finds the rest at the path" {
	begin
	enqueue b -- testjob wait-for "$TEST_DIR/go2"
	cat <"$FIFO" >"$TEST_DIR/first" 3>&- &
	READER=$!
	await_open "$READER" "$FIFO"
	rm "$FIFO"
	kill "$READER"
	wait_until is_fifo "$FIFO"
	touch "$TEST_DIR/go" "$TEST_DIR/go2"
	read_fifo P "$TEST_DIR/records"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records" | sort)" $'a\nb'
}

@test "a file, a link, a directory in its place: left alone, told once, delivered when it is gone" {
	local kind

	echo precious >"$TEST_DIR/other"
	for kind in file link directory; do
		rm -f "$TEST_DIR/go"
		begin
		rm "$FIFO"
		case $kind in
		file) cp "$TEST_DIR/other" "$TEST_DIR/new" && mv "$TEST_DIR/new" "$FIFO" ;;
		link) ln -sfn "$TEST_DIR/other" "$FIFO" ;;
		directory) until mkdir "$FIFO"; do rm -f "$FIFO"; done ;;
		esac
		wait_until is_logged "$FIFO: is "
		touch "$TEST_DIR/go"
		await_record a
		rm -r "$FIFO"
		wait_until is_fifo "$FIFO"
		is_delivered
		assert_equal "$(cat "$TEST_DIR/other")" precious
		assert_equal "$(log | grep -cF "$FIFO: is ")" 1
		spawnd stop
		rm "$SPAWND_HOME/state/spawnd.log"
	done
}

@test "another FIFO in its place is taken" {
	begin
	mkfifo -m 600 "$TEST_DIR/mine"
	mv "$TEST_DIR/mine" "$FIFO"
	touch "$TEST_DIR/go"
	is_delivered
}

@test "another FIFO in its place, a reader in each: one record each at least, and both see the end" {
	local other

	begin
	enqueue b -- testjob wait-for "$TEST_DIR/go2"
	cat <"$FIFO" >"$TEST_DIR/old" 3>&- &
	READER=$!
	await_open "$READER" "$FIFO"
	rm "$FIFO"
	mkfifo -m 600 "$FIFO"
	cat <"$FIFO" >"$TEST_DIR/new" 3>&- &
	other=$!
	touch "$TEST_DIR/go"
	wait_until test -s "$TEST_DIR/old"
	kill "$READER"
	touch "$TEST_DIR/go2"
	await_exit "$other"
	assert_equal "$(cat "$TEST_DIR/old" "$TEST_DIR/new" | jq -r .child | sort -u)" $'a\nb'
}

@test "its directory is gone for a while" {
	begin
	mkdir "$TEST_DIR/d"
	spawnd fifo P --at "$TEST_DIR/d/mine" >/dev/null
	rm -r "$TEST_DIR/d"
	wait_until is_logged "$TEST_DIR/d/mine"
	touch "$TEST_DIR/go"
	await_record a
	mkdir "$TEST_DIR/d"
	wait_until is_fifo "$TEST_DIR/d/mine"
	is_delivered
}

@test "a record that is half read when the FIFO is removed is found whole" {
	begin
	exec 7<>"$FIFO"
	touch "$TEST_DIR/go"
	read -r -N 10 -u 7 half
	assert_equal "${half:0:7}" '{"seq":'
	rm "$FIFO"
	exec 7>&-
	wait_until is_fifo "$FIFO"
	is_delivered
}

@test "kill -9 of the server while a file is in its place" {
	begin
	rm "$FIFO"
	cp /dev/null "$TEST_DIR/new" && mv "$TEST_DIR/new" "$FIFO"
	kill -KILL "$(daemon_field server_pid)"
	touch "$TEST_DIR/go"
	await_record a
	rm -f "$FIFO"
	wait_until is_fifo "$FIFO"
	is_delivered
}

@test "a record of a parent that never existed, or whose name is none, harms nobody" {
	finish a -- true
	spawnd stop
	# The record of another parent, as somebody might put it into the store by hand.
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "
		insert into event select 1000, at_ms, kind, job, 'ghost', child, body from event where kind = 'completed';
		insert into event select 1001, at_ms, kind, job, '../../x', child, body from event where seq = 1000;
		insert into delivery values ('ghost', 1000), ('../../x', 1001);"
	read_fifo ghost "$TEST_DIR/ghost"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/ghost")" a
	assert_not_exists "$SPAWND_HOME/x"
	is_delivered
}
