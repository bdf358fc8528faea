#!/usr/bin/env bats
# `enqueue --batch`: many jobs from lines of JSON.

load common

# lines COUNT [FIELDS]: so many lines, with children c1, c2 and so on.
lines() {
	seq "$1" | sed "s/.*/{\"parent\":\"P\",\"child\":\"c&\",\"argv\":[\"true\"]${2:+,$2}}/"
}

# batch [OPTION...]: the lines of standard input.
batch() {
	spawnd enqueue --batch - "$@"
}

# The children that were stored, in the order of their numbers.
children() {
	spawnd list --json | jq -r .child | tr '\n' ' '
}

has_lines() {
	(($(wc -l <"$1") >= $2))
}

not_in_trouble() {
	[[ $(daemon_field trouble) == null ]]
}

# A daemon in which nothing starts but the first job, which waits for its end.
hold_queue() {
	configure '[spawnd]' 'max_running = 1' "$@"
	spawnd enqueue --parent H --child holder -- testjob stall >/dev/null
	wait_until is_status holder running
}

@test "each line is a job; numbers are printed in order, and a count" {
	lines 3 >"$TEST_DIR/jobs.ndjson"
	run --separate-stderr -0 spawnd enqueue --batch "$TEST_DIR/jobs.ndjson"
	assert_equal "$output" $'1\n2\n3'
	assert_equal "$stderr" 'spawnd enqueue: 3 jobs queued'
	wait_until has_records P 3
	assert_equal "$(children)" 'c1 c2 c3 '
}

@test "with --json there is an answer for each line, and its number" {
	run --separate-stderr -0 batch --json < <(echo && lines 2)
	assert_equal "$(jq -c '[.line, .job, .child, .is_new]' <<<"$output")" \
		$'[2,1,"c1",true]\n[3,2,"c2",true]'
}

@test "what a line says reaches the job" {
	cat >"$TEST_DIR/input" <<<'from a file'
	batch <<-END
		{"parent":"P","child":"c","argv":["sh","-c","cat; echo \$K \$N \"\$1\"","sh","a  b"],"env":{"K":"a=b c","N":7},"stdin":"$TEST_DIR/input","max_total":"5s","max_idle":90,"check_interval":1.5,"activity":["output","heartbeat"],"meta":{"note":"x"},"clean_env":false,"model":null}
	END
	await_record c
	assert_equal "$(cat "$(jq -r .output <<<"$RECORD")")" $'from a file\na=b c 7 a  b'
	assert_equal "$(job_field c '.limits | [.max_total, .max_idle, .check_interval] | join(" ")')" '5s 90s 1.5s'
	assert_equal "$(job_field c .meta.note)" x
}

@test "options of the command line hold for all lines, and lines say otherwise" {
	batch --parent Q --max-total 7s --env A=1 --env B=1 <<-'END'
		{"child":"a","argv":["sh","-c","echo $A$B"]}
		{"child":"b","argv":["sh","-c","echo $A$B"],"max_total":"8s","env":{"B":"2"}}
	END
	await_record a
	await_record b
	assert_equal "$(job_field a '.parent + .limits.max_total')" Q7s
	assert_equal "$(job_field b '.parent + .limits.max_total')" Q8s
	assert_equal "$(spawnd logs a)" 11
	assert_equal "$(spawnd logs b)" 12
}

@test "every option of a job is a field, with _ for -, and nothing else is" {
	local option field

	spawnd enqueue --help | sed -nE 's/^  +(-[a-z], )?--([a-z-]+).*/\2/p' >"$TEST_DIR/options"
	assert grep -qx max-total "$TEST_DIR/options"
	while read -r option; do
		field=${option//-/_}
		run -65 batch <<<"{\"$field\":{\"\":[]}}"
		case $option in
		batch | from-line | json | help | no-autostart) assert_output --partial "unknown field '$field'" ;;
		*) refute_output --partial unknown ;;
		esac
	done <"$TEST_DIR/options"
	run -65 batch <<<'{"max-total":"5s"}'
	assert_output --partial "unknown field 'max-total'; did you mean max_total?"
	run -65 batch <<<'{"xyzzy":1}'
	assert_output --partial "unknown field 'xyzzy'; fields are argv and the options of enqueue"
}

