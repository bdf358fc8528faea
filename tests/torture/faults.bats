# What takes a failpoint to be seen: run with the program that has them (make torture-faults).
load ../bats/common

setup_page() {
	export TORTURE_PAGE=$TEST_DIR/page
	truncate -s 16384 "$TORTURE_PAGE"
}

# arm PLAN: tests/torture/failpoint.h. The mark in front goes last.
arm() {
	printf '\0%s\0' "$1" 1<>"$TORTURE_PAGE"
	printf '\0\0\0\0' | dd of="$TORTURE_PAGE" bs=1 seek=128 conv=notrunc status=none
	printf '!' 1<>"$TORTURE_PAGE"
}

# set_clock SECONDS: by how much the daemon's wall clock is off from now on.
set_clock() {
	perl -e 'print pack "q", $ARGV[0] * 1000' -- "$1" |
		dd of="$TORTURE_PAGE" bs=1 seek=144 conv=notrunc status=none
}

# How many plans were carried out.
done_count() {
	od -An -tu4 -j132 -N4 "$TORTURE_PAGE" | tr -d ' '
}

was_done() {
	(($(done_count) >= $1))
}

@test "a daemon that is killed before it serves is started anew by who wanted it" {
	setup_page
	arm wire_receive/HELLO:after:1:server:kill-other
	run -0 --separate-stderr spawnd enqueue --parent P --child a -- true
	assert_equal "$output" 1
	assert_regex "$stderr" 'was killed before it served'
	await_record a
	assert_record .status completed
	assert_equal "$(done_count)" 1
}

@test "who started a daemon that is killed does not wait for its jobs" {
	setup_page
	enqueue a -- true
	await_record a
	# Accepted, but not started: both die as soon as it is stored.
	arm store_commit:after:1:server:kill-both
	spawnd enqueue --no-autostart --parent P --child b -- testjob pid "$TEST_DIR/pid" stall || :
	wait_until was_done 1
	sqlite3 "$SPAWND_HOME/state/spawnd.db" \
		"UPDATE job SET status = 'queued', supervisor = NULL WHERE child = 'b'"
	arm wire_receive/READY:after:1:supervisor:kill-self
	enqueue c -- true
	await_record c
	# Whether it had come to run before all died, and runs on, is nobody's promise.
	spawnd cancel b || :
	await_record b
	[[ ! -s $TEST_DIR/pid ]] || kill -KILL "$(cat "$TEST_DIR/pid")" || :
}

@test "who asks for a job that a new store does not know yet waits until the supervisor has told of it" {
	local pid server client

	setup_page
	enqueue a -- testjob pid "$TEST_DIR/pid" wait-for "$TEST_DIR/go" exit 7
	pid=$(pid_in "$TEST_DIR/pid")
	wait_until is_status a running
	server=$(daemon_field server_pid)
	arm wire_send/STARTED:before:1:supervisor:stall-3
	rm -f "$SPAWND_HOME/state/spawnd.db-wal"
	echo garbage >"$SPAWND_HOME/state/spawnd.db"
	kill -KILL "$server"
	wait_until was_done 1
	"$SPAWND" wait a >"$TEST_DIR/record" 3>&- &
	client=$!
	# Nor is its id given away.
	run spawnd enqueue --parent P --child a -- true
	assert_failure
	assert_output --partial 'already running as job 1'
	assert_equal "$(job_field a .job)" 1
	assert is_alive "$pid"
	touch "$TEST_DIR/go"
	await_exit "$client"
	assert_equal "$CODE" 7
	assert_equal "$(jq .job "$TEST_DIR/record")" 1
}

# The largest lateness that is let pass here, in milliseconds: that of a busy machine. Figures are printed.
LATE_MS=500

# doomed NAME OPTION...: a job that writes down when it began and when it was asked to end.
doomed() {
	enqueue "$1" "${@:2}" -- sh -c 'trap "date +%s%3N >\"$1.end\"; exit" TERM
		date +%s%3N >"$1.new" && mv "$1.new" "$1.begin"
		sleep 100 & wait' sh "$TEST_DIR/$1"
}

was_asked() {
	[[ -s $TEST_DIR/$1.end ]]
}

# assert_on_time NAME LIMIT_MS: it was asked to end by its limit, not earlier, and not much later.
assert_on_time() {
	local late

	wait_until was_asked "$1"
	late=$(($(<"$TEST_DIR/$1.end") - $(<"$TEST_DIR/$1.begin") - $2))
	echo "# $BATS_TEST_DESCRIPTION: $1 was asked to end $late ms late" >&3
	# The job writes its beginning down when it has already begun.
	((late >= -LATE_MS / 2 && late <= LATE_MS))
}

