# The feed: what is stored is replayed, what comes is told, to each who listens and once, whoever dies or is
# slow meanwhile; and each kind and field is in the manual.
load common

SOCKET=run/socket

# listen FILE [OPTION...]: events in the background, into FILE; $LISTENER is the process.
listen() {
	"$SPAWND" events "${@:2}" >"$1" 2>"$1.err" 3>&- &
	LISTENER=$!
}

hush() {
	kill "$1"
	await_exit "$1"
}

# has FILE FILTER: whether one of its events is as jq says.
has() {
	[[ -n $(jq -c "select($2)" "$1") ]]
}

# has_ended_in FILE CHILD
has_ended_in() {
	has "$1" ".event == \"completed\" and .child == \"$2\""
}

# The numbers in FILE go from $2 on, and none is left out or comes twice.
assert_gapless() {
	run jq -s --argjson from "$2" '[.[].seq | numbers] | . == [range($from; $from + length)] and length > 0' "$1"
	assert_output true
}

# kinds FILE FILTER: the kinds in it that jq selects, on one line.
kinds() {
	jq -rs "[.[] | select($2) | .event] | join(\" \")" "$1"
}

serves_anew() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

kill_server() {
	local server

	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew "$server"
}

# listeners COUNT CALL...: audience in the background; $LISTENER is the process. They have begun.
listeners() {
	spawnd list
	audience "$SPAWND_HOME/$SOCKET" "$1" "$2" "$TEST_DIR/ready" "$TEST_DIR/go" >"$TEST_DIR/heard" 2>&1 3>&- &
	LISTENER=$!
	wait_until test -e "$TEST_DIR/ready"
}

FOLLOW='{"method":"org.spawnd.Events","parameters":{"follow":true},"more":true}'

@test "events prints what is stored, in its order, and ends" {
	finish a -- testjob exit 3
	run -0 spawnd events
	echo "$output" >"$TEST_DIR/events"
	assert_gapless "$TEST_DIR/events" 1
	assert_equal "$(kinds "$TEST_DIR/events" true)" "queued started completed"
	run -0 spawnd events --since 2 --json
	assert_equal "$(jq -c '[.seq, .event, .exit_code]' <<<"$output")" '[3,"completed",3]'
	run -0 spawnd events --since 3
	assert_output ''
}

@test "the event of an end is the record, and a time" {
	finish a -- true
	assert_equal "$(spawnd events --since 2 | jq -c 'del(.at)')" "$(spawnd results | jq -c .)"
	assert_equal "$(spawnd events --since 2 | jq '.at == .completed_at')" true
}

@test "--parent tells of that parent's children alone" {
	finish a -- true
	spawnd enqueue --parent Q --child b -- true
	await_record b
	run -0 spawnd events --parent Q
	assert_equal "$(jq -r .child <<<"$output" | sort -u)" b
	run -0 spawnd events --parent nobody
	assert_output ''
}

@test "without more, Events answers with one event" {
	finish a -- true
	run -0 rawclient "$SPAWND_HOME/$SOCKET" send '{"method":"org.spawnd.Events","parameters":{"since":1}}' nul reply
	assert_equal "$(jq -c '[.parameters.event.event, .parameters.seq, .continues]' <<<"$output")" '["started",2,null]'
	run -0 rawclient "$SPAWND_HOME/$SOCKET" send '{"method":"org.spawnd.Events","parameters":{"since":3}}' nul reply
	assert_equal "$(jq -c '[.parameters.event, .parameters.seq]' <<<"$output")" '[null,3]'
}

@test "Events refuses what makes no sense" {
	spawnd list
	run -0 rawclient "$SPAWND_HOME/$SOCKET" send '{"method":"org.spawnd.Events","parameters":{"follow":true}}' nul reply
	assert_equal "$(jq -r '.error + " " + .parameters.field' <<<"$output")" 'org.spawnd.InvalidArgument follow'
	run -0 rawclient "$SPAWND_HOME/$SOCKET" send \
		'{"method":"org.spawnd.Events","parameters":{"since":-1},"more":true}' nul reply
	assert_equal "$(jq -r '.error + " " + .parameters.field' <<<"$output")" 'org.spawnd.InvalidArgument since'
	run -64 spawnd events --since x
	assert_output --partial "--since 'x'"
	run -64 spawnd events extra
	assert_output --partial "one operand too many"
}