@test "a field that is null or false is as if it were not there" {
	batch --parent Q --priority 3 --model big <<-'END'
		{"argv":["sh","-c","exit $N"],"child":"c","env":false,"meta":false,"priority":false,"model":null,"after":false,"pool":false,"max_total":false,"no_wait":false}
	END
	await_record c
	assert_equal "$(job_field c '"\(.parent) \(.priority) \(.model)"')" 'Q 3 big'
	run -65 batch <<<'{"argv":false}'
	assert_line --partial 'no command was given'
	run -65 batch <<<'{"argv":["true"],"priority":[1]}'
	assert_line 'spawnd enqueue: stdin:1: priority: must be a string or a number'
}

@test "what the daemon misses is named as a field" {
	local line

	for line in '{"argv":[]}' '{"child":"x"}'; do
		run -65 batch <<<"$line"
		assert_line --partial 'give "argv", or write a [runner NAME]'
		refute_line --partial 'behind --'
	done
	run -65 batch <<<'{"argv":["true"],"retry_on":"error"}'
	assert_line 'spawnd enqueue: stdin:1: retry_on: is for jobs that are run again: give "retries" as well'
	run -65 batch <<<'{"argv":["true"],"after_policy":"any"}'
	assert_line --partial 'give "after" or "after_ok" as well'
}

@test "a broken line: those before it stand, it is named, and nothing after it is queued" {
	local bad

	for bad in '{"argv":["true"]' '["true"]' 'true' '{"argv":["true"],"max_totl":"5s"}' \
		'{"argv":"true"}' '{"argv":["true"],"max_total":"soon"}' '{"argv":["true"],"child":"-"}' \
		'{"argv":["true"],"env":["A=1"]}' '{"argv":["true"],"env":{"A=B":"1"}}' '{"argv":["true"],"no_wait":"yes"}' \
		'{"argv":["true"],"child":"b","child":"b2"}' '{"argv":["a\u0000b"]}' $'{"argv":["\xff"]}' \
		'{"argv":["true"],"if_exists":"perhaps"}' '{"argv":["true"],"stdin":"/nowhere"}'; do
		rm -rf "$SPAWND_HOME"
		{
			lines 2
			printf '%s\n' "$bad"
			lines 1 | sed s/c1/after/
		} >"$TEST_DIR/jobs"
		run --separate-stderr -65 spawnd enqueue --batch "$TEST_DIR/jobs"
		assert_equal "$output" $'1\n2'
		assert_regex "${stderr_lines[0]}" '^spawnd enqueue: jobs:3: '
		assert_equal "${stderr_lines[1]}" \
			'spawnd enqueue: 2 jobs queued; line 3 was not, nor what is behind it: mend it, and go on with --from-line 3'
		assert_equal "$(children)" 'c1 c2 '
		spawnd stop --now
		wait_until is_empty_of_processes
	done
}

@test "a line of NUL bytes is a broken one, not an empty one" {
	printf '{"argv":["true"]}\n\0\0\n' >"$TEST_DIR/jobs"
	run --separate-stderr -65 spawnd enqueue --batch "$TEST_DIR/jobs"
	assert_equal "$output" 1
	assert_regex "${stderr_lines[0]}" '^spawnd enqueue: jobs:2: '
}

@test "what the daemon refuses ends the batch too, whatever was under way" {
	hold_queue
	spawnd enqueue --parent H --child c5 -- true
	lines 50 >"$TEST_DIR/jobs"
	run --separate-stderr -73 spawnd enqueue --batch "$TEST_DIR/jobs"
	assert_equal "${#lines[@]}" 4
	assert_equal "${stderr_lines[0]}" "spawnd enqueue: jobs:5: child 'c5' is already queued as job 2; wait for it, or say --if-exists ignore or --if-exists replace"
	assert_regex "${stderr_lines[1]}" '^spawnd enqueue: 4 jobs queued; line 5 was not'
	assert_equal "$(children)" 'holder c5 c1 c2 c3 c4 '
	sed -i 5d "$TEST_DIR/jobs"
	run --separate-stderr -0 spawnd enqueue --batch "$TEST_DIR/jobs" --from-line 5
	assert_equal "$stderr" 'spawnd enqueue: 45 jobs queued'
	assert_equal "$(children | wc -w)" 51
	# There is nothing to go on with behind the last line, and farther behind is a mistake.
	run --separate-stderr -0 spawnd enqueue --batch "$TEST_DIR/jobs" --from-line 50
	assert_equal "$stderr" 'spawnd enqueue: 0 jobs queued'
	run --separate-stderr -65 spawnd enqueue --batch "$TEST_DIR/jobs" --from-line 51
	assert_equal "$stderr" 'spawnd enqueue: 0 jobs queued: --from-line 51, but there are only 49 lines'
}

