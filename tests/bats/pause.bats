# pause and unpause: a job stands still with everything below it, and so do its clocks.
load common

# Whether the process is stopped (SIGSTOP).
is_stopped() {
	grep -q '^State:[[:space:]]*T' "/proc/$1/status"
}

is_paused() {
	[[ $(job_field "$1" '[.status, .paused] | tojson') == '["running",true]' ]]
}

size_of() {
	stat -c %s "$1"
}

has_grown() {
	(($(size_of "$1") > $2))
}

is_idle_for() {
	(($(job_field "$1" .idle_ms) >= $2))
}

# begin CHILD [OPTION...] -- WORD...: and it runs.
begin() {
	enqueue "$@" >/dev/null && wait_until is_status "$1" running
}

# Time passes, by a clock of spawnd: this long without a sign of life, until another job is ended.
let_pass() {
	spawnd enqueue --parent witness --child witness --max-idle "$1" -- testjob stall >/dev/null
	await_record witness
	assert_record .status timeout
}

# tree CHILD: a job of three processes, one of which has left its group. Each adds to a file: $TEST_DIR/a, b, c.
tree() {
	enqueue "$1" -- sh -c 'cd "$1" || exit
		testjob pid a.pid outputs 5 1000000 >a &
		testjob setsid pid b.pid outputs 5 1000000 >b &
		exec testjob pid c.pid outputs 5 1000000 >c' sh "$TEST_DIR" >/dev/null
	for FILE in a b c; do
		pid_in "$TEST_DIR/$FILE.pid" >/dev/null
		wait_until has_grown "$TEST_DIR/$FILE" 0
	done
}

@test "pause stops the whole tree, unpause lets it go on" {
	local file before after

	tree c
	run -0 spawnd pause c
	assert_output 1
	for file in a b c; do
		wait_until is_stopped "$(cat "$TEST_DIR/$file.pid")"
	done
	before=$(size_of "$TEST_DIR/a"),$(size_of "$TEST_DIR/b"),$(size_of "$TEST_DIR/c")
	let_pass 0.5s
	after=$(size_of "$TEST_DIR/a"),$(size_of "$TEST_DIR/b"),$(size_of "$TEST_DIR/c")
	assert_equal "$after" "$before"
	run -0 spawnd unpause c
	assert_output 1
	for file in a b c; do
		wait_until has_grown "$TEST_DIR/$file" "$(size_of "$TEST_DIR/$file")"
	done
	assert_equal "$(job_field c '[.status, .paused] | tojson')" '["running",false]'
}

@test "pause and unpause in quick succession leave nobody stopped" {
	local i file

	tree c
	for i in {1..5}; do
		spawnd pause c
		spawnd unpause c
	done
	for file in a b c; do
		wait_until has_grown "$TEST_DIR/$file" "$(size_of "$TEST_DIR/$file")"
	done
	let_pass 0.3s
	for file in a b c; do
		wait_until has_grown "$TEST_DIR/$file" "$(size_of "$TEST_DIR/$file")"
	done
}

@test "neither limit passes while a job is paused" {
	local idle_ms

	begin idle --max-idle 8s -- testjob stall
	begin total --max-total 8s -- testjob stall
	wait_until is_idle_for idle 300
	spawnd pause idle total
	idle_ms=$(job_field idle .idle_ms)
	let_pass 9s
	is_paused idle
	is_paused total
	assert_equal "$(job_field idle .idle_ms)" "$idle_ms"

	# They go on from where they stood.
	spawnd unpause idle total
	is_idle_for idle "$idle_ms"
	for FILE in idle total; do
		await_record "$FILE"
		assert_record '[.status, .elapsed_ms >= 8000] | tojson' '["timeout",true]'
		# The pause is not part of it: it was longer than 9 s.
		assert_record 'def ms: (.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber);
			(.completed_at | ms) - (.started_at | ms) - .elapsed_ms >= 8900' true
	done
}

