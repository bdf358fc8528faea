# The store: what is kept of the history, and what becomes of the daemon when the file is damaged,
# missing, locked, or cannot grow.
load common

DB=spawnd.db

db() {
	sqlite3 -cmd '.timeout 5000' "$SPAWND_HOME/state/$DB" "$@"
}

log() {
	cat "$SPAWND_HOME/state/spawnd.log"
}

trouble_is() {
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $(daemon_field trouble 2>/dev/null) == $1 ]]
}

serves_anew() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

# Until another server answers, with a store or without.
kill_server() {
	local server

	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew "$server"
}

stop_daemon() {
	local pid

	pid=$(daemon_field pid)
	spawnd stop
	wait_until not is_alive "$pid"
}

set_aside_file() {
	find "$SPAWND_HOME/state" -name "$DB.set-aside-*Z"
}

# What has ended has ended an hour ago.
make_old() {
	stop_daemon
	db 'UPDATE job SET ended_ms = ended_ms - 3600000'
}

job_count_is() {
	[[ $(spawnd list --json | wc -l) == "$1" ]]
}

# end_jobs N: children of P that have ended, and whose records were taken.
end_jobs() {
	local i

	for ((i = 1; i <= $1; i++)); do
		enqueue "c$i" -- testjob output "line $i" >/dev/null
	done
	spawnd wait --parent P >/dev/null
}

is_file_count() {
	[[ $(find "$SPAWND_HOME/state/output" -type f -name "*.log" | wc -l) == "$1" ]]
}

@test "keep_jobs: those that ended first are removed, with record, events and output" {
	configure '[spawnd]' 'max_running = 1'
	end_jobs 6
	enqueue pending -- true
	await_record pending
	make_old
	configure '[spawnd]' 'keep_jobs = 2'
	enqueue live -- testjob stall
	wait_until job_count_is 3
	run -0 spawnd list --json
	assert_equal "$(jq -r .child <<<"$output" | tr '\n' ' ')" 'c6 pending live '
	wait_until is_file_count 3
	assert [ ! -e "$SPAWND_HOME/state/output/1.log" ]
	assert_equal "$(spawnd results --parent P | jq -r .child | tr '\n' ' ')" 'c6 pending '
	run -0 spawnd wait pending
}

@test "keep: what ended longer ago is removed; a reload brings it into force" {
	end_jobs 3
	make_old
	enqueue young -- true
	spawnd wait young
	configure '[spawnd]' 'keep = 30m'
	spawnd reload
	wait_until job_count_is 1
	assert_equal "$(spawnd list --json | jq -r .child)" young
	wait_until is_file_count 1
	# Numbers go on.
	enqueue next -- true
	assert_equal "$(job_field next .job)" 5
}

@test "removing leaves a daemon that is idle alone" {
	configure '[spawnd]' 'keep_jobs = 0'
	end_jobs 3
	wait_until job_count_is 0
	wait_until is_file_count 0
	assert_equal "$(db 'SELECT count(*) FROM event')" 0
}

@test "a record that waited goes when it was taken" {
	enqueue pending -- true
	await_record pending
	make_old
	configure '[spawnd]' 'keep_jobs = 0'
	enqueue other -- true
	spawnd wait other
	wait_until job_count_is 1
	run -0 spawnd wait pending
	wait_until job_count_is 0
}

@test "a file that is no store is set aside, named, and never overwritten" {
	local aside

	mkdir -p -m 700 "$SPAWND_HOME" "$SPAWND_HOME/state"
	echo "my notes" >"$SPAWND_HOME/state/$DB"
	chmod 600 "$SPAWND_HOME/state/$DB"
	finish a -- true
	aside=$(set_aside_file)
	assert_equal "$(cat "$aside")" "my notes"
	run -0 log
	assert_output --partial "$SPAWND_HOME/state/$DB: not an SQLite database; it was set aside as $aside"
	assert_equal "$(db "SELECT body ->> 'set_aside' FROM events WHERE event = 'warning'")" "$aside"
	run -0 spawnd status
	assert_output --partial "set aside as $aside"
	# As long as it is there.
	kill_server
	trouble_is "*$aside*"
	rm "$aside"
	trouble_is null
}

