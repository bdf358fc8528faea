# Jobs that wait for their own children lend their room: trees of any shape end, however little room there is,
# and no more of them work at once than there is room for. FAMILY_JOBS says how many jobs the random tree has.
load common

FAMILY_JOBS=${FAMILY_JOBS:-150}

# What jobs are measured by, themselves: each holds one of $ROOM locks while it works, and notes where there is none.
write_work() {
	cat >"$TEST_DIR/work" <<-'EOF'
		begin_work() {
			local i

			for ((i = 0; i < ROOM; i++)); do
				exec {LOCK}>"$TEST_DIR/lock-$i"
				flock -n "$LOCK" && return
				exec {LOCK}>&-
			done
			echo "$SPAWND_CHILD" >>"$TEST_DIR/exceeded"
			LOCK=
		}
		end_work() {
			[[ -z $LOCK ]] || exec {LOCK}>&-
		}
		lent() {
			end_work
			"$@"
			CODE=$?
			begin_work
			return "$CODE"
		}
		begin_work
	EOF
	export SPAWND ROOM=$1
}

# A job of the random tree: enqueues its children, $TEST_DIR/below/N, and waits for them in one of six ways.
write_member() {
	cat >"$TEST_DIR/member" <<-'EOF'
		#!/bin/bash
		. "$TEST_DIR/work"
		below=($(cat "$TEST_DIR/below/$1" 2>/dev/null))
		[[ -z ${SPAWND_RESUMED-} ]] || exit 0
		way=$(($1 % 6))
		for i in "${below[@]}"; do
			((way == 4)) || "$SPAWND" enqueue --child "j$i" -- "$0" "$i" || exit 1
		done
		((${#below[@]})) || exit 0
		case $way in
		0) lent "$SPAWND" wait || exit 2 ;;
		1) lent "$SPAWND" wait "${below[@]/#/j}" || exit 2 ;;
		2)
			left=" ${below[*]/#/j} "
			while [[ $left == *j* ]]; do
				lent "$SPAWND" wait --any $left >"$TEST_DIR/record-$1" || exit 2
				child=$(sed 's/.*"child":"\([^"]*\)".*/\1/' "$TEST_DIR/record-$1")
				left=${left/ $child / }
			done ;;
		3)
			for i in "${below[@]}"; do
				lent "$SPAWND" next --parent "$SPAWND_CHILD" || exit 2
			done ;;
		4)
			for i in "${below[@]}"; do
				lent "$SPAWND" run --child "j$i" -- "$0" "$i" || exit 2
			done ;;
		5) exec "$SPAWND" suspend ;;
		esac >/dev/null
	EOF
	chmod +x "$TEST_DIR/member"
}

# A tree of $1 jobs: each is below one that is not too deep, or, one in twenty, at the root. Prints the roots.
plan_tree() {
	mkdir "$TEST_DIR/below"
	awk -v count="$1" -v seed="$2" -v dir="$TEST_DIR/below/" 'BEGIN {
		srand(seed)
		for (i = 1; i <= count; i++) {
			above = i == 1 || rand() < 0.05 ? 0 : 1 + int(rand() * (i - 1))
			while (above != 0 && depth[above] >= 4)
				above = up[above]
			up[i] = above
			depth[i] = above == 0 ? 0 : depth[above] + 1
			if (above == 0)
				print i
			else
				print i >>(dir above)
		}
	}'
}

# How many have ended so, of all.
count_status() {
	spawnd list --json | jq -s "map(select(.status == \"$1\")) | length"
}

@test "a random tree whose jobs all wait for their children ends, and never do more work than may" {
	local root seed=${FAMILY_SEED:-$RANDOM}

	echo "FAMILY_SEED=$seed"
	configure '[spawnd]' 'max_running = 2' 'durability = normal'
	write_work 2
	write_member
	for root in $(plan_tree "$FAMILY_JOBS" "$seed"); do
		spawnd enqueue --parent P --child "j$root" -- "$TEST_DIR/member" "$root"
	done
	timeout $((PATIENCE + FAMILY_JOBS)) "$SPAWND" wait --parent P >/dev/null
	assert_equal "$(count_status completed)" "$FAMILY_JOBS"
	assert_not_exists "$TEST_DIR/exceeded"
	assert_equal "$(spawnd list --json | jq -s 'map(.depth) | max')" 4
}