# Whether so many clients have connected, or wait to be let in.
has_clients() {
	(($(grep -c " $SPAWND_HOME/run/socket\$" /proc/net/unix) > $1))
}

@test "the reply comes when it is done, whoever asks about the job meanwhile" {
	local i server pids question='{"method":"org.spawnd.Status","parameters":{"child":"c"}}'

	begin c -- testjob stall
	server=$(daemon_field server_pid)
	# The server finds all of this at once: the answer to the first question comes before it has seen that
	# somebody wants to pause the job.
	kill -STOP "$server"
	for i in {1..20}; do
		rawclient "$SPAWND_HOME/run/socket" send "$question" nul reply >/dev/null 3>&- &
		pids+=($!)
	done
	wait_until has_clients 20
	"$SPAWND" pause c >"$TEST_DIR/out" 3>&- &
	pids+=($!)
	wait_until has_clients 21
	kill -CONT "$server"
	for i in "${pids[@]}"; do
		await_exit "$i"
		assert_equal "$CODE" 0
	done
	assert_equal "$(cat "$TEST_DIR/out")" 1
	is_paused c
	assert_equal "$(spawnd unpause c)" 1
	not is_paused c
}

@test "a paused job is shown as one" {
	begin c -- testjob stall
	begin d -- testjob stall
	spawnd pause c
	run -0 spawnd status c
	assert_line --regexp '^status +running \(paused\)$'
	run -0 spawnd list
	assert_line --regexp '^ +[0-9]+ running +paused +P +c '
	run -0 jq -c '[.child, .status, .paused]' <(spawnd list --json)
	assert_output $'["c","running",true]\n["d","running",false]'
	run -0 jq -r .child <(spawnd list --status running --json)
	assert_output $'c\nd'
	run -0 spawnd status d
	assert_line --regexp '^status +running$'
	spawnd unpause c
	run -0 spawnd status c
	assert_line --regexp '^status +running$'
	run -0 jq -c .paused <(spawnd list --json)
	assert_output $'false\nfalse'
}

@test "a paused job is known by its number too, and to programs" {
	local job

	job=$(enqueue c -- testjob stall)
	wait_until is_status c running
	run -0 spawnd pause "$job"
	is_paused c
	run -0 rawclient "$SPAWND_HOME/run/socket" \
		send "{\"method\":\"org.spawnd.Unpause\",\"parameters\":{\"jobs\":[$job]}}" nul reply
	assert_equal "$(jq -c .parameters <<<"$output")" '{"unpaused":1}'
	not is_paused c
}

@test "--parent means all of its children that run" {
	configure '[spawnd]' 'max_running = 3'
	begin a -- testjob stall
	begin b -- testjob stall
	spawnd enqueue --parent Q --child q -- testjob stall
	wait_until is_status q running
	enqueue queued -- testjob stall
	run -0 spawnd pause --parent P
	assert_output 2
	is_paused a
	is_paused b
	not is_paused q
	# They keep their room.
	assert_equal "$(job_field queued '[.status, .paused] | tojson')" '["queued",false]'
	run -0 spawnd unpause --parent P
	assert_output 2
	not is_paused a
}

@test "what is paused already stays so, and what goes on goes on: no error" {
	begin c -- testjob pid "$TEST_DIR/pid" stall
	run -0 spawnd unpause c
	run -0 spawnd pause c
	run -0 spawnd pause c c
	wait_until is_stopped "$(pid_in "$TEST_DIR/pid")"
	run -0 spawnd unpause c
	wait_until not is_stopped "$(pid_in "$TEST_DIR/pid")"
}

@test "what does not run cannot be paused: its name and status are told, and nothing has happened" {
	local command

	configure '[spawnd]' 'max_running = 1'
	finish ended -- true
	begin c -- testjob stall
	enqueue queued -- true
	for command in pause unpause; do
		run -65 --separate-stderr spawnd "$command" c ended
		[[ -z $output && $stderr == *"'ended' is completed"* ]]
		run -65 --separate-stderr spawnd "$command" c queued
		[[ -z $output && $stderr == *"'queued' is queued"* ]]
		run -66 --separate-stderr spawnd "$command" c nobody
		[[ -z $output && $stderr == *nobody* ]]
		run -66 --separate-stderr spawnd "$command" --parent ended
		[[ -z $output && $stderr == *"child of 'ended'"* ]]
		run -64 spawnd "$command"
		run -64 spawnd "$command" c --parent P
		run -64 spawnd "$command" ../c
	done
	not is_paused c
}