@test "--follow without --since tells only what comes" {
	finish before -- true
	listeners 1 "$FOLLOW"
	touch "$TEST_DIR/go"
	finish last -- true
	await_exit "$LISTENER"
	assert_equal "$(cat "$TEST_DIR/heard")" "1 listeners: 4 to 6, 3 events"
}

@test "--follow ends when nobody reads it any more, though nothing comes" {
	spawnd list
	mkfifo "$TEST_DIR/pipe"
	listen "$TEST_DIR/pipe" --follow --since 0
	exec {reader}<"$TEST_DIR/pipe"
	enqueue c -- true
	run -0 head -n 1 <&"$reader"
	assert_output --partial '"queued"'
	await_record c
	exec {reader}<&-
	await_exit "$LISTENER"
	assert_equal "$CODE" 141
	# A file is always read.
	listen "$TEST_DIR/events" --follow --since 0
	wait_until has_ended_in "$TEST_DIR/events" c
	enqueue d -- true
	wait_until has_ended_in "$TEST_DIR/events" d
	hush "$LISTENER"
}

@test "--follow replays, and goes on" {
	finish a -- true
	listen "$TEST_DIR/events" --follow --since 1
	wait_until has_ended_in "$TEST_DIR/events" a
	finish b -- true
	wait_until has_ended_in "$TEST_DIR/events" b
	hush "$LISTENER"
	assert_gapless "$TEST_DIR/events" 2
	assert_equal "$(jq -s length "$TEST_DIR/events")" 5
}

@test "kill -9 of the server while jobs run: a listener gets each event once" {
	local i

	configure '[spawnd]' 'max_running = 4'
	listen "$TEST_DIR/events" --follow --since 0
	for i in {1..60}; do
		enqueue "c$i" -- testjob beat working sleep 20 >/dev/null
		((i % 20)) || kill_server
	done
	for i in c{1..60}; do
		await_record "$i"
	done
	finish last -- true
	wait_until has_ended_in "$TEST_DIR/events" last
	hush "$LISTENER"
	spawnd events >"$TEST_DIR/stored"
	jq -c 'select(.seq)' "$TEST_DIR/events" >"$TEST_DIR/heard"
	assert_gapless "$TEST_DIR/heard" 1
	run diff "$TEST_DIR/stored" "$TEST_DIR/heard"
	assert_success
}

@test "kill -9 of the supervisor: a listener hears on" {
	local supervisor

	enqueue a -- testjob wait-for "$TEST_DIR/go" beat bye >/dev/null
	wait_until is_status a running
	listen "$TEST_DIR/events" --follow --since 0
	wait_until has "$TEST_DIR/events" '.event == "started"'
	supervisor=$(daemon_field pid)
	kill -KILL "$supervisor"
	wait_until not is_alive "$supervisor"
	touch "$TEST_DIR/go"
	wait_until has_ended_in "$TEST_DIR/events" a
	finish b -- true
	wait_until has_ended_in "$TEST_DIR/events" b
	hush "$LISTENER"
	jq -c 'select(.seq)' "$TEST_DIR/events" >"$TEST_DIR/heard"
	assert_gapless "$TEST_DIR/heard" 1
	run diff <(spawnd events) "$TEST_DIR/heard"
	assert_success
}

# Somebody else has locked the store's file, from now on until unlock: as good as a full disk.
lock() {
	mkfifo "$TEST_DIR/sql"
	sqlite3 "$SPAWND_HOME/state/spawnd.db" <"$TEST_DIR/sql" >"$TEST_DIR/locked" 3>&- &
	LOCKER=$!
	exec 7>"$TEST_DIR/sql"
	echo "begin immediate; select 'locked';" >&7
	wait_until grep -q locked "$TEST_DIR/locked"
}

unlock() {
	exec 7>&-
	await_exit "$LOCKER"
}

