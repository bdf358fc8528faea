# Bad input: a clear error, the right exit code, and nothing queued.
load common

refused() {
	run --separate-stderr "$@"
	if ((status != 64)) || [[ -z $stderr || -n $output ]]; then
		echo "not refused with 64: $* ($status) $output $stderr" >&2
		return 1
	fi
}

@test "ids that are none are refused" {
	local id hundred

	hundred=$(printf 'x%.0s' {1..100})
	for id in a/b .. ../x .hidden -x 'a b' $'a\nb' "${hundred}x" '' 'a"b' 'a;b' $'\xc3\xa4' '*' $'a\x01'; do
		refused spawnd enqueue --parent P "--child=$id" -- true
		refused spawnd enqueue "--parent=$id" --child c -- true
		refused spawnd fifo -- "$id"
		refused spawnd results "--parent=$id"
	done
	run -0 spawnd list --json
	assert_output ''
}

@test "ids of every allowed character, and of 100 bytes, are taken" {
	local id hundred

	hundred=$(printf 'x%.0s' {1..100})
	for id in "$hundred" a Z 0 _ : @ + 'aZ09._:@+-'; do
		run -0 spawnd enqueue --parent "$id" --child "$id" -- true
		await_record "$id"
		assert_record .child "$id"
	done
}

@test "durations that are none are refused" {
	local text

	for text in -1 1x 99999999999999999999d '' ' 1' '1 s' 1e3 0x10 nan inf . 1..5 --1 +1 1ss; do
		refused spawnd enqueue --parent P --child c "--max-idle=$text" -- true
		refused spawnd enqueue --parent P --child c "--max-total=$text" -- true
		refused spawnd enqueue --parent P --child c "--kill-grace=$text" -- true
	done
	refused spawnd wait c --timeout=1x
	refused spawnd next --parent P --timeout=-1
}

@test "limits out of range are refused" {
	refused spawnd enqueue --parent P --child c --max-idle 0 -- true
	refused spawnd enqueue --parent P --child c --max-total 0 -- true
	refused spawnd enqueue --parent P --child c --kill-signal NONE -- true
	refused spawnd enqueue --parent P --child c --kill-signal 0 -- true
	refused spawnd enqueue --parent P --child c --kill-signal 9999 -- true
	refused spawnd enqueue --parent P --child c --activity nonsense -- true
	refused spawnd enqueue --parent P --child c --idle-from never -- true
	refused spawnd enqueue --parent P --child c --if-exists perhaps -- true
}

@test "unknown options and commands are refused" {
	local command

	refused spawnd
	refused spawnd nonsense
	refused spawnd --nonsense
	for command in daemon enqueue run wait next fifo results status list logs cancel pause unpause beat stop \
		reload config version; do
		refused spawnd "$command" --nonsense
	done
}

@test "options without their argument, and arguments too many or too few, are refused" {
	refused spawnd enqueue --parent
	refused spawnd next
	refused spawnd fifo
	refused spawnd fifo P Q
	refused spawnd wait
	refused spawnd cancel
	refused spawnd pause
	refused spawnd unpause --parent P c
	refused spawnd results --since x --parent P
	refused spawnd logs
	refused spawnd logs -n -5 c
	refused spawnd run --
	refused spawnd config nonsense
	refused spawnd fifo P --format xml
	refused spawnd enqueue --env NOVALUE --child c -- true
	refused spawnd enqueue --env =x --child c -- true
	refused spawnd enqueue --meta NOVALUE --child c -- true
}

@test "options stop where the command begins" {
	finish c -- printf %s --nonsense
	assert_equal "$(cat "$(job_field c .output)")" --nonsense
	run -0 enqueue d printf %s --max-idle=x
	await_record d
	assert_equal "$(cat "$(job_field d .output)")" --max-idle=x
}

@test "--help prints usage for every command" {
	local command

	run -0 --separate-stderr spawnd --help
	[[ $output == *enqueue* ]]
	for command in daemon enqueue run wait next fifo results status list logs cancel pause unpause beat stop \
		reload config version; do
		run -0 --separate-stderr spawnd "$command" --help
		[[ $output == *"spawnd $command"* && -z $stderr ]]
		refute_line --regexp ' $'
		assert_equal "$(spawnd "$command" -h)" "$output"
	done
	assert_equal "$(spawnd -h)" "$(spawnd --help)"
	assert_equal "$(spawnd -V)" "$(spawnd version)"
	assert_equal "$(spawnd --version)" "$(spawnd version)"
}

@test "--help says what --parent means to each command, and which words a setting takes" {
	run -0 spawnd enqueue --help
	assert_line --regexp '--parent X .*inside a job: that job$'
	assert_line --regexp '--activity VALUE .*; any of heartbeat,output$'
	assert_line --regexp '--idle-from VALUE .*; one of start, first-beat$'
	run -0 spawnd list --help
	assert_line --regexp '--parent X .*only children of this parent$'
	run -0 spawnd cancel --help
	assert_line --regexp '--parent X .*all children of this parent$'
	run -0 spawnd pause --help
	assert_line --regexp '--parent X .*all children of this parent that run$'
}

@test "what never starts a daemon has no --no-autostart" {
	refused spawnd stop --no-autostart
	refused spawnd reload --no-autostart
	run -69 spawnd stop
	run -69 spawnd reload
}

@test "a child that has not ended is refused by its name and its job" {
	enqueue c -- testjob stall
	wait_until is_status c running
	run -73 --separate-stderr enqueue c -- true
	[[ $stderr == *"child 'c' is already running as job 1;"* ]]
	enqueue d --delay 1h -- true
	run -73 --separate-stderr enqueue d -- true
	[[ $stderr == *"child 'd' is already queued as job 2;"* ]]
}

@test "a file for --stdin that is not there is refused" {
	run --separate-stderr spawnd enqueue --parent P --child c --stdin "$TEST_DIR/none" -- cat
	assert_not_equal "$status" 0
	[[ $stderr == *"$TEST_DIR/none"* ]]
	run -66 spawnd status c
}

@test "nothing that was accepted is lost among refusals" {
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	refused spawnd enqueue --parent P --child ../b -- true
	run -73 enqueue a -- true
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
	assert_equal "$(record_count P)" 1
}
