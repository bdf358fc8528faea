# The supervisor dies: its children run on, and another supervisor takes them over where they stood.
load common
load crash

# kill_supervisor [server]: ends it, and the server with it; returns when another answers.
kill_supervisor() {
	local supervisor server

	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	if [[ ${1-} == server ]]; then
		kill_daemon
		spawnd fifo P >/dev/null
	else
		kill -KILL "$supervisor"
		wait_until not is_alive "$supervisor"
	fi
	wait_until has_other_supervisor "$supervisor"
}

# The number of a running job's first process, as the store has it.
job_leader() {
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "SELECT pid FROM job WHERE child = '$1'"
}

has_other_supervisor() {
	local now

	now=$(daemon_field pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

# Each of the tests below: the supervisor dies alone, or with its server.
both_ways() {
	local way

	for way in alone server; do
		echo "way: $way"
		DIR=$(mktemp -d "$TEST_DIR/$way.XXXX")
		"$@" "$way" || return
	done
}

exit_code_and_output() {
	enqueue "a$1" -- testjob pid "$DIR/pid" output one wait-for "$DIR/go" output two exit 7
	pid_in "$DIR/pid" >/dev/null
	wait_until is_status "a$1" running
	kill_supervisor "$1"
	assert is_alive "$(cat "$DIR/pid")"
	assert_equal "$(job_field "a$1" .status)" running
	touch "$DIR/go"
	await_record "a$1"
	# Who reaps here, and how soon, is not ours to know: where the kernel cannot tell it is lost, never a guess.
	if [[ $(jq -r .status <<<"$RECORD") == lost ]]; then
		assert_record '[.exit_code, .signal] | tojson' '[null,null]'
	else
		assert_record '[.status, .exit_code] | tojson' '["error",7]'
	fi
	assert_equal "$(spawnd logs "a$1")" $'one\ntwo'
}

@test "a job runs on, and its exit code is what it was, or unknown" {
	both_ways exit_code_and_output
}

@test "a job whose start was not stored yet is known by the lock of its pipe" {
	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go"
	pid_in "$TEST_DIR/pid" >/dev/null
	wait_until is_status a running
	kill_daemon
	# As where both die within milliseconds of the start.
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "UPDATE job SET status = 'starting', pid = NULL, start_time = NULL,
		started_ms = NULL, started_ns = NULL, sign_ns = NULL, revision = NULL, containment = NULL"
	wait_until is_status a running
	assert_equal "$(job_leader a)" "$(cat "$TEST_DIR/pid")"
	touch "$TEST_DIR/go"
	await_record a
	# Who reaps here is not ours to know.
	assert_record_like .status 'completed|lost'
	assert_record '.started_at != null' true
}

kept_idle_limit() {
	enqueue "a$1" --max-idle 3s -- testjob pid "$DIR/pid" beat once stall
	pid_in "$DIR/pid" >/dev/null
	wait_until is_status "a$1" running
	kill_supervisor "$1"
	await_record "a$1"
	assert_record .status timeout
	assert_record_like .error '^idle timeout: no activity for 3'
	assert not is_alive "$(cat "$DIR/pid")"
}

@test "an idle limit goes on from the last sign of life" {
	both_ways kept_idle_limit
}

kept_total_limit() {
	local elapsed

	enqueue "a$1" --max-total 4s -- testjob stall
	wait_until is_status "a$1" running
	kill_supervisor "$1"
	await_record "a$1"
	assert_record .status timeout
	assert_record_like .error '^total timeout: ran for 4'
	elapsed=$(jq .elapsed_ms <<<"$RECORD")
	((elapsed >= 4000))
}

@test "a total limit counts from the exec, not from the adoption" {
	both_ways kept_total_limit
}

# A beat from outside; whether one was heard.
is_heard() {
	echo 'tool=after' >"$SPAWND_HOME/run/beats/$(job_field "$1" .job)"
	[[ $(job_field "$1" .last_event.tool) == after ]]
}

heard_by_path() {
	enqueue "a$1" --max-idle 4s -- testjob pid "$DIR/pid" stall
	wait_until is_status "a$1" running
	kill_supervisor "$1"
	wait_until is_heard "a$1"
	spawnd cancel "a$1"
	await_record "a$1"
	assert_record '[.status, .last_event.tool] | tojson' '["cancelled","after"]'
}

@test "beats go on, by the same pipe" {
	both_ways heard_by_path
}

is_pipe_mended() {
	[[ -L $SPAWND_HOME/run/beats/$(job_field "$1" .job) ]]
}

is_older() {
	(($(job_field "$1" .elapsed_ms) > $2))
}

# The paths of the pipes are links to descriptors of the supervisor that dies.
heard_without_path() {
	enqueue "a$1" --max-idle 4s --activity heartbeat -- sh -c \
		'until [ -e "$1" ]; do echo tick >&3; sleep 0.1; done' sh "$DIR/go"
	enqueue "b$1" --max-idle 4s --activity heartbeat -- sh -c \
		'exec 3>&-; until [ -e "$1" ]; do echo tick >"$SPAWND_HEARTBEAT"; sleep 0.1; done 2>/dev/null' sh "$DIR/go"
	enqueue "c$1" -- testjob stall
	wait_until is_status "a$1" running
	wait_until is_status "b$1" running
	wait_until is_status "c$1" running
	wait_until rm -rf "$SPAWND_HOME/run"
	wait_until is_pipe_mended "a$1"
	wait_until is_pipe_mended "b$1"
	wait_until is_pipe_mended "c$1"
	kill_supervisor "$1"
	# By the path as well, which is mended once more.
	wait_until is_heard "c$1"
	spawnd cancel "c$1"
	await_record "c$1"
	assert_record .status cancelled
	# More than the limit: without signs of life both would have been ended.
	wait_until is_older "a$1" 9000
	touch "$DIR/go"
	await_record "a$1"
	assert_record_like .status 'completed|lost'
	await_record "b$1"
	assert_record_like .status 'completed|lost'
}

@test "beats go on after the runtime directory was removed, and such a job can be cancelled" {
	both_ways heard_without_path
	run -0 ls -A "$SPAWND_HOME/run/beats"
	assert_output ''
}

not_watched_at_first() {
	local output

	enqueue "a$1" -- testjob pid "$DIR/pid" stall
	wait_until is_status "a$1" running
	output=$SPAWND_HOME/state/output/$(job_field "a$1" .job).log
	rm "$output"
	mkdir "$output"
	kill_supervisor "$1"
	wait_until grep -q "(a$1) cannot be watched yet: " "$SPAWND_HOME/state/spawnd.log"
	# Others are not kept from running.
	finish "b$1" -- true
	rmdir "$output"
	spawnd cancel "a$1"
	await_record "a$1"
	assert_record .status cancelled
	assert not is_alive "$(cat "$DIR/pid")"
}

@test "a job that cannot be watched is tried again until it can" {
	both_ways not_watched_at_first
}

kept_grace() {
	enqueue "a$1" --max-total 1s --kill-grace 6s -- sh -c '
		trap "echo TERM >>$1" TERM
		while :; do sleep 0.1; done' sh "$DIR/terms"
	wait_until test -s "$DIR/terms"
	kill_supervisor "$1"
	await_record "a$1"
	assert_record .status timeout
	assert_record_like .error '^total timeout: ran for 1'
	# One TERM: who is being ended is not asked a second time.
	assert_equal "$(wc -l <"$DIR/terms")" 1
}

@test "a grace period goes on" {
	both_ways kept_grace
}

still_paused() {
	enqueue "a$1" --max-idle 3s -- testjob pid "$DIR/pid" stall
	pid_in "$DIR/pid" >/dev/null
	wait_until is_status "a$1" running
	spawnd pause "a$1"
	kill_supervisor "$1"
	assert_equal "$(job_field "a$1" .paused)" true
	# Both clocks stand still: its limit does not pass while another's does.
	finish "b$1" --max-idle 4s -- testjob stall
	assert_equal "$(job_field "a$1" .status)" running
	spawnd unpause "a$1"
	await_record "a$1"
	assert_record .status timeout
}

@test "what was paused stays paused, and its clocks stand still" {
	both_ways still_paused
}

whole_tree() {
	enqueue "a$1" -- sh -c 'setsid testjob pid "$1" stall & testjob pid "$2" wait-for "$3"' sh \
		"$DIR/away" "$DIR/near" "$DIR/go"
	pid_in "$DIR/away" >/dev/null
	pid_in "$DIR/near" >/dev/null
	wait_until is_status "a$1" running
	kill_supervisor "$1"
	touch "$DIR/go"
	await_record "a$1"
	assert not is_alive "$(cat "$DIR/away")"
	assert not is_alive "$(cat "$DIR/near")"
}

@test "what a job has started ends with it, in its group and outside of it" {
	both_ways whole_tree
}

@test "the same by the mark alone" {
	configure '[spawnd]' 'containment = subreaper'
	both_ways whole_tree
}

@test "the same as on an old kernel" {
	export SPAWND_TEST_WITHOUT='group-pidfd clone3 exit-info'
	both_ways whole_tree
	both_ways kept_idle_limit
}

cancelled() {
	enqueue "a$1" --kill-grace 60s -- testjob pid "$DIR/pid" ignore TERM touch "$DIR/deaf" stall
	wait_until test -e "$DIR/deaf"
	spawnd cancel "a$1"
	kill_supervisor "$1"
	assert_equal "$(job_field "a$1" .status)" running
	kill -KILL "$(cat "$DIR/pid")"
	await_record "a$1"
	assert_record .status cancelled
}

@test "who was cancelled stays cancelled" {
	both_ways cancelled
}

@test "a FIFO's reader sees no end of the file when the supervisor dies" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	read_fifo P "$TEST_DIR/records"
	await_open "$READER" "$SPAWND_HOME/run/parents/P"
	kill_supervisor
	enqueue b -- true
	wait_until grep -q '"child":"b"' "$TEST_DIR/records"
	touch "$TEST_DIR/go"
	await_exit "$READER"
	assert_equal "$(jq -r .child "$TEST_DIR/records" | tr '\n' ' ')" 'b a '
}

@test "notices are heard by the new supervisor" {
	enqueue a -- sh -c '
		testjob wait-for "$1" && notifier -b "STATUS=still here" && testjob wait-for "$2"' sh "$TEST_DIR/go" "$TEST_DIR/end"
	wait_until is_status a running
	kill_supervisor
	touch "$TEST_DIR/go"
	has_said() {
		[[ $(job_field a .last_event.message) == 'still here' ]]
	}
	wait_until has_said
	touch "$TEST_DIR/end"
	await_record a
}

@test "after many deaths there is one daemon, and nothing was run twice" {
	local i

	configure '[spawnd]' 'max_running = 3'
	for i in {1..20}; do
		enqueue "c$i" -- testjob append "$TEST_DIR/ran" "$i"
		((i % 7)) || kill_supervisor
	done >/dev/null
	wait_until has_records P 20
	assert_equal "$(sort -n "$TEST_DIR/ran" | uniq -d)" ''
	assert_equal "$(spawnd results --parent P | jq -r .job | sort -n | tr '\n' ' ')" "$(seq -s ' ' 20) "
	run -75 spawnd daemon
}

@test "under a service manager the server ends, and the next daemon adopts" {
	local daemon

	"$SPAWND" daemon --ready-fd 4 4>"$TEST_DIR/ready" 3>&- 2>>"$TEST_DIR/log" &
	daemon=$!
	wait_until test -s "$TEST_DIR/ready"
	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go" exit 3
	pid_in "$TEST_DIR/pid" >/dev/null
	wait_until is_status a running
	kill -KILL "$daemon"
	wait "$daemon" || :
	"$SPAWND" daemon --ready-fd 4 4>"$TEST_DIR/ready2" 3>&- 2>>"$TEST_DIR/log" &
	wait_until test -s "$TEST_DIR/ready2"
	assert is_alive "$(cat "$TEST_DIR/pid")"
	touch "$TEST_DIR/go"
	await_record a
	grep -q 'job 1 (a) is adopted' "$TEST_DIR/log"
}

@test "what ran when the machine was restarted is lost" {
	enqueue a -- testjob pid "$TEST_DIR/pid" stall
	pid_in "$TEST_DIR/pid" >/dev/null
	wait_until is_status a running
	kill_daemon
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "UPDATE job SET boot_id = 'another'"
	kill -KILL "$(cat "$TEST_DIR/pid")"
	await_record a
	assert_record '[.status, .exit_code] | tojson' '["lost",null]'
	assert_record_like .error 'the machine was restarted'
}

@test "what a job has left behind is ended, though nobody saw its own end" {
	enqueue a -- sh -c 'setsid testjob pid "$1" stall & testjob pid "$2" stall' sh \
		"$TEST_DIR/away" "$TEST_DIR/near"
	pid_in "$TEST_DIR/away" >/dev/null
	pid_in "$TEST_DIR/near" >/dev/null
	wait_until is_status a running
	kill_daemon
	kill -KILL "$(job_leader a)" "$(cat "$TEST_DIR/near")"
	await_record a
	# As long as nobody has reaped it, the kernel tells how it ended.
	[[ $(jq -r .status <<<"$RECORD") == lost ]] || assert_record .signal KILL
	assert not is_alive "$(cat "$TEST_DIR/away")"
}

# A copy of the program that may be replaced, under which the daemon runs from here on.
own_program() {
	install -m 755 "$SPAWND" "$TEST_DIR/spawnd"
	SPAWND=$TEST_DIR/spawnd
}

# replace_program FILE: as a package manager does it.
replace_program() {
	install -m 755 "$1" "$TEST_DIR/spawnd.new"
	mv "$TEST_DIR/spawnd.new" "$TEST_DIR/spawnd"
}

# The file that process PID executes is the one that stands at PATH now.
executes() {
	[[ "/proc/$1/exe" -ef $2 ]]
}

@test "reload --exec: the daemon goes over to a new program, and no job ends" {
	local pid program=$SPAWND

	own_program
	enqueue a -- testjob pid "$TEST_DIR/a" wait-for "$TEST_DIR/go" exit 7
	enqueue b --max-total 60s -- sh -c 'testjob stop; exit 4'
	pid_in "$TEST_DIR/a" >/dev/null
	wait_until is_status b running
	pid=$(daemon_field pid)
	replace_program "$program"
	refute executes "$pid" "$TEST_DIR/spawnd"
	spawnd reload --exec
	assert_equal "$(daemon_field pid)" "$pid"
	assert executes "$pid" "$TEST_DIR/spawnd"
	assert executes "$(daemon_field server_pid)" "$TEST_DIR/spawnd"
	assert is_alive "$(cat "$TEST_DIR/a")"
	finish c -- testjob exit 3
	assert_record .exit_code 3
	touch "$TEST_DIR/go"
	await_record a
	assert_record '[.status, .exit_code] | tojson' '["error",7]'
	kill -KILL "$(job_leader b)"
	await_record b
	assert_record '[.status, .signal] | tojson' '["error","KILL"]'
}

@test "reload --exec while jobs come and go: each has one record, with its exit code" {
	local i program=$SPAWND

	own_program
	configure '[spawnd]' 'max_running = 4'
	for i in {1..60}; do
		enqueue "c$i" -- testjob append "$TEST_DIR/ran" "$i" exit 5 >/dev/null
		if ((i % 20 == 0)); then
			replace_program "$program"
			spawnd reload --exec
		fi
	done
	wait_until has_records P 60
	assert_equal "$(sort -n "$TEST_DIR/ran" | tr '\n' ' ')" "$(seq -s ' ' 60) "
	assert_equal "$(spawnd results --parent P | jq -r '"\(.status) \(.exit_code)"' | sort | uniq -c | tr -s ' ')" \
		' 60 error 5'
}

@test "reload --exec: a program that does not run is refused, and nothing changes" {
	local server

	own_program
	spawnd fifo P
	server=$(daemon_field server_pid)
	printf 'no program' >"$TEST_DIR/rubbish"
	cp "$SPAWND" "$TEST_DIR/client"
	replace_program "$TEST_DIR/rubbish"
	SPAWND=$TEST_DIR/client
	run -69 --separate-stderr spawnd reload --exec
	[[ $stderr == *"$TEST_DIR/spawnd"*'stays as it is'* ]]
	assert_equal "$(daemon_field server_pid)" "$server"
}

@test "reload --exec while limits pass: who was ended by the watchdog has timed out" {
	local i k

	own_program
	configure '[spawnd]' 'max_running = 20'
	for i in 1 2; do
		for k in {1..8}; do
			enqueue "c$i-$k" --max-total "1.${k}s" -- testjob stall >/dev/null
		done
		wait_until is_status "c$i-8" running
		until [[ $(spawnd list --parent P --status running) != *c$i-* ]]; do
			spawnd reload --exec
		done
	done
	wait_until has_records P 16
	assert_equal "$(spawnd results --parent P | jq -r .status | sort | uniq -c | tr -s ' ')" ' 16 timeout'
}

# The store knows that it was to be started, and no more: what it left behind must not be taken for it.
@test "what a job has left behind is not taken for its first process, though both have its mark" {
	local supervisor server

	spawnd fifo P >/dev/null
	supervisor=$(daemon_field pid)
	server=$(daemon_field server_pid)
	"$SPAWND" enqueue --parent P --child a --leftovers wait -- sh -c '
		kill -STOP "$2"
		setsid testjob pid "$3" wait-for "$4" exit 0 &
		testjob wait-for "$3"
		kill -KILL "$1"
		exit 5' sh "$supervisor" "$server" "$TEST_DIR/left" "$TEST_DIR/go" >/dev/null 2>&1 3>&- &
	wait_until not is_alive "$supervisor"
	pid_in "$TEST_DIR/left" >/dev/null
	kill -KILL "$server"
	wait_until not is_alive "$server"
	spawnd fifo P >/dev/null
	touch "$TEST_DIR/go"
	await_record a
	[[ $(jq -r .status <<<"$RECORD") == lost ]] || assert_record '[.status, .exit_code] | tojson' '["error",5]'
	assert not is_alive "$(cat "$TEST_DIR/left")"
}

# Its daemon, and all that this leaves behind, are in the care of somebody who reaps nobody.
start_unreaped() {
	escape orphans sh -c '"$1" fifo P && testjob wait-for "$2"' sh "$SPAWND" "$TEST_DIR/over" >/dev/null 3>&- &
	UNREAPED=$!
	wait_until test -S "$SPAWND_HOME/run/socket"
}

# None of the grace periods passes while the test is patient.
@test "a job has ended when nobody of it lives, though nobody reaps those who died" {
	configure '[watchdog]' 'kill_grace = 600s'
	start_unreaped
	enqueue a -- testjob pid "$TEST_DIR/a" wait-for "$TEST_DIR/go" exit 4
	enqueue b --max-total 4s -- testjob pid "$TEST_DIR/b" stall
	enqueue c --leftovers wait -- sh -c \
		'testjob pid "$1" wait-for "$2" & testjob wait-for "$1"; exit 5' sh "$TEST_DIR/c" "$TEST_DIR/end"
	pid_in "$TEST_DIR/a" >/dev/null
	pid_in "$TEST_DIR/b" >/dev/null
	pid_in "$TEST_DIR/c" >/dev/null
	wait_until not is_alive "$(job_leader c)"
	kill_supervisor
	touch "$TEST_DIR/go"
	# Where the status of a zombie may not be looked at, that is not known, and said so.
	await_record a
	assert_record_like '[.status, .exit_code] | tojson' '^\["error",4\]$|^\["lost",null\]$'
	await_record b
	assert_record_like '[.status, .signal] | tojson' '^\["timeout",("TERM"|null)\]$'
	# They are still there, and were not waited for; who lives is.
	assert_exists "/proc/$(cat "$TEST_DIR/a")"
	assert_equal "$(job_field c .status)" running
	touch "$TEST_DIR/end"
	await_record c
	assert_record_like '[.status, .exit_code] | tojson' '^\["error",5\]$|^\["lost",null\]$'
	assert_exists "/proc/$(cat "$TEST_DIR/c")"
	touch "$TEST_DIR/over"
	await_exit "$UNREAPED"
}