@test "what could not be stored is not told, and told once when it could" {
	enqueue a -- testjob wait-for "$TEST_DIR/go" beat bye >/dev/null
	wait_until is_status a running
	listen "$TEST_DIR/events" --follow --since 0
	wait_until has "$TEST_DIR/events" '.event == "started"'
	lock
	touch "$TEST_DIR/go"
	wait_until grep -q 'trying again; meanwhile' "$SPAWND_HOME/state/spawnd.log"
	assert_equal "$(kinds "$TEST_DIR/events" .seq)" "queued started"
	unlock
	wait_until has_ended_in "$TEST_DIR/events" a
	finish b -- true
	wait_until has_ended_in "$TEST_DIR/events" b
	hush "$LISTENER"
	jq -c 'select(.seq)' "$TEST_DIR/events" >"$TEST_DIR/heard"
	assert_gapless "$TEST_DIR/heard" 1
	run diff <(spawnd events) "$TEST_DIR/heard"
	assert_success
}

@test "stop ends a listener, who has been told everything" {
	listen "$TEST_DIR/events" --follow --since 0
	enqueue a -- testjob stall >/dev/null
	wait_until is_status a running
	spawnd stop --now
	await_exit "$LISTENER"
	assert_equal "$CODE" 75
	assert_equal "$(kinds "$TEST_DIR/events" .seq)" "queued started completed"
}

# nest ID LEVELS: a job that enqueues a child of its own, and so on, and waits for it.
nest() {
	cat >"$TEST_DIR/nest" <<-'END'
		#!/bin/sh
		[ "$2" -eq 0 ] && exit
		"$SPAWND" enqueue --child "$1-$2" -- "$0" "$1" $(($2 - 1)) && exec "$SPAWND" wait "$1-$2"
	END
	chmod +x "$TEST_DIR/nest"
	spawnd enqueue --parent "$1" --child "$1-top" -- "$TEST_DIR/nest" "$1" "$2"
	await_record "$1-top"
}

@test "--tree tells of all that is below, replayed and live" {
	export SPAWND
	listen "$TEST_DIR/live" --follow --since 0 --parent T --tree
	nest T 3
	nest U 2
	wait_until has_ended_in "$TEST_DIR/live" T-top
	hush "$LISTENER"
	spawnd events --parent T --tree >"$TEST_DIR/stored"
	run diff "$TEST_DIR/stored" "$TEST_DIR/live"
	assert_success
	assert_equal "$(jq -r .child "$TEST_DIR/stored" | sort -u | tr '\n' ' ')" "T-1 T-2 T-3 T-top "
	assert_equal "$(spawnd events --parent T | jq -r .child | sort -u)" T-top
	assert_equal "$(spawnd events --parent T-2 --tree | jq -r .child | sort -u)" T-1
}

@test "who reads nothing holds up nobody, and gets each event once" {
	local i slow

	configure '[spawnd]' 'durability = normal' 'max_running = 20'
	listeners 3 "$FOLLOW"
	slow=$LISTENER
	listen "$TEST_DIR/live" --follow --since 0
	for i in {1..700}; do
		echo "$i"
	done | xargs -P 4 -I{} "$SPAWND" enqueue --parent P --child c{} -- true >/dev/null
	wait_until has_records P 700
	finish last -- true
	# The other one is told all the while.
	wait_until has_ended_in "$TEST_DIR/live" last
	hush "$LISTENER"
	touch "$TEST_DIR/go"
	await_exit "$slow"
	assert_equal "$CODE" 0
	assert_equal "$(cat "$TEST_DIR/heard")" "3 listeners: 1 to 2103, 2103 events"
}

@test "500 listen at once, and each is told everything once" {
	local i

	listeners 500 "$FOLLOW"
	touch "$TEST_DIR/go"
	for i in {1..20}; do
		finish "c$i" -- true
	done
	finish last -- true
	await_exit "$LISTENER"
	assert_equal "$CODE" 0
	assert_equal "$(cat "$TEST_DIR/heard")" "500 listeners: 1 to 63, 63 events"
}