@test "a random tree ends while its server is killed again and again" {
	local root seed=${FAMILY_SEED:-$RANDOM} waiter

	echo "FAMILY_SEED=$seed"
	configure '[spawnd]' 'max_running = 2' 'durability = normal'
	write_work 2
	write_member
	for root in $(plan_tree $((FAMILY_JOBS / 3)) "$seed"); do
		spawnd enqueue --parent P --child "j$root" -- "$TEST_DIR/member" "$root"
	done
	"$SPAWND" wait --parent P >/dev/null 3>&- &
	waiter=$!
	while is_alive "$waiter"; do
		kill -KILL "$(daemon_field server_pid)" || :
		# The next is due when this one has served.
		wait_until test "$(daemon_field running)" != x
		testjob sleep $((RANDOM % 300))
	done
	await_exit "$waiter"
	assert_equal "$CODE" 0
	assert_equal "$(count_status completed)" $((FAMILY_JOBS / 3))
	assert_not_exists "$TEST_DIR/exceeded"
}

has_run_for() {
	[[ $(job_field "$1" ".elapsed_ms > $2") == true ]]
}

# What a job says of itself once it goes on.
write_parent() {
	cat >"$TEST_DIR/parent" <<-'EOF'
		#!/bin/sh
		for child in a b; do
			"$SPAWND" enqueue --child "$child" -- testjob wait-for "$TEST_DIR/$child"
		done >/dev/null
		"$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err"
		echo $? >"$TEST_DIR/code"
	EOF
	chmod +x "$TEST_DIR/parent"
	export SPAWND
}

@test "a job that waits for its children lends its room: with max_running 1 they run" {
	configure '[spawnd]' 'max_running = 1'
	write_parent
	touch a b
	finish top -- "$TEST_DIR/parent" "$SPAWND" wait
	assert_record .status completed
	assert_equal "$(cat "$TEST_DIR/code")" 0
	assert_equal "$(jq -r .child "$TEST_DIR/out" | tr -d '\n')" ab
	# Those were taken.
	assert_equal "$(spawnd wait --parent top | wc -l)" 0
}

@test "run and next in a job lend its room, too" {
	configure '[spawnd]' 'max_running = 1'
	finish top --max-total 60s -- "$SPAWND" run -- "$SPAWND" run -- echo deep
	assert_record .status completed
	assert_equal "$(cat "$(job_field top .output)")" deep
	finish next -- sh -c '"$1" enqueue -- true; "$1" next' sh "$SPAWND"
	assert_record .status completed
}

@test "a job that only claims to be another lends nobody's room" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top -- testjob stall
	wait_until is_status top running
	spawnd enqueue --parent top --child a -- true
	SPAWND_CHILD=top SPAWND_JOB=1 "$SPAWND" wait a --timeout 60s >/dev/null 2>&1 3>&- &
	local pid=$!
	# It waits, for it is answered as soon as the room is there.
	spawnd enqueue --parent Q --child q -- true
	assert_equal "$(job_field a .status)" queued
	spawnd cancel top
	await_exit "$pid"
	assert_equal "$CODE" 123
}

# has_tried: the forger has waited, or somebody got the room that it has given away.
has_tried() {
	[[ -s waited ]] || is_status q running
}