@test "a line is queued when it comes, whatever comes next" {
	mkfifo "$TEST_DIR/pipe"
	spawnd enqueue --batch - <"$TEST_DIR/pipe" >"$TEST_DIR/numbers" 3>&- &
	exec {pipe}>"$TEST_DIR/pipe"
	lines 1 >&"$pipe"
	wait_until has_lines "$TEST_DIR/numbers" 1
	await_record c1
	lines 2 | tail -n 1 >&"$pipe"
	wait_until has_lines "$TEST_DIR/numbers" 2
	exec {pipe}>&-
	await_exit $!
	assert_equal "$CODE" 0
}

@test "a full queue is waited for, or not" {
	hold_queue 'queue_limit = 5'
	run --separate-stderr -75 batch --no-wait < <(lines 20)
	assert_equal "${#lines[@]}" 5
	assert_regex "${stderr_lines[0]}" '^spawnd enqueue: stdin:6: the queue is full \(queue_limit 5\)'
	assert_regex "${stderr_lines[1]}" '5 jobs queued; line 6 was not'
	lines 20 | sed 's/c/d/2' >"$TEST_DIR/jobs"
	"$SPAWND" enqueue --batch "$TEST_DIR/jobs" >"$TEST_DIR/numbers" 2>"$TEST_DIR/said" 3>&- &
	spawnd cancel holder
	await_exit $!
	assert_equal "$CODE" 0
	assert_equal "$(wc -l <"$TEST_DIR/numbers")" 20
	assert_equal "$(cat "$TEST_DIR/said")" 'spawnd enqueue: 20 jobs queued'
}

@test "an interrupted batch says how far it came, and leaves nothing behind" {
	hold_queue 'queue_limit = 5'
	lines 20 >"$TEST_DIR/jobs"
	"$SPAWND" enqueue --batch "$TEST_DIR/jobs" >"$TEST_DIR/numbers" 2>"$TEST_DIR/said" 3>&- &
	wait_until has_lines "$TEST_DIR/numbers" 5
	kill -TERM $!
	await_exit $!
	assert_equal "$CODE" 143
	assert_regex "$(cat "$TEST_DIR/said")" '5 jobs queued; whether lines 6 to 20 were queued is not known'
	assert_equal "$(children)" 'holder c1 c2 c3 c4 c5 '
	# What it had under way has gone with it.
	spawnd cancel holder
	wait_until has_records P 5
	assert_equal "$(children | wc -w)" 6
}

@test "the server is killed in the middle, again and again: each line is one job" {
	hold_queue
	lines 4000 >"$TEST_DIR/jobs"
	"$SPAWND" enqueue --batch "$TEST_DIR/jobs" >"$TEST_DIR/numbers" 2>"$TEST_DIR/said" 3>&- &
	local kills=0 at

	for at in 1 400 1200 2000; do
		wait_until has_lines "$TEST_DIR/numbers" "$at"
		kill -KILL "$(daemon_field server_pid)" && ((++kills))
	done
	await_exit $!
	assert_equal "$CODE" 0
	assert_equal "$kills" 4
	assert_equal "$(cat "$TEST_DIR/said")" 'spawnd enqueue: 4000 jobs queued'
	seq 2 4001 | cmp - "$TEST_DIR/numbers"
	spawnd list --json --parent P | jq -r .child | cmp - <(seq 4000 | sed s/^/c/)
}