# Jobs of which each has come to its limit before the server can do anything again.
start_doomed() {
	doomed total --max-total 2s
	doomed idle --max-idle 2s
	enqueue stubborn --max-total 1s --kill-grace 1s -- \
		testjob ignore TERM pid "$TEST_DIR/pid" stall
	wait_until is_status total running
	wait_until is_status idle running
	pid_in "$TEST_DIR/pid"
}

assert_all_on_time() {
	assert_on_time total 2000
	assert_on_time idle 2000
	wait_until not is_alive "$1"
}

assert_all_recorded() {
	local name

	for name in total idle stubborn; do
		await_record "$name"
		assert_record .status timeout
		assert_record '.elapsed_ms >= 1000' true
	done
}

@test "a disk that stalls makes no kill late" {
	local pid client

	setup_page
	pid=$(start_doomed)
	arm fdatasync:before:1:server:stall-10
	"$SPAWND" enqueue --parent P --child last -- true >"$TEST_DIR/last" 3>&- &
	client=$!
	wait_until was_done 1
	assert_all_on_time "$pid"
	# Nobody has been answered meanwhile: the disk stalls still.
	assert is_alive "$client"
	await_exit "$client"
	assert_equal "$CODE" 0
	assert_all_recorded
	await_record last
	assert_record .status completed
}

@test "a server that is frozen makes no kill late" {
	local pid server

	setup_page
	pid=$(start_doomed)
	server=$(daemon_field server_pid)
	kill -STOP "$server"
	assert_all_on_time "$pid"
	kill -CONT "$server"
	assert_all_recorded
}

# Runs as long as its file is there, and shows that by the pipe and by its output in turn.
lively() {
	enqueue "$1" "${@:2}" -- sh -c 'while [ -e "$1" ]; do
		echo alive; sleep 0.1; echo alive >&"$SPAWND_HEARTBEAT_FD"; sleep 0.1; done' sh "$TEST_DIR/$1"
}

@test "a supervisor that was suspended kills what is over its limit, and nothing else" {
	local supervisor

	setup_page
	touch "$TEST_DIR/beats" "$TEST_DIR/long"
	lively beats --max-idle 2s
	lively long --max-total 1h
	enqueue ended --max-total 3s -- testjob touch "$TEST_DIR/began" sleep 500 touch "$TEST_DIR/ended"
	doomed late --max-total 2s
	wait_until test -e "$TEST_DIR/began"
	wait_until test -s "$TEST_DIR/late.begin"
	supervisor=$(daemon_field pid)
	kill -STOP "$supervisor"
	wait_until test -e "$TEST_DIR/ended"
	# Until all limits have passed.
	wait_until is_older_than "$TEST_DIR/began" 4
	kill -CONT "$supervisor"
	await_record late
	assert_record .status timeout
	await_record ended
	assert_record '[.status, .exit_code] | tojson' '["completed",0]'
	is_status beats running
	is_status long running
	rm "$TEST_DIR/beats" "$TEST_DIR/long"
	await_record beats
	assert_record .status completed
	await_record long
	assert_record .status completed
}

is_older_than() {
	(($(date +%s) - $(stat -c %Y "$1") > $2))
}

@test "a wall clock that is set forward or back changes no limit" {
	local seconds

	setup_page
	for seconds in 86400 -86400; do
		doomed "total$seconds" --max-total 2s
		doomed "idle$seconds" --max-idle 2s
		wait_until test -s "$TEST_DIR/total$seconds.begin"
		wait_until test -s "$TEST_DIR/idle$seconds.begin"
		set_clock "$seconds"
		assert_on_time "total$seconds" 2000
		assert_on_time "idle$seconds" 2000
		await_record "total$seconds"
		assert_record '.status == "timeout" and .elapsed_ms >= 2000 and .elapsed_ms < 60000' true
		set_clock 0
	done
}

@test "a wall clock that is set forward makes no output old" {
	setup_page
	enqueue a --max-idle 4s -- testjob sleep 2000 output text touch "$TEST_DIR/written" sleep 3300
	wait_until test -e "$TEST_DIR/written"
	set_clock 3600
	await_record a
	assert_record .status completed
}