@test "a job that puts on the mark of another lends nobody's room" {
	local mark tries=0

	configure '[spawnd]' 'max_running = 2'
	enqueue top -- testjob stall
	wait_until is_status top running
	spawnd enqueue --parent top --child a --delay 1h -- true
	mark=$(prlimit --locks --noheadings --output SOFT --pid "$(job_field top .pid)")
	cat >forge <<-'END'
		cd "$TEST_DIR" && escape limit "$1" "$1" true || exit 71
		touch forged
		testjob wait-for go
		SPAWND_CHILD=top SPAWND_JOB=$2 escape limit "$1" "$1" "$SPAWND" wait a --timeout 0.3s
		echo $? >waited
		exec testjob stall
	END
	export SPAWND
	# Without rights it can be but lowered, and marks are random.
	until [[ -e forged ]]; do
		((++tries < 600)) || skip "every mark is below the other"
		enqueue "forger$tries" -- sh "$TEST_DIR/forge" "$mark" "$(job_field top .job)"
		wait_until eval "[[ -e forged ]] || has_ended forger$tries"
	done
	enqueue q -- testjob stall
	touch go
	wait_until has_tried
	assert_equal "$(cat waited)" 125
	assert_equal "$(job_field q .status)" queued
}

@test "a wait that a job's first process has left behind lends its room" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top --leftovers wait -- sh -c '"$1" enqueue --child a -- true; "$1" wait a >"$TEST_DIR/out" &' sh "$SPAWND"
	await_record a
	await_record top
	assert_record .status completed
	assert_equal "$(jq -r .child out)" a
}

@test "what a wait has to say is held back until the job has its room again" {
	configure '[spawnd]' 'max_running = 1'
	write_parent
	enqueue top -- "$TEST_DIR/parent" "$SPAWND" wait --any
	wait_until spawnd status b
	wait_until is_status a running
	enqueue other --priority 9 -- testjob wait-for "$TEST_DIR/other"
	# a ends; top claims its room before other, which is first of those that are to be started, may begin.
	touch a
	await_record top
	assert_equal "$(jq -r .child "$TEST_DIR/out")" a
	touch b other
	await_record other
	await_record b
	assert_equal "$(spawnd results | jq -r .child | head -n 2 | tr -d '\n')" atop
}

@test "a wait that is killed while it lends claims the room of its job" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top -- sh -c '"$1" enqueue --child a -- testjob wait-for "$TEST_DIR/a"
		"$1" wait a & echo $! >"$TEST_DIR/pid"; wait; testjob wait-for "$TEST_DIR/go"' sh "$SPAWND"
	wait_until spawnd status a
	wait_until is_status a running
	spawnd enqueue --parent Q --child q -- true
	kill -KILL "$(pid_in "$TEST_DIR/pid")"
	touch a
	await_record a
	# top has its room, and works: nothing else may.
	assert_equal "$(job_field q .status)" queued
	touch go
	await_record q
	assert_record .status completed
	await_record top
}

@test "several waits of one job: it lends until the last of them is over" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top -- sh -c 'for i in a b c; do "$1" enqueue --child $i -- true; done
		for i in a b c; do "$1" wait $i & done; wait' sh "$SPAWND"
	await_record top
	assert_record .status completed
	assert_equal "$(spawnd list --status completed | wc -l)" 5
}

@test "a job that is ended while it lends leaves the room to others" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top --max-total 8s -- sh -c '"$1" enqueue --child a -- testjob wait-for "$TEST_DIR/go"
		"$1" wait' sh "$SPAWND"
	await_record top
	assert_record .status timeout
	wait_until is_status a running
	enqueue b -- true
	touch go
	await_record b
}

@test "the idle clock of a job that waits for its own children stands still" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top --max-idle 5s -- sh -c '"$1" enqueue --child a -- testjob sleep 6500; "$1" wait a' \
		sh "$SPAWND"
	await_record top
	assert_record .status completed
}

@test "who waits for somebody else's children lends, but grows idle" {
	configure '[spawnd]' 'max_running = 1'
	enqueue top --max-idle 5s -- sh -c '"$1" enqueue --parent Q --child a -- testjob stall; "$1" wait a' \
		sh "$SPAWND"
	await_record top
	assert_record .status timeout
	wait_until is_status a running
}

@test "a wait in a job that times out says so once the job has its room" {
	configure '[spawnd]' 'max_running = 1'
	write_parent
	enqueue top -- "$TEST_DIR/parent" "$SPAWND" wait --timeout 0.2s
	wait_until spawnd status b
	wait_until is_status a running
	# Its time is over, and it has no room.
	wait_until has_run_for top 1000
	assert_not_exists "$TEST_DIR/code"
	touch a b
	await_record top
	assert_equal "$(cat "$TEST_DIR/code")" 125
}

