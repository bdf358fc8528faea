# enqueue: what is accepted is numbered, stored and run; what is not is refused with a reason.
load common

@test "enqueue prints the job's number and comes back while the job runs" {
	run -0 spawnd enqueue --parent P --child c -- testjob wait-for "$TEST_DIR/go"
	assert_output 1
	wait_until is_status c running
	touch "$TEST_DIR/go"
	await_record c
	assert_record .status completed
}

@test "job numbers go up and are not used again after a restart" {
	run -0 enqueue a -- true
	assert_output 1
	run -0 enqueue b -- true
	assert_output 2
	await_record b
	spawnd stop
	run -0 enqueue c -- true
	assert_output 3
}

@test "enqueue --json answers with one document" {
	run -0 --separate-stderr spawnd enqueue --parent P --child c --json -- true
	assert_equal "$(jq -r '[.job, .run, .parent, .child] | @csv' <<<"$output")" '1,1,"P","c"'
}

@test "ids that are not given are made up, and differ" {
	local i

	for i in 1 2 3 4 5; do
		spawnd enqueue --json -- true
	done >"$TEST_DIR/answers"
	assert_equal "$(jq -r .child "$TEST_DIR/answers" | sort -u | wc -l)" 5
	assert_equal "$(jq -r .parent "$TEST_DIR/answers" | sort -u | wc -l)" 5
}

@test "the record of a made-up parent waits for nobody" {
	spawnd enqueue --child c --json -- true >"$TEST_DIR/answer"
	await_record c
	run -66 spawnd next --parent "$(jq -r .parent "$TEST_DIR/answer")"
	assert_output ''
	assert_equal "$(record_count "$(jq -r .parent "$TEST_DIR/answer")")" 1
}

@test "inside a job the parent is the job's child id" {
	finish outer -- "$SPAWND" enqueue --child inner -- true
	assert_record .status completed
	await_record inner
	assert_record .parent outer
}

@test "a child id that has not ended is refused, and the message names its job" {
	enqueue c -- testjob stall
	run -73 --separate-stderr enqueue c -- true
	assert_equal "$output" ''
	[[ $stderr == *'already running as job 1'* ]]
}

@test "--if-exists ignore answers with the job that is there" {
	enqueue c -- testjob stall
	run -0 spawnd enqueue --parent P --child c --if-exists ignore -- touch "$TEST_DIR/ran"
	assert_output 1
	spawnd cancel c
	await_record c
	assert_not_exists "$TEST_DIR/ran"
}

@test "--if-exists replace cancels it, and runs the new one when it has ended" {
	enqueue c -- testjob stall
	wait_until is_status c running
	run -0 spawnd enqueue --parent P --child c --if-exists replace -- true
	assert_output 2
	wait_until has_records P 2
	assert_equal "$(spawnd results --parent P | jq -r '"\(.job) \(.status)"')" $'1 cancelled\n2 completed'
}

@test "a child id that has ended starts a new run" {
	finish c -- true
	assert_record .run 1
	finish c -- sh -c 'exit "$SPAWND_RUN"'
	assert_record '"\(.run) \(.exit_code)"' '2 2'
}

@test "max_running jobs run at once, the others wait their turn in order" {
	local i

	configure '[spawnd]' 'max_running = 2'
	for i in 1 2 3 4 5; do
		enqueue "c$i" -- testjob append "$TEST_DIR/order" "$i" wait-for "$TEST_DIR/go$i"
	done
	wait_until is_status c2 running
	assert_equal "$(job_field c3 .status)" queued
	touch "$TEST_DIR"/go2
	wait_until is_status c3 running
	assert_equal "$(job_field c4 .status)" queued
	touch "$TEST_DIR"/go{3,4,5}
	wait_until has_records P 4
	assert_equal "$(job_field c1 .status)" running
	touch "$TEST_DIR/go1"
	await_record c1
	assert_equal "$(sort "$TEST_DIR/order" | tr -d '\n')" 12345
	assert_equal "$(sed -n '3,$p' "$TEST_DIR/order" | tr -d '\n')" 345
}

@test "max_running_per_parent leaves room for other parents" {
	configure '[spawnd]' 'max_running = 4' 'max_running_per_parent = 1'
	enqueue a1 -- testjob stall
	enqueue a2 -- testjob stall
	spawnd enqueue --parent Q --child b1 -- testjob stall
	wait_until is_status b1 running
	wait_until is_status a1 running
	assert_equal "$(job_field a2 .status)" queued
	spawnd cancel a1
	wait_until is_status a2 running
}

@test "a parent with many children holds up no other" {
	local i

	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob wait-for "$TEST_DIR/go"
	for i in 1 2 3 4 5; do
		enqueue "c$i" -- testjob append "$TEST_DIR/order" P
	done
	spawnd enqueue --parent Q --child q -- testjob append "$TEST_DIR/order" Q
	touch "$TEST_DIR/go"
	wait_until has_records P 6
	await_record q
	assert_regex "$(head -n 2 "$TEST_DIR/order" | tr -d '\n')" Q
}

@test "a full queue makes enqueue wait, and refuses with --no-wait" {
	configure '[spawnd]' 'max_running = 1' 'queue_limit = 1'
	enqueue running -- testjob stall
	wait_until is_status running running
	enqueue queued -- true
	run -75 --separate-stderr spawnd enqueue --parent P --child c --no-wait -- true
	[[ $stderr == *full* ]]

	"$SPAWND" enqueue --parent P --child waits -- true 3>&- &
	local waiting=$!
	spawnd cancel running
	await_exit "$waiting"
	assert_equal "$CODE" 0
	await_record waits
	assert_record .status completed
}

@test "--meta takes watchdog limits; what is no positive whole number is ignored with a warning" {
	finish c --meta child_watchdog.max_idle_secs=1 -- testjob stall
	assert_record_like .error '\(max_idle 1 ?s\)'
	run -0 --separate-stderr spawnd enqueue --parent P --child d \
		--meta child_watchdog.max_total_secs=-5 -- true
	assert_equal "$output" 2
	[[ $stderr == *max_total_secs* ]]
	await_record d
	assert_record .status completed
}

@test "an option wins over --meta" {
	finish c --max-idle 0.1s --meta child_watchdog.max_idle_secs=300 -- testjob stall
	assert_record .status timeout
	assert_record_like .error '\(max_idle 0\.1 ?s\)'
}

@test "a child without command is refused" {
	run -64 --separate-stderr spawnd enqueue --parent P --child c
	[[ -n $stderr ]]
}

@test "an option that may be two is ambiguous, and one that is none unknown" {
	run -64 spawnd enqueue --max 5 -- true
	assert_output --regexp "^spawnd enqueue: option '--max' is ambiguous; it may be --max-total, --max-idle, .*--max-output$"
	run -64 spawnd enqueue --max-o=5 -- true
	assert_output "spawnd enqueue: option '--max-o' is ambiguous; it may be --max-open-files, --max-output"
	run -64 spawnd enqueue --maxi=5 -- true
	assert_output "spawnd enqueue: unknown option '--maxi'; 'spawnd enqueue --help' lists them"
	run -64 spawnd enqueue --json=5 -- true
	assert_output "spawnd enqueue: option '--json' takes no value"
}
