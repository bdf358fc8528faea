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