@test "a damaged store is set aside with its log; numbers go on" {
	local aside

	end_jobs 3
	stop_daemon
	dd if=/dev/urandom of="$SPAWND_HOME/state/$DB" bs=4096 seek=1 count=30 conv=notrunc 2>/dev/null
	enqueue a -- true
	aside=$(set_aside_file)
	assert [ -n "$aside" ]
	assert [ "$(job_field a .job)" -gt 3 ]
	run -0 spawnd status
	assert_output --partial "$aside"
}

@test "a store that was set aside while jobs run: they run on, and their parents get a record" {
	local pid aside

	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go" exit 7
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	rm -f "$SPAWND_HOME/state/$DB-wal"
	echo "garbage" >"$SPAWND_HOME/state/$DB"
	kill_server
	# Whoever asks hears of it, and not that there is none, before the supervisor has told.
	assert_equal "$(job_field a .status)" running
	assert is_alive "$pid"
	assert_equal "$(job_field a '[.job, .run, .parent] | tojson')" '[1,1,"P"]'
	# Nobody knows whether its profile let it ask.
	assert_equal "$(job_field a .approvals)" deny
	enqueue b -- true
	assert [ "$(job_field b .job)" -gt 1 ]
	touch "$TEST_DIR/go"
	run -7 spawnd wait a
	assert_equal "$(jq -r .child <<<"$output")" a
	run -0 log
	assert_output --partial 'it is taken over as a child of P'
}

@test "a job that the new store cannot know is cancelled, and the log says so" {
	local pid

	enqueue a -- env -i "$(command -v testjob)" pid "$TEST_DIR/pid" stall
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	rm -f "$SPAWND_HOME/state/$DB-wal"
	echo "garbage" >"$SPAWND_HOME/state/$DB"
	kill_server
	wait_until not is_alive "$pid"
	run -0 log
	assert_output --partial 'job 1 runs, but the store does not know it'
}

@test "damage that a running server meets: the next one checks, sets aside and serves" {
	local pid aside

	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go"
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	wait_until has_rested
	# Other pages than the first: the file still looks like one.
	dd if=/dev/urandom of="$SPAWND_HOME/state/$DB" bs=4096 seek=1 count=30 conv=notrunc 2>/dev/null
	is_set_aside() {
		spawnd enqueue --parent P -- true >/dev/null 2>&1
		[[ -n $(set_aside_file) ]]
	}
	wait_until is_set_aside
	assert is_alive "$pid"
	touch "$TEST_DIR/go"
	run -0 spawnd wait a
	run -0 log
	assert_output --partial 'the server ends, so that another checks the store'
}

@test "a store that has vanished is not begun anew: no call hangs, jobs run on, and all goes on when it is back" {
	local pid

	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go" exit 7
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	mkdir "$TEST_DIR/away"
	mv "$SPAWND_HOME/state/$DB"* "$TEST_DIR/away/"
	kill_server
	trouble_is "$SPAWND_HOME/state/$DB: has vanished; put it back*"
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"$SPAWND_HOME/state/$DB: has vanished; put it back"* ]]
	run -74 spawnd list
	run -74 spawnd cancel a
	# Who waits is told, and waits no longer than he wants to.
	run -125 --separate-stderr spawnd wait a --timeout 0.3s
	[[ $stderr == *"has vanished; put it back"*"waiting until it can"* ]]
	run -75 --separate-stderr spawnd next --parent P --timeout 0.3s
	[[ $stderr == *"waiting until it can"* ]]
	assert is_alive "$pid"
	assert [ ! -e "$SPAWND_HOME/state/$DB" ]
	touch "$TEST_DIR/go"
	wait_until not is_alive "$pid"
	mv "$TEST_DIR/away/"* "$SPAWND_HOME/state/"
	wait_until trouble_is null
	run -7 spawnd wait a
	assert_equal "$(log | grep -c 'has vanished')" 1
}