@test "waiting for oneself, or for whom one is below, is refused" {
	cat >"$TEST_DIR/try" <<-'EOF'
		#!/bin/sh
		for who in inner middle top "--parent middle" "--parent top" "--parent P" "--any top"; do
			"$SPAWND" wait $who >/dev/null 2>>"$TEST_DIR/err"
			echo "$who: $?"
		done
		"$SPAWND" wait nobody 2>/dev/null
		echo "nobody: $?"
	EOF
	chmod +x "$TEST_DIR/try"
	export SPAWND
	finish top -- "$SPAWND" run --child middle -- "$SPAWND" run --child inner -- "$TEST_DIR/try"
	run cat "$(job_field top .output)"
	assert_output "$(printf '%s: 64\n' inner middle top '--parent middle' '--parent top' '--parent P' '--any top'
		echo 'nobody: 66')"
	grep -q "'inner' is the job that waits" "$TEST_DIR/err"
	grep -q "'top' is above the job that waits" "$TEST_DIR/err"
}

@test "a job that enqueues into a full queue lends its room, for its children may be what fills it" {
	configure '[spawnd]' 'max_running = 1' 'queue_limit = 2'
	finish top --max-total 60s -- sh -c 'for i in 1 2 3 4 5 6; do "$1" enqueue -- true; done; "$1" wait' sh "$SPAWND"
	assert_record .status completed
	assert_equal "$(count_status completed)" 7
}

# A job with a child that runs in the room which it lends while it enqueues another into a full queue.
lend_and_be_killed() {
	cat >"$TEST_DIR/lends" <<-'SCRIPT'
		#!/bin/sh
		spawnd enqueue --child holder -- sh -c 'until [ -e "$1/go" ]; do sleep 0.05; done; touch "$1/over"' sh "$1"
		spawnd enqueue --child last -- true
		[ -e "$1/over" ] || touch "$1/early"
	SCRIPT
	chmod +x "$TEST_DIR/lends"
	enqueue top --max-total 120s -- "$TEST_DIR/lends" "$TEST_DIR"
}

serves_instead_of() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

@test "after a crash who enqueues goes on only when there is room for him" {
	local server

	configure '[spawnd]' 'max_running = 1' 'queue_limit = 1'
	lend_and_be_killed
	wait_until is_status holder running
	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_instead_of "$server"
	# Calls that come later than the repeated one are answered.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		spawnd status holder >/dev/null
	done
	touch "$TEST_DIR/go"
	await_record top
	assert_record .status completed
	assert [ ! -e "$TEST_DIR/early" ]
}

@test "waiting for who waits for oneself is refused, and the chain is named" {
	cat >"$TEST_DIR/try" <<-'SCRIPT'
		#!/bin/sh
		until [ -e "$1/go" ]; do sleep 0.05; done
		for who in b c "--any c" "--parent Q" "free c"; do
			spawnd wait $who >/dev/null 2>>"$1/err"
			echo "$who: $?"
		done
		spawnd wait --any free c >/dev/null
		echo "any: $?"
		spawnd wait either >/dev/null
		echo "either: $?"
	SCRIPT
	chmod +x "$TEST_DIR/try"
	enqueue a --max-total 120s -- "$TEST_DIR/try" "$TEST_DIR"
	enqueue free -- true
	enqueue b --after a -- true
	spawnd enqueue --parent Q --child c --after b -- true
	enqueue either --after a,free --after-policy any -- true
	touch "$TEST_DIR/go"
	await_record a
	run cat "$(job_field a .output)"
	assert_output "$(printf '%s: 64\n' b c '--any c' '--parent Q' 'free c'
		printf '%s: 0\n' any either)"
	grep -q "'b' waits for 'a', the job that waits: .* cancel 'b', or" "$TEST_DIR/err"
	grep -q "'c' waits for 'b', which waits for 'a', the job that waits" "$TEST_DIR/err"
	await_record c
	assert_record .status completed
}