@test "what is not kept any more is said first: feed_reset" {
	finish a -- true
	finish b -- true
	spawnd stop
	sqlite3 "$SPAWND_HOME/state/spawnd.db" \
		"delete from event where seq <= 4; update meta set value = 5 where key = 'oldest_seq'"
	run -0 spawnd events --since 2
	assert_equal "$(jq -c '[.event, .from_seq, .seq]' <<<"${lines[0]}")" '["feed_reset",5,null]'
	assert_equal "$(jq -c .seq <<<"$output" | tr '\n' ' ')" 'null 5 6 '
	# Nothing that was asked for is missing.
	run -0 spawnd events --since 4
	assert_equal "$(jq -c .seq <<<"$output" | tr '\n' ' ')" '5 6 '
	run -0 spawnd events
	assert_equal "$(jq -c .seq <<<"$output" | tr '\n' ' ')" '5 6 '
	# Another store had that number.
	run -0 spawnd events --since 99
	assert_equal "$(jq -c .seq <<<"$output" | tr '\n' ' ')" 'null 5 6 '
}

@test "of a job that lives the last lines are kept for who comes later, and forgotten with it" {
	enqueue a -- testjob beats 60 40 beat end wait-for "$TEST_DIR/go" >/dev/null
	listen "$TEST_DIR/early" --follow --since 0
	wait_until has "$TEST_DIR/early" '.message == "end"'
	hush "$LISTENER"
	listen "$TEST_DIR/late" --follow
	wait_until has "$TEST_DIR/late" '.message == "end"'
	hush "$LISTENER"
	assert_equal "$(jq -s length "$TEST_DIR/late")" 32
	assert_equal "$(jq -s 'all(.kept)' "$TEST_DIR/late")" true
	touch "$TEST_DIR/go"
	await_record a
	listen "$TEST_DIR/later" --follow
	wait_until marked "$TEST_DIR/later"
	hush "$LISTENER"
	assert_equal "$(kinds "$TEST_DIR/later" '.event == "progress"')" ''
}

# Whether the listener, who writes into FILE, is there; who was not, hears of the next job.
marked() {
	[[ -s $1 ]] || { finish mark -- true && false; }
}

@test "of a flood of lines the last is told, and how many came before" {
	local lines

	listen "$TEST_DIR/events" --follow
	wait_until marked "$TEST_DIR/events"
	finish a -- sh -c 'seq 1 50000 >"$SPAWND_HEARTBEAT"'
	wait_until has_ended_in "$TEST_DIR/events" a
	hush "$LISTENER"
	assert_equal "$(jq -s 'map(select(.event == "progress") | 1 + (.skipped // 0)) | add' "$TEST_DIR/events")" 50000
	lines=$(jq -s 'map(select(.event == "progress")) | length' "$TEST_DIR/events")
	assert [ "$lines" -le 2000 ]
	# It comes before the end.
	assert_equal "$(jq -rs '.[-2].message' "$TEST_DIR/events")" 50000
}

@test "beats without text are no events" {
	listen "$TEST_DIR/events" --follow
	wait_until marked "$TEST_DIR/events"
	finish a -- testjob beats 1 20 beat ''
	finish b -- sh -c 'printf "\n\n\n" >"$SPAWND_HEARTBEAT"'
	wait_until has_ended_in "$TEST_DIR/events" b
	hush "$LISTENER"
	assert_equal "$(kinds "$TEST_DIR/events" '.child == "b"')" "queued started completed"
}

@test "silence for half of max_idle is told, and its end" {
	listen "$TEST_DIR/events" --follow --since 0
	enqueue a --max-idle 8s --kill-grace 0 -- testjob wait-for "$TEST_DIR/go" beat hello stall >/dev/null
	wait_until has "$TEST_DIR/events" '.event == "idle"'
	touch "$TEST_DIR/go"
	wait_until has_ended_in "$TEST_DIR/events" a
	hush "$LISTENER"
	assert_equal "$(kinds "$TEST_DIR/events" '.event != "progress"')" "queued started idle active idle completed"
	assert_equal "$(jq -s 'map(.idle_ms // empty)[0] >= 4000' "$TEST_DIR/events")" true
}

