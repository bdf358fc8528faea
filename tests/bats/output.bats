# max_output: the oldest output gives way, or the job is ended; the newest is there to the byte.
load common

# The room that a job's output takes on the disk.
room_of() {
	echo $(($(stat -c '%b * %B' "$(job_field "$1" .output)")))
}

# Events about its output, of the job of a child.
output_events() {
	sqlite3 -readonly "$SPAWND_HOME/state/spawnd.db" \
		"select body from events where event = 'output_limit' and child = '$1'"
}

has_output_event() {
	[[ -n $(output_events "$1") ]]
}

has_room_below() {
	(($(room_of "$1") < $2))
}

is_longer_than() {
	(($(job_field "$1" .output_bytes) > $2))
}

# A script that writes the numbers from 0 to N - 1 in pieces of 8000, with a pause after each.
counting() {
	echo "i=0; while [ \$i -lt $1 ]; do seq \$i \$((i + 7999)); i=\$((i + 8000)); sleep $2; done"
}

# Numbers only, one a line, each greater than the one before, and the last is as given. One that was passed on
# in part when the rest of it was freed is the beginning of the number that was next.
assert_counts_up_to() {
	run awk -v last=-1 '
		/^[0-9]+$/ && $1 > last { last = $1; next }
		!/^[0-9]+$/ || index((last + 1) "", $1) != 1 { print "line " NR " after " last ": " $0 }
		END { print last }' "$1"
	assert_output "$2"
}

kill_server() {
	local server

	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew "$server"
}

serves_anew() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

@test "a child that writes on takes less than twice its limit, and its newest bytes are there" {
	local most=0 now freed

	spawnd enqueue --parent P --child c --max-output 1M -- \
		sh -c "$(counting 400000 0.08)" >/dev/null
	until has_ended c; do
		now=$(room_of c)
		((most = now > most ? now : most))
	done
	assert [ "$most" -gt 500000 ]
	assert [ "$most" -lt 2097152 ]
	await_record c
	assert_record .status completed
	seq 0 399999 >"$TEST_DIR/all"
	assert_record .output_bytes "$(stat -c %s "$TEST_DIR/all")"
	tail -c 1048576 "$TEST_DIR/all" >"$TEST_DIR/expected"
	tail -c 1048576 "$(jq -r .output <<<"$RECORD")" >"$TEST_DIR/kept"
	assert cmp "$TEST_DIR/expected" "$TEST_DIR/kept"
	freed=$(jq .output_freed <<<"$RECORD")
	assert_equal "$((freed % 4096))" 0
	assert [ "$(room_of c)" -le $((1048576 + 16384)) ]
	run -0 output_events c
	assert_output --partial '"action":"trim","max_output":1048576'
	assert_equal "${#lines[@]}" 1
}