@test "a store that is removed under a running server takes nothing any more, and status says so" {
	mkdir "$TEST_DIR/away"
	finish a -- true
	mv "$SPAWND_HOME/state/$DB"* "$TEST_DIR/away/"
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"$SPAWND_HOME/state/$DB: has been moved or removed; put it back"* ]]
	trouble_is '*has been moved or removed*'
	mv "$TEST_DIR/away/"* "$SPAWND_HOME/state/"
	wait_until trouble_is null
	finish b -- true
}

@test "a store that has vanished is not begun anew by the next supervisor either" {
	local supervisor

	finish a -- true
	supervisor=$(daemon_field pid)
	mkdir "$TEST_DIR/away"
	mv "$SPAWND_HOME/state/$DB"* "$TEST_DIR/away/"
	kill_server
	kill -KILL "$supervisor"
	has_another() {
		local now

		now=$(daemon_field pid 2>/dev/null)
		[[ -n $now && $now != "$supervisor" && $now != 0 ]]
	}
	wait_until has_another
	trouble_is '*has vanished*'
	assert [ ! -e "$SPAWND_HOME/state/$DB" ]
	mv "$TEST_DIR/away/"* "$SPAWND_HOME/state/"
	wait_until trouble_is null
	run -0 spawnd wait a
}

@test "a daemon without its store ends on SIGTERM when there is nothing to store" {
	local pid

	finish a -- true
	pid=$(daemon_field pid)
	mkdir "$TEST_DIR/away"
	mv "$SPAWND_HOME/state/$DB"* "$TEST_DIR/away/"
	kill_server
	trouble_is '*has vanished*'
	kill -TERM "$pid"
	wait_until not is_alive "$pid"
}

@test "a store of a newer version that comes while the daemon runs is refused, and waited for" {
	local version

	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	version=$(db 'PRAGMA user_version')
	db 'PRAGMA user_version = 99'
	kill_server
	trouble_is '*written by a newer spawnd (schema 99*'
	run -74 spawnd enqueue --parent P --child b -- true
	db "PRAGMA user_version = $version"
	wait_until trouble_is null
	touch "$TEST_DIR/go"
	run -0 spawnd wait a
}

@test "a store of a newer version is refused when the daemon starts, and left alone" {
	local before

	end_jobs 1
	stop_daemon
	db 'PRAGMA user_version = 99'
	before=$(cksum <"$SPAWND_HOME/state/$DB")
	run --separate-stderr spawnd daemon
	assert_not_equal "$status" 0
	[[ $stderr == *"$SPAWND_HOME/state/$DB: written by a newer spawnd (schema 99"*"run the newer one"* ]]
	assert_equal "$(cksum <"$SPAWND_HOME/state/$DB")" "$before"
	assert [ -z "$(set_aside_file)" ]
}

# hold_lock: by sqlite3(1), as a process $HOLDER that ends when $TEST_DIR/unlock is written to.
hold_lock() {
	mkfifo "$TEST_DIR/unlock"
	{
		echo 'BEGIN EXCLUSIVE;'
		echo 'SELECT 1;'
		cat "$TEST_DIR/unlock"
	} | sqlite3 -cmd '.timeout 5000' "$SPAWND_HOME/state/$DB" >"$TEST_DIR/locked" 3>&- &
	HOLDER=$!
	wait_until test -s "$TEST_DIR/locked"
}

@test "a store that somebody has locked: refusals say so, once in the log, and all goes on" {
	local pid

	enqueue a --max-idle 3s -- testjob pid "$TEST_DIR/pid" stall
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	hold_lock
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"$SPAWND_HOME/state/$DB: database is locked; end the other program"* ]]
	wait_until trouble_is '*database is locked*'
	# The limit is kept, and what is asked of the store is answered.
	wait_until not is_alive "$pid"
	run -74 spawnd enqueue --parent P --child b -- true
	run -74 spawnd enqueue --parent P --child b -- true
	assert_equal "$(log | grep -c 'database is locked')" 1
	echo 'ROLLBACK;' >"$TEST_DIR/unlock"
	await_exit "$HOLDER"
	wait_until trouble_is null
	await_record a
	assert_record .status timeout
	finish b -- true
	assert_equal "$(log | grep -c 'the store works again')" 1
}

