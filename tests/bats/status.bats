# status, list, logs: what is going on, for people and for programs.
load common

@test "status shows a job, with --json as one document" {
	enqueue c --max-idle 42s -- testjob beat 'tool=grep phase=begin' stall
	wait_until is_status c running
	run -0 spawnd status c
	assert_line --partial running
	assert_equal "$(job_field c '[.job, .run, .parent, .child, .depth] | tojson')" '[1,1,"P","c",0]'
	assert_equal "$(job_field c '.pid | type')" number
	has_beaten() {
		[[ $(job_field c .last_event.tool) == grep ]]
	}
	wait_until has_beaten
}

@test "status of a child that nobody knows is refused" {
	run -66 --separate-stderr spawnd status nobody
	[[ $stderr == *"not found: nobody: no child has had that id"* ]]
}

@test "list names the statuses that there are" {
	run -64 --separate-stderr spawnd list --status ended
	assert_equal "$stderr" "spawnd list: --status 'ended': no such status; one of these is wanted: queued, running, suspended, completed, error, timeout, cancelled, lost, skipped, paused"
}

@test "list shows what was asked for" {
	enqueue a -- true
	spawnd enqueue --parent Q --child b -- testjob exit 3
	enqueue c -- testjob stall
	await_record a
	await_record b
	wait_until is_status c running
	run -0 jq -r .child <(spawnd list --json)
	assert_output $'a\nb\nc'
	run -0 jq -r .child <(spawnd list --parent P --json)
	assert_output $'a\nc'
	run -0 jq -r .child <(spawnd list --status error --json)
	assert_output b
	run -0 spawnd list
	assert_line --partial Q
	run -64 spawnd list --status nonsense
}

@test "list of nothing is nothing" {
	run -0 spawnd list --json
	assert_output ''
}

@test "logs prints the output, or its last lines" {
	finish c -- testjob output one output two output three
	run -0 spawnd logs c
	assert_output $'one\ntwo\nthree'
	run -0 spawnd logs c -n 2
	assert_output $'two\nthree'
	run -66 spawnd logs nobody
}

@test "logs -f ends when its reader does, though the job says nothing more" {
	local reader

	enqueue c -- testjob output first pid "$TEST_DIR/pid" stall
	pid_in "$TEST_DIR/pid"
	mkfifo "$TEST_DIR/pipe"
	"$SPAWND" logs -f c >"$TEST_DIR/pipe" 3>&- &
	exec {reader}<"$TEST_DIR/pipe"
	run -0 head -n 1 <&"$reader"
	assert_output first
	exec {reader}<&-
	await_exit $!
	assert_equal "$CODE" 141
	assert is_status c running
}

@test "logs -f follows until the job has ended" {
	enqueue c -- testjob output one wait-for "$TEST_DIR/go" output two
	"$SPAWND" logs -f c >"$TEST_DIR/out" 3>&- &
	local pid=$!
	wait_until grep -qx one "$TEST_DIR/out"
	assert is_alive "$pid"
	touch "$TEST_DIR/go"
	await_exit "$pid"
	assert_equal "$CODE" 0
	assert_equal "$(cat "$TEST_DIR/out")" $'one\ntwo'
}

@test "logs of a new run are that run's" {
	finish c -- testjob output old
	finish c -- testjob output new
	run -0 spawnd logs c
	assert_output new
}

@test "the store may be queried by its documented views" {
	finish c -- testjob exit 3
	run -0 sqlite3 -readonly "$SPAWND_HOME/state/spawnd.db" \
		"SELECT job, parent, child, status FROM jobs"
	assert_output '1|P|c|error'
	run -0 sqlite3 -readonly "$SPAWND_HOME/state/spawnd.db" "SELECT count(*) FROM records"
	assert_output 1
	run -0 sqlite3 -readonly "$SPAWND_HOME/state/spawnd.db" "SELECT event FROM events ORDER BY seq"
	assert_output $'queued\nstarted\ncompleted'
}

@test "the environment is gone from the store when the job has ended" {
	finish c --env MARK=4f1bd5a2c0e7 -- true
	spawnd stop
	run ! grep -rqF 4f1bd5a2c0e7 "$SPAWND_HOME/state"
}

@test "version says which it is" {
	run -0 spawnd version
	assert_output --regexp '[0-9]+\.[0-9]+\.[0-9]+'
}

@test "a full disk under standard output is reported" {
	finish c -- testjob output hello
	run -74 --separate-stderr sh -c '"$1" list >/dev/full' sh "$SPAWND"
	[[ -n $stderr ]]
}

# Where a word of the heading, or of a line, begins: its column.
column_of() {
	local before=${1%%"$2"*}

	echo "${#before}"
}

@test "list lines up columns, however long the ids are" {
	local parent=a-parent-of-some-length-that-no-column-is-made-for child=and-a-child-of-no-less-length line

	spawnd run --parent P --child c -- true
	spawnd run --parent "$parent" --child "$child" -- true
	run -0 spawnd list
	assert_equal "${#lines[@]}" 3
	for line in "${lines[@]:1}"; do
		assert_equal "$(column_of "$line" true)" "$(column_of "${lines[0]}" COMMAND)"
	done
	assert_equal "$(column_of "${lines[1]}" ' c ')" $(($(column_of "${lines[0]}" CHILD) - 1))
	assert_equal "$(column_of "${lines[2]}" "$child")" "$(column_of "${lines[0]}" CHILD)"
	# What is longer is not cut: a script may read it.
	assert_line --partial "$parent $child true"
}

@test "list --status paused has the jobs that are paused" {
	spawnd enqueue --child runs -- testjob stall
	spawnd enqueue --child stands -- testjob stall
	wait_until is_status runs running
	wait_until is_status stands running
	run -0 spawnd list --status paused
	assert_output ''
	spawnd pause stands
	run -0 spawnd list --status paused
	assert_equal "${#lines[@]}" 2
	assert_line --partial stands
	run -0 jq -r .child <(spawnd list --status paused --json)
	assert_output stands
	run -64 spawnd list --status starved
}

@test "status while both processes are killed says at once that there is no daemon" {
	local client supervisor server

	is_asking() {
		[[ -n $(find "/proc/$client/fd" -lname 'socket:*' 2>/dev/null) ]]
	}
	finish a -- true
	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	kill -STOP "$supervisor" "$server"
	"$SPAWND" status 2>"$TEST_DIR/err" 3>&- &
	client=$!
	wait_until is_asking
	kill -KILL "$supervisor" "$server"
	await_exit "$client"
	assert_equal "$CODE" 69
	run -0 cat "$TEST_DIR/err"
	assert_output --partial 'no daemon answers at'
}