@test "logs begins with the first whole line that is left, and says what is gone" {
	finish c --max-output 64K -- seq 0 99999
	seq 0 99999 >"$TEST_DIR/all"
	run -0 --separate-stderr spawnd logs c
	assert_equal "$output" "$(tail -n "${#lines[@]}" "$TEST_DIR/all")"
	assert [ "${#output}" -gt 65000 ]
	assert_equal "$stderr" \
		"spawnd logs: $(jq .output_freed <<<"$RECORD") bytes at the beginning of the output were freed (max_output)"
	run -0 --separate-stderr spawnd logs -n 2 c
	assert_output $'99998\n99999'
	assert_equal "$stderr" ''
	run -0 --separate-stderr spawnd logs -n 50000 c
	assert_equal "$output" "$(tail -n "${#lines[@]}" "$TEST_DIR/all")"
	assert_regex "$stderr" 'bytes at the beginning'
}

@test "what no newline follows is shown in part" {
	finish c --max-output 64K -- sh -c 'seq -s , 0 99999 | tr -d "\n"'
	run -0 --separate-stderr spawnd logs c
	assert_regex "$output" ',99998,99999$'
	assert [ "${#output}" -ge 65536 ]
}

# assert_tells_loss CODE FILE: what `logs -f` exits with fits what it has told. On a loaded machine it may be late.
assert_tells_loss() {
	if grep -q 'before they could be printed' "$2"; then
		assert_equal "$1" 74
	else
		assert_equal "$1" 0
	fi
}

@test "logs -f goes on while the beginning goes" {
	spawnd enqueue --parent P --child c --max-output 64K -- \
		sh -c "$(counting 80000 0.1); while [ ! -e $TEST_DIR/go ]; do sleep 0.1; done; seq 80000 89999" >/dev/null
	"$SPAWND" logs -f c >"$TEST_DIR/out" 2>"$TEST_DIR/err" 3>&- &
	local pid=$!
	wait_until has_output_event c
	"$SPAWND" logs -f c >"$TEST_DIR/late" 2>"$TEST_DIR/late-err" 3>&- &
	local late=$!
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_tells_loss "$CODE" "$TEST_DIR/err"
	await_exit "$late"
	assert_tells_loss "$CODE" "$TEST_DIR/late-err"
	assert_counts_up_to "$TEST_DIR/out" 89999
	assert_counts_up_to "$TEST_DIR/late" 89999
}

@test "run into a reader that is too slow passes on no NUL, and says what is missing" {
	mkfifo "$TEST_DIR/pipe"
	"$SPAWND" run --parent P --child c --max-output 64K -- seq 0 299999 \
		>"$TEST_DIR/pipe" 2>"$TEST_DIR/err" 3>&- &
	local pid=$!
	exec 4<"$TEST_DIR/pipe"
	wait_until has_ended c
	cat <&4 >"$TEST_DIR/out"
	exec 4<&-
	await_exit "$pid"
	assert_equal "$CODE" 125
	assert_counts_up_to "$TEST_DIR/out" 299999
	run -0 cat "$TEST_DIR/err"
	assert_output --regexp '^spawnd run: [0-9]+ bytes of the output were freed before they could be passed on: .*max_output.*; --max-output off keeps all of it$'
	# The record was taken all the same.
	run -66 spawnd next --parent P
}

@test "logs -f into a reader that is too slow exits with 74" {
	spawnd enqueue --parent P --child c --max-output 64K -- \
		sh -c "while [ ! -e $TEST_DIR/go ]; do sleep 0.1; done; seq 0 299999" >/dev/null
	mkfifo "$TEST_DIR/pipe"
	"$SPAWND" logs -f c >"$TEST_DIR/pipe" 2>"$TEST_DIR/err" 3>&- &
	local pid=$!
	exec 4<"$TEST_DIR/pipe"
	await_open "$pid" "*/$(job_field c .job).log"
	touch "$TEST_DIR/go"
	wait_until has_ended c
	cat <&4 >"$TEST_DIR/out"
	exec 4<&-
	await_exit "$pid"
	assert_equal "$CODE" 74
	assert_counts_up_to "$TEST_DIR/out" 299999
	run -0 cat "$TEST_DIR/err"
	assert_output --regexp '^spawnd logs: [0-9]+ bytes of the output, before they could be printed, were freed'
}

@test "on_output_limit kill: the job is ended, with the reason, and was not cancelled" {
	finish c --max-output 64K --on-output-limit kill -- testjob fill 200000 stall
	assert_record .status error
	assert_record .error 'output limit: wrote more than max_output (65536 bytes)'
	run -0 output_events c
	assert_output --partial '"action":"kill","max_output":65536'
	assert_equal "${#lines[@]}" 1
}

@test "on_output_limit kill: who was too quick to be ended has failed all the same" {
	local i

	for i in {1..5}; do
		run -125 --separate-stderr spawnd run --child "c$i" --max-output 64K --on-output-limit kill -- \
			head -c 300000 /dev/zero
		assert_equal "$(grep -c 'output limit: wrote more than max_output' <<<"$stderr")" 1
	done
	run -0 spawnd run --child within --max-output 64K --on-output-limit kill -- head -c 65536 /dev/zero
}

@test "an output that the job made something else of is an error for logs, which does not wait" {
	enqueue fifo -- sh -c 'o=$SPAWND_HOME/state/output/$SPAWND_JOB.log; rm $o; mkfifo $o; exec testjob stall'
	wait_until test -p "$SPAWND_HOME/state/output/1.log"
	run -74 --separate-stderr spawnd logs fifo
	assert_regex "$stderr" '1\.log'
}

@test "max_output off, or enough: nothing is freed" {
	local name

	finish off --max-output off -- testjob fill 300000
	finish enough --max-output 1M -- testjob fill 300000
	for name in off enough; do
		await_record "$name"
		assert_record .output_freed null
		refute has_output_event "$name"
		refute has_room_below "$name" 300000
	done
}

@test "kill -9 of the server: the output is kept to its limit by the next one, and told of once" {
	spawnd enqueue --parent P --child c --max-output 64K -- testjob fill 262144 \
		wait-for "$TEST_DIR/go" fill 655360 wait-for "$TEST_DIR/end" >/dev/null
	wait_until is_longer_than c 262143
	wait_until has_room_below c 131072
	kill_server
	touch "$TEST_DIR/go"
	wait_until is_longer_than c 900000
	wait_until has_room_below c 131072
	touch "$TEST_DIR/end"
	await_record c
	assert_record .status completed
	run -0 output_events c
	assert_equal "${#lines[@]}" 1
}

# The server's one-shot watch on the file.
watches() {
	grep -qs "^inotify wd:.* ino:$(printf %x "$(stat -c %i "$(job_field "$1" .output)")") " \
		/proc/"$(daemon_field server_pid)"/fdinfo/*
}

@test "a quiet child is only watched, and its next flood is seen" {
	enqueue c --max-output 64K -- testjob output one wait-for "$TEST_DIR/go" fill 655360 stall
	wait_until watches c
	touch "$TEST_DIR/go"
	wait_until has_output_event c
	wait_until has_room_below c 131072
	wait_until watches c
}