@test "who begins on the rest of a record while it is taken back gets the record on a line of its own" {
	local line

	setup_page
	finish a -- true
	exec 5<"$(spawnd fifo P)"
	head -c 10 <&5 >/dev/null
	arm fifo_drain:before:1:server:stall-2
	exec 5<&-
	wait_until was_done 1
	exec 5<"$SPAWND_HOME/run/parents/P"
	head -c 10 <&5 >/dev/null
	# Answered when the server goes on.
	spawnd list >/dev/null
	IFS= read -r -t "$PATIENCE" line <&5
	assert_equal "$line" ''
	IFS= read -r -t "$PATIENCE" line <&5
	exec 5<&-
	assert_equal "$(jq -r .child <<<"$line")" a
}

# suspends_at PLAN: a job that suspends once, with a child that ends after that; the plan is carried out meanwhile,
# whoever dies. It is run twice, no more, and resumed with its child's record.
suspends_at() {
	local child=${1//[^a-zA-Z0-9]/_} lost=

	arm "$1"
	spawnd enqueue --parent P --child "$child" -- sh "$TEST_DIR/agent" "$child" >/dev/null || return
	wait_until is_status "$child" suspended || return
	touch "$TEST_DIR/$child.go"
	await_record "$child" || return
	assert_equal "$(done_count)" "$((++PLANS))" || return
	# Whoever ends while nobody looks is lost: that may be the child, or the job's last run.
	[[ $1 == *:kill-self ]] || lost='|lost'
	assert_regex "$(jq -r .status <<<"$RECORD")" "^(completed$lost)$" || return
	assert_regex "$(spawnd logs "$child" | paste -sd' ')" "^first again below\.$child:(completed$lost)$" ||
		[[ -n $lost && $(jq -r .status <<<"$RECORD") == lost && $(spawnd logs "$child") == first ]] || return
	assert_equal "$(spawnd events | jq -r "select(.child == \"$child\") | .event" | paste -sd' ')" \
		'queued started suspended resumed started completed' ||
		[[ $(jq -r .started_at <<<"$RECORD") == null ]]
}

@test "a job is suspended once and resumed once, whoever dies at whatever step of it" {
	local point action

	setup_page
	export SPAWND
	PLANS=0
	cat >"$TEST_DIR/agent" <<-'EOF'
		if [ -n "$SPAWND_RESUMED" ]; then
			echo again
			exec jq -r '"\(.child):\(.status)"' "$SPAWND_RESULTS"
		fi
		echo first
		until "$SPAWND" status --no-autostart "below.$1" >/dev/null 2>&1 ||
			"$SPAWND" enqueue --no-autostart --child "below.$1" -- testjob pid "$TEST_DIR/$1.pid" wait-for "$TEST_DIR/$1.go" >/dev/null 2>&1; do
			sleep 0.02
		done
		testjob wait-for "$TEST_DIR/$1.pid"
		until "$SPAWND" suspend 2>/dev/null; do
			sleep 0.02
		done
	EOF
	spawnd daemon --detach
	for point in waiters_add:{before,after}:1 wire_send/CANCEL:{before,after}:1 \
		wire_receive/ENDED:after:1 waiters_suspend:{before,after}:1 wire_send/FORGET:{before,after}:1 \
		waiters_end:{before,after}:1 waiters_resume:{before,after}:1 wire_send/SPAWN:{before,after}:3; do
		for action in kill-self kill-other kill-both; do
			suspends_at "$point:server:$action" || {
				echo "at $point:server:$action" >&2
				return 1
			}
		done
	done
}

# cut_at PLAN: a tree of six, three of which run, is cancelled from its root while the plan is carried out. It is cut
# down whole, and nobody of it begins any more.
cut_at() {
	local name=${1//[^a-zA-Z0-9]/_} child statuses

	for child in "$name" "$name".{1,2,3,4,5}; do
		spawnd enqueue --parent "$([[ $child == "$name" ]] && echo P || echo "$name")" --child "$child" -- \
			sh -c 'echo "$SPAWND_CHILD" >>"$TEST_DIR/began"; exec testjob stall' >/dev/null || return
	done
	wait_until is_status "$name.2" running || return
	arm "$1"
	spawnd cancel "$name" >/dev/null || return
	for child in "$name" "$name".{1,2,3,4,5}; do
		wait_until has_ended "$child" || return
	done
	assert_equal "$(done_count)" "$((++PLANS))" || return
	statuses=$(spawnd list --json | jq -r "select(.child | startswith(\"$name\")) | .status" | sort | uniq | paste -sd' ')
	# The request goes to who runs before it is stored, for disks stall: where both die then, nobody knows that it was
	# asked for.
	if [[ $1 == *:kill-both ]]; then
		assert_regex "$statuses" '^cancelled( error)?( lost)?$' || return
	else
		assert_equal "$statuses" cancelled || return
	fi
	assert_equal "$(job_field "$name.5" '"\(.status) \(.started_at)"')" 'cancelled null' || return
	assert_equal "$(grep -c "^$name" "$TEST_DIR/began")" 3
}

@test "a cancel cuts a tree down whole, whoever dies at whatever step of it" {
	local point action

	setup_page
	configure '[spawnd]' 'max_running = 3'
	PLANS=0
	spawnd daemon --detach
	for point in store_end_job:{before,after}:2 store_set_cancelled:{before,after}:{1,2} \
		store_commit:{before,after}:1 wire_send/CANCEL:{before,after}:2; do
		for action in kill-self kill-both; do
			cut_at "$point:server:$action" || {
				echo "at $point:server:$action" >&2
				return 1
			}
		done
	done
}

# retries_at PLAN: a job goes wrong twice and then not, while the plan is carried out. Each run that is counted was
# executed, once.
retries_at() {
	local child=${1//[^a-zA-Z0-9]/_}

	arm "$1"
	spawnd enqueue --parent P --child "$child" --retries 2 --retry-on error --retry-delay 0 -- \
		sh -c 'echo "$SPAWND_RUN" >>"$TEST_DIR/$SPAWND_CHILD"; exit $((SPAWND_RUN < 3))' >/dev/null || return
	await_record "$child" || return
	wait_until was_done "$((++PLANS))" || return
	# The server lives to be told by the supervisor, or the supervisor to tell another server.
	if [[ $1 != *:kill-both ]]; then
		assert_equal "$(paste -sd' ' "$TEST_DIR/$child")" '1 2 3' || return
		assert_equal "$(jq -r '"\(.status) \(.run)"' <<<"$RECORD")" 'completed 3'
	else
		assert_equal "$(seq "$(wc -l <"$TEST_DIR/$child")" | paste -sd' ')" "$(paste -sd' ' "$TEST_DIR/$child")" || return
		assert_regex "$(jq -r '"\(.status) \(.run)"' <<<"$RECORD")" '^(completed 3|lost [123])$'
	fi
}

@test "each run of a job that is retried is executed once, whoever dies at whatever step of it" {
	local point action

	setup_page
	PLANS=0
	spawnd daemon --detach
	for point in store_set_retry:{before,after}:{1,2} store_commit:{before,after}:{2,3,4,5} \
		wire_send/FORGET:{before,after}:{1,2} wire_send/SPAWN:{before,after}:2 wire_receive/ENDED:after:2; do
		for action in kill-self kill-both; do
			retries_at "$point:server:$action" || {
				echo "at $point:server:$action" >&2
				return 1
			}
		done
	done
}

# asks_at PLAN: a job asks, and is answered by its number, while the plan is carried out. It has the one answer.
asks_at() {
	local child=${1//[^a-zA-Z0-9]/_} id

	spawnd enqueue --parent P --child "$child" -- sh -c '
		until "$SPAWND" ask --token t --timeout 1h "may I?"; code=$?; [ $code -lt 2 ]; do sleep 0.02; done
		exit $code' >/dev/null || return
	wait_until has_question "$child" || return
	id=$(spawnd approvals --json | jq -r "select(.child == \"$child\") | .id")
	arm "$1"
	# Where the reply was lost it has been decided all the same, which is what the command says then.
	spawnd answer "$id" deny 2>/dev/null || assert_equal "$?" 65 || return
	run -65 spawnd answer "$id" allow
	await_record "$child" || return
	wait_until was_done "$((++PLANS))" || return
	assert_equal "$(spawnd events | jq -r "select(.child == \"$child\") | .event" | grep -c approval_decided)" 1 || return
	assert_equal "$(jq -r '"\(.status) \(.exit_code)"' <<<"$RECORD")" 'error 1'
}

has_question() {
	[[ -n $(spawnd approvals --json | jq -r "select(.child == \"$1\") | .id") ]]
}

@test "a question is decided once, whoever dies at whatever step of it" {
	local point action

	setup_page
	export SPAWND
	PLANS=0
	spawnd daemon --detach
	for point in store_decide_approval:{before,after}:1 store_commit:{before,after}:1 send:{before,after}:1; do
		for action in kill-self kill-other; do
			asks_at "$point:server:$action" || {
				echo "at $point:server:$action" >&2
				return 1
			}
		done
	done
}