@test "a job that is being ended cannot be paused" {
	begin c --kill-grace 60s -- testjob ignore TERM touch "$TEST_DIR/ready" wait-for "$TEST_DIR/go"
	wait_until test -e "$TEST_DIR/ready"
	spawnd cancel c
	run -65 --separate-stderr spawnd pause c
	[[ $stderr == *"'c' is ending"* ]]
	touch "$TEST_DIR/go"
	await_record c
	assert_record '[.status, .exit_code] | tojson' '["cancelled",0]'
}

@test "cancel of a paused job lets all of it see the signal, and end in its own way" {
	begin c --kill-grace 60s -- testjob child setsid on-term 0 pid "$TEST_DIR/other" stall parent \
		on-term 7 pid "$TEST_DIR/pid" stall
	pid_in "$TEST_DIR/pid"
	pid_in "$TEST_DIR/other"
	spawnd pause c
	wait_until is_stopped "$(cat "$TEST_DIR/other")"
	spawnd cancel c
	await_record c
	assert_record '[.status, .exit_code] | tojson' '["cancelled",7]'
}

@test "stop waits for a paused job; unpause lets both end" {
	begin c -- testjob wait-for "$TEST_DIR/go" exit 5
	spawnd pause c
	touch "$TEST_DIR/go"
	"$SPAWND" stop 3>&- &
	local pid=$!
	wait_until is_stopping
	is_paused c
	assert is_alive "$pid"
	run -0 spawnd unpause c
	await_exit "$pid"
	assert_equal "$CODE" 0
	await_record c
	assert_record '[.status, .exit_code] | tojson' '["error",5]'
}

@test "stop --now ends a paused job" {
	begin c --kill-grace 60s -- testjob stall
	spawnd pause c
	run -0 spawnd stop --now
	await_record c
	assert_record '[.status, .signal] | tojson' '["cancelled","TERM"]'
}

@test "kill -9 of the server: a paused job stays paused, and is shown so" {
	local server

	serves_anew() {
		local now

		now=$(daemon_field server_pid 2>/dev/null)
		[[ -n $now && $now != "$server" ]]
	}
	begin c -- testjob pid "$TEST_DIR/pid" stall
	begin d -- testjob stall
	spawnd pause c
	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew
	run -0 jq -c '[.child, .paused]' <(spawnd list --json)
	assert_output $'["c",true]\n["d",false]'
	is_paused c
	is_stopped "$(pid_in "$TEST_DIR/pid")"
	run -0 spawnd unpause c
	not is_paused c
	wait_until not is_stopped "$(pid_in "$TEST_DIR/pid")"
}

@test "what a paused job has enqueued goes on" {
	enqueue outer -- sh -c '"$1" enqueue --child inner -- testjob wait-for "$2"; exec testjob stall' \
		sh "$SPAWND" "$TEST_DIR/go"
	wait_until spawnd status inner
	wait_until is_status inner running
	spawnd pause outer
	touch "$TEST_DIR/go"
	await_record inner
	assert_record .status completed
	is_paused outer
}

@test "a job that stops itself is not paused: its limits end it" {
	enqueue idle --max-idle 1s --kill-grace 60s -- testjob pid "$TEST_DIR/pid" stop
	enqueue total --max-total 1s --max-idle off --kill-grace 60s -- sh -c 'kill -STOP $$'
	wait_until is_stopped "$(pid_in "$TEST_DIR/pid")"
	for FILE in idle total; do
		await_record "$FILE"
		assert_record '[.status, .signal] | tojson' '["timeout","TERM"]'
	done
}