@test "a store that cannot be written to ends the batch; what was stored goes on from there" {
	local batch locker

	hold_queue
	lines 500 >"$TEST_DIR/jobs"
	mkfifo "$TEST_DIR/sql" "$TEST_DIR/pipe"
	"$SPAWND" enqueue --batch "$TEST_DIR/pipe" >"$TEST_DIR/numbers" 2>"$TEST_DIR/said" 3>&- &
	batch=$!
	exec 6>"$TEST_DIR/pipe"
	head -n 10 "$TEST_DIR/jobs" >&6
	wait_until has_lines "$TEST_DIR/numbers" 10
	sqlite3 -cmd '.timeout 5000' "$SPAWND_HOME/state/spawnd.db" <"$TEST_DIR/sql" >"$TEST_DIR/locked" \
		3>&- 6>&- &
	locker=$!
	exec 7>"$TEST_DIR/sql"
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&7
	wait_until test -s "$TEST_DIR/locked"
	tail -n +11 "$TEST_DIR/jobs" >&6
	exec 6>&-
	await_exit "$batch"
	assert_equal "$CODE" 74
	assert_regex "$(head -n 1 "$TEST_DIR/said")" 'pipe:11: the daemon cannot store anything'
	assert_regex "$(tail -n 1 "$TEST_DIR/said")" '10 jobs queued; line 11 was not'
	exec 7>&-
	await_exit "$locker"
	wait_until not_in_trouble
	run -0 spawnd enqueue --batch "$TEST_DIR/jobs" --from-line 11
	spawnd list --json --parent P | jq -r .child | cmp - <(seq 500 | sed s/^/c/)
}

@test "with a token the same batch goes on where it was cut off, and is queued once" {
	hold_queue
	lines 2000 >"$TEST_DIR/jobs"
	"$SPAWND" enqueue --batch "$TEST_DIR/jobs" --token monday >"$TEST_DIR/numbers" 3>&- &
	wait_until has_lines "$TEST_DIR/numbers" 100
	kill -KILL $!
	await_exit $!
	run --separate-stderr -0 spawnd enqueue --batch "$TEST_DIR/jobs" --token monday
	assert_equal "${#lines[@]}" 2000
	assert_regex "$stderr" '^spawnd enqueue: [0-9]+ jobs queued, [1-9][0-9]* were there already$'
	assert_equal "$(children | wc -w)" 2001
	# All of it is there already; and under another name it is another batch.
	run --separate-stderr -0 spawnd enqueue --batch "$TEST_DIR/jobs" --token monday
	assert_equal "$stderr" 'spawnd enqueue: 0 jobs queued, 2000 were there already'
	run --separate-stderr -73 spawnd enqueue --batch "$TEST_DIR/jobs" --token tuesday
	assert_regex "${stderr_lines[0]}" "jobs:1: child 'c1' is already queued"
}

@test "a token makes of one job one job" {
	run -0 spawnd enqueue --token once -- true
	assert_output 1
	run -0 spawnd enqueue --token once -- true
	assert_output 1
	batch <<<'{"argv":["true"],"token":"once"}'
	assert_equal "$(children | wc -w)" 1
}

@test "a line without end is refused before it fills the memory" {
	run -65 batch < <(lines 1 && head -c 9000000 /dev/zero | tr '\0' a)
	assert_output --partial 'stdin:2: longer than 8388608 bytes'
	assert_equal "$(children)" 'c1 '
}

@test "what does not go together with --batch is refused" {
	run -64 batch -- true
	assert_output --partial "'true': with --batch the commands come from the file"
	run -64 batch --child c
	run -64 spawnd enqueue --from-line 3 -- true
	run -64 batch --from-line 0
	run -66 spawnd enqueue --batch "$TEST_DIR/nowhere"
	run -66 spawnd enqueue --batch "$TEST_DIR"
	assert_output "spawnd enqueue: --batch '$TEST_DIR': Is a directory"
	run -66 batch <"$TEST_DIR"
	assert_output "spawnd enqueue: --batch '-': Is a directory"
}

@test "a terminal is shown how far it is, and nobody else" {
	hold_queue 'queue_limit = 5'
	lines 6 >"$TEST_DIR/jobs"
	script -qefc "$SPAWND enqueue --batch $TEST_DIR/jobs" /dev/null >"$TEST_DIR/terminal" 2>&1 </dev/null 3>&- &
	wait_until grep -q '5 jobs queued, line 6' "$TEST_DIR/terminal"
	spawnd cancel holder
	await_exit $!
	assert grep -q '6 jobs queued' "$TEST_DIR/terminal"
}