@test "output is no silence, though nobody looks at it" {
	listen "$TEST_DIR/events" --follow --since 0
	# Who asks how it is would have the supervisor look.
	enqueue a --max-idle 6s -- testjob outputs 200 20 >/dev/null
	wait_until has_ended_in "$TEST_DIR/events" a
	hush "$LISTENER"
	assert_equal "$(kinds "$TEST_DIR/events" true)" "queued started completed"
}

# The fields that the manual has, as "kind field".
fields_in_manual() {
	awk '
		/^\.Sh /{
			is_common = $2 == "COMMON"
			is_stored = $0 == ".Sh EVENTS THAT ARE STORED"
			is_kind = is_stored || $0 == ".Sh EVENTS THAT ARE NOT STORED"
			kind = ""
		}
		is_kind && /^\.Ss /{
			kind = $2
			if (kind != "feed_reset")
				for (i = 0; i < n; i++)
					if (common[i] != "seq" || is_stored)
						print kind, common[i]
			if (kind == "feed_reset")
				print kind, "event"
		}
		(is_common || kind != "") && /^\.It Li /{
			for (i = 3; i <= NF; i++)
				if ($i ~ /^[a-z_]+$/ && is_common)
					common[n++] = $i
				else if ($i ~ /^[a-z_]+$/)
					print kind, $i
		}' "$BATS_TEST_DIRNAME/../../man/spawnd-events.5"
	awk '
		/^\.Sh /{on = $0 == ".Sh COMPLETION RECORDS"}
		on && /^\.It Li /{
			for (i = 3; i <= NF; i++)
				if ($i ~ /^[a-z_]+$/)
					print "completed", $i
		}' "$BATS_TEST_DIRNAME/../../man/spawnd.1"
}

@test "each kind of event, and each of its fields, is in the manual, and the manual has no other" {
	local long

	long=$(printf 'x%.0s' {1..2000})
	spawnd enqueue --parent P --child early -- testjob beat one wait-for "$TEST_DIR/go" >/dev/null
	wait_until eval '[[ $(job_field early .last_event.message) == one ]]'
	# A number that was never given: all begins with a feed_reset.
	listen "$TEST_DIR/events" --follow --since 1000000
	wait_until has "$TEST_DIR/events" .kept
	finish none -- /nonexistent
	finish w --meta child_watchdog.max_idle_secs=x -- true
	finish full --max-output 16K -- testjob fill 1000000
	finish words -- testjob beat "tool=t phase=p round=1 progress=0.5 message=m"
	finish long -- testjob beat "$long"
	finish flood -- sh -c 'seq 1 50000 >"$SPAWND_HEARTBEAT"'
	finish asks -- "$SPAWND" ask --timeout 0.1 "may I?"
	finish tries --retries 1 --retry-delay 0.01s -- false
	SPAWND=$SPAWND finish again -- sh -c '[ -n "$SPAWND_RESUMED" ] ||
		{ "$SPAWND" enqueue --child below -- true && exec "$SPAWND" suspend; }'
	enqueue still --max-idle 20s -- testjob wait-for "$TEST_DIR/go" beat x >/dev/null
	wait_until has "$TEST_DIR/events" '.event == "idle"'
	wait_until is_status still running
	spawnd pause still
	spawnd unpause still
	touch "$TEST_DIR/go"
	await_record still
	wait_until has_ended_in "$TEST_DIR/events" still
	hush "$LISTENER"
	jq -r '.event as $k | keys_unsorted[] | "\($k) \(.)"' "$TEST_DIR/events" | sort -u >"$TEST_DIR/program"
	# For these it takes a process that survives SIGKILL, a file system that cannot free parts of a file, and
	# a store that is damaged.
	fields_in_manual | grep -vx -e 'completed unkillable' -e 'output_limit errno' -e 'warning reason' \
		-e 'warning set_aside' | sort -u >"$TEST_DIR/manual"
	run diff -u "$TEST_DIR/program" "$TEST_DIR/manual"
	assert_success
}