@test "stop --now waits for a store that is there and cannot be written to" {
	local stop

	enqueue a -- sleep 600
	wait_until is_status a running
	hold_lock
	spawnd stop --now 2>"$TEST_DIR/err" 3>&- &
	stop=$!
	wait_until grep -q 'database is locked; end the other program.*; waiting: the daemon ends when' "$TEST_DIR/err"
	assert is_alive "$stop"
	echo 'ROLLBACK;' >"$TEST_DIR/unlock"
	await_exit "$HOLDER"
	await_exit "$stop"
	assert_equal "$CODE" 0
	await_record a
	assert_record .status cancelled
}

@test "a file that cannot grow: refusals, watching on, and the record when there is room again" {
	local server

	enqueue a --max-idle 3s -- testjob stall
	wait_until is_status a running
	server=$(daemon_field server_pid)
	prlimit --pid "$server" --fsize=4096:
	run -74 --separate-stderr spawnd enqueue --parent P --child b -- true
	[[ $stderr == *"$SPAWND_HOME/state/$DB: "*"make room on its file system"* ]]
	trouble_is '*make room*'
	assert_equal "$(daemon_field server_pid)" "$server"
	prlimit --pid "$server" --fsize=unlimited:
	await_record a
	assert_record .status timeout
	wait_until trouble_is null
	finish b -- true
}

@test "a running job can be cancelled while nothing can be stored" {
	local server pid

	enqueue a -- testjob pid "$TEST_DIR/pid" stall
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	server=$(daemon_field server_pid)
	prlimit --pid "$server" --fsize=4096:
	run -74 spawnd enqueue --parent P --child b -- true
	spawnd cancel a
	wait_until not is_alive "$pid"
	prlimit --pid "$server" --fsize=unlimited:
	await_record a
	assert_record .status cancelled
}

@test "a server that is killed again and again: status says so, and nothing else changes" {
	local i

	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	for i in 1 2 3; do
		kill_server
	done
	trouble_is '*died young * times in a row, the last was killed by signal 9*'
	run -0 log
	refute_output --partial 'is checked, because'
	touch "$TEST_DIR/go"
	run -0 spawnd wait a
}

@test "servers that die before they serve: the store is checked, status says why, jobs stay under their limits" {
	local supervisor pid has

	enqueue a --max-idle 15s -- testjob pid "$TEST_DIR/pid" stall
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	supervisor=$(daemon_field pid)
	# Enough descriptors for the wire and a process, and too few for what is to become a server.
	has=$(find "/proc/$supervisor/fd" -type l | wc -l)
	prlimit --pid "$supervisor" --nofile=$((has + 1)):
	kill -KILL "$(daemon_field server_pid)"
	have_died() {
		(($(log | grep -c 'starting another in') >= 6))
	}
	wait_until have_died
	assert is_alive "$pid"
	prlimit --pid "$supervisor" --nofile="$(prlimit --pid "$supervisor" --nofile --noheadings --output HARD | tr -d ' '):"
	wait_until trouble_is '*not opened yet: * servers have died young in a row, the last *; see the log'
	run -74 spawnd enqueue --parent P --child b -- true
	wait_until trouble_is '*died young*see the log'
	await_record a
	assert_record .status timeout
	run -0 log
	assert_output --partial "is checked, because the server"
}

@test "what an earlier server has left in the store's log is moved into the store, though nothing is done" {
	finish a -- true
	spawnd stop
	printf '%s\n' 'UPDATE event SET at_ms = at_ms + 1;'{,,,,} | sqlite3 -cmd '.dbconfig no_ckpt_on_close on' \
		"$SPAWND_HOME/state/$DB"
	assert [ "$(stat -c %s "$SPAWND_HOME/state/$DB-wal")" -gt 8192 ]
	spawnd list >/dev/null
	wait_until has_rested
}
