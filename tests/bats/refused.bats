# What is refused: with the same exit code whoever finds the fault, and a message that is whole.
load common

# with_small_stack COMMAND...: the system takes 256 KiB of arguments and environment there.
with_small_stack() {
	(ulimit -s 1024 && exec "$@")
}

assert_too_long() {
	assert_equal "$status" 65
	assert_equal "$output" ''
	assert_regex "$stderr" '^spawnd enqueue: arguments and environment together are [0-9]+ bytes too long'
}

@test "a command is too long, says the client, or the daemon: 65" {
	local word

	word=$(head -c 100000 /dev/zero | tr '\0' x)
	# Started with it, the client takes it; what the daemon adds makes it too long.
	run --separate-stderr with_small_stack env -i SPAWND_HOME="$SPAWND_HOME" \
		"$SPAWND" enqueue -p P -c c -- true "$word" "$word" "${word::50000}"
	assert_too_long
	with_small_stack "$SPAWND" fifo P
	run --separate-stderr spawnd enqueue -p P -c c -- true "$word" "$word" "$word"
	assert_too_long
	run -0 spawnd list --json
	assert_output ''
}

# says CODE TEXT COMMAND...: it ends so, with one line that has this text and no byte that commands a terminal.
says() {
	run "-$1" --separate-stderr "${@:3}"
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == *"$2"* ]]
	run ! grep -q $'[\001-\011\013-\037\177]' <<<"$stderr"
}

@test "what cannot be shown does not tear a message" {
	says 64 "child id 'a\\nb\\x1b[2J'" spawnd enqueue -p P -c $'a\nb\e[2J' -- true
	says 64 "there is no command 'a\\nb'" spawnd $'a\nb'
	says 64 "unknown option '--a\\nb'" spawnd enqueue $'--a\nb'
	says 64 "--max-total '1\\ns'" spawnd enqueue --max-total $'1\ns' -- true
	says 64 "--env 'a\\nb'" spawnd enqueue --env $'a\nb' -- true
	says 66 "--stdin 'a\\nb'" spawnd enqueue --stdin $'a\nb' -- true
	says 64 "--status 'a\\nb'" spawnd list --status $'a\nb'
	says 64 "child id 'a\\nb'" spawnd status $'a\nb'
	says 64 '/a\nb: is not a FIFO' eval 'touch "a"$'\''\nb'\''; spawnd fifo P --at "a"$'\''\nb'\'
	says 127 'a\nb' spawnd run -- $'/a\nb'
}

@test "a time beyond any is told as such" {
	says 64 "--timeout '99999999999999999999': longer than 100 years" \
		spawnd next -p P --timeout 99999999999999999999
	says 64 "--timeout 'x': not a duration" spawnd next -p P --timeout x
}

@test "a runtime directory that is a file is told at once" {
	mkdir -m 700 "$SPAWND_HOME"
	touch "$SPAWND_HOME/run"
	says 73 "$SPAWND_HOME/run: is not a directory" spawnd enqueue -p P -c c -- true
	says 73 "$SPAWND_HOME/run: is not a directory" spawnd status --no-autostart
}

@test "what is no variable is passed on with the environment" {
	oddenv no-equals oddenv '' "$SPAWND" enqueue -p P -c d -- cat /proc/self/environ
	await_record d
	assert_equal "$(tr '\0' '\n' <"$(job_field d .output)" | grep -c '^no-equals$\|^$')" 2
}

@test "what the daemon refuses is named as it was typed: an option, or a field of a line" {
	says 64 'spawnd enqueue: --retry-delay: is for jobs' spawnd enqueue -p P -c c --retry-delay 3s -- true
	says 64 'spawnd enqueue: --retry-on: is for jobs' spawnd enqueue -p P -c c --retry-on lost -- true
	says 64 "spawnd enqueue: --pool: there is no pool 'x'" spawnd enqueue -p P -c c --pool x -- true
	echo '{"parent":"P","child":"c","argv":["true"],"retry_delay":"3s"}' >"$TEST_DIR/lines"
	run -65 --separate-stderr spawnd enqueue --batch "$TEST_DIR/lines"
	assert_regex "$stderr" 'lines:1: retry_delay: is for jobs'
}
