# How a job can end, and what its record says about it.
load common

@test "exit 0 is completed" {
	finish c -- true
	assert_record '[.event, .status, .exit_code, .signal, .ran, .error] | tojson' \
		'["completed","completed",0,null,true,null]'
}

@test "another exit code is an error, and the record has the code" {
	finish c -- testjob exit 7
	assert_record '[.status, .exit_code, .signal, .ran] | tojson' '["error",7,null,true]'
	assert_record_like .error '7'
}

@test "death by a signal of its own is an error, and the record has the signal" {
	finish c -- testjob die SEGV
	assert_record '[.status, .exit_code, .signal, .ran] | tojson' '["error",null,"SEGV",true]'
}

@test "a program that does not exist never ran" {
	finish c -- "$TEST_DIR/none"
	assert_record '[.status, .ran, .exit_code, .stage, .errno] | tojson' \
		'["error",false,null,"exec","ENOENT"]'
	assert_record_like .error "$TEST_DIR/none|No such file"
}

@test "a file that is not executable never ran" {
	echo text >"$TEST_DIR/text"
	finish c -- "$TEST_DIR/text"
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"exec","EACCES"]'
	chmod 755 "$TEST_DIR/text"
	finish d -- "$TEST_DIR/text"
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"exec","ENOEXEC"]'
}

@test "a directory that is gone when the job's turn comes: it never ran" {
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob stall
	mkdir "$TEST_DIR/gone"
	(cd "$TEST_DIR/gone" && enqueue c -- true)
	rmdir "$TEST_DIR/gone"
	spawnd cancel first
	await_record c
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"directory","ENOENT"]'
}

@test "a directory that may not be entered when the job's turn comes: it never ran, and the error names it" {
	local as=()

	configure '[spawnd]' 'max_running = 1'
	# shellcheck disable=SC2054 # one word with a comma
	((EUID != 0)) || as=(setpriv --bounding-set=-dac_override,-dac_read_search --)
	"${as[@]}" "$SPAWND" fifo P
	enqueue first -- testjob stall
	mkdir "$TEST_DIR/closed"
	(cd "$TEST_DIR/closed" && enqueue c -- true)
	chmod 000 "$TEST_DIR/closed"
	spawnd cancel first
	await_record c
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"directory","EACCES"]'
	assert_record .error "could not be started: cannot enter the directory '$TEST_DIR/closed': Permission denied"
}

@test "a directory that is gone already is refused" {
	mkdir "$TEST_DIR/gone"
	cd "$TEST_DIR/gone"
	rmdir "$TEST_DIR/gone"
	run --separate-stderr enqueue c -- true
	assert_not_equal "$status" 0
	[[ -n $stderr ]]
	cd "$TEST_DIR"
}

@test "a file for --stdin that is gone when the job's turn comes: it never ran" {
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob stall
	touch "$TEST_DIR/input"
	enqueue c --stdin "$TEST_DIR/input" -- cat
	rm "$TEST_DIR/input"
	spawnd cancel first
	await_record c
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"stdin","ENOENT"]'
}

@test "an empty command name is refused" {
	run -64 --separate-stderr spawnd enqueue --parent P --child c -- ''
	[[ -n $stderr ]]
}

@test "the record is one line of JSON with every field" {
	enqueue c -- testjob beat 'tool=grep phase=begin round=12' output hello \
		wait-for "$TEST_DIR/go" sleep 20
	# From here on the daemon counts: it may learn late that a program was executed.
	wait_until is_status c running
	touch "$TEST_DIR/go"
	await_record c
	spawnd results --parent P >"$TEST_DIR/records"
	assert_equal "$(wc -l <"$TEST_DIR/records")" 1
	assert [ "$(wc -c <"$TEST_DIR/records")" -le 4096 ]
	run -0 jq -e '(.seq | type == "number") and .job == 1 and .run == 1
	    and .parent == "P" and .child == "c"
	    and (.queued_at, .started_at, .completed_at
	        | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}Z$"))
	    and .elapsed_ms >= 20 and .idle_ms >= 0 and .cpu_ms >= 0 and .max_rss_kb > 0
	    and .last_event == {tool: "grep", phase: "begin", round: 12}
	    and (.containment | IN("cgroup", "subreaper")) and .output_bytes == 6 and .result_bytes == 0
	    and (.output | endswith("1.log"))' "$TEST_DIR/records"
}

@test "a record stays within 4096 bytes, however long its parts are" {
	local long

	long=$(printf 'x%.0s' {1..3000})
	finish c -- "$TEST_DIR/$long/$long"
	assert [ "$(spawnd results --parent P | wc -c)" -le 4096 ]
	finish d --max-idle 0.2s -- testjob beat "$(printf '\1\2"\\%.0s' {1..250})" stall
	assert_record .status timeout
	spawnd results --parent P >"$TEST_DIR/records"
	assert [ "$(tail -n 1 "$TEST_DIR/records" | wc -c)" -le 4096 ]
	jq -e . "$TEST_DIR/records" >/dev/null
}

@test "both standard output and standard error are kept, in order" {
	finish c -- testjob output one error two output three
	assert_equal "$(cat "$(jq -r .output <<<"$RECORD")")" $'one\ntwo\nthree'
}
