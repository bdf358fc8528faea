# The worked example of an agent runtime: doc/example does what doc/agents.md says, and that has the very lines
# of the scripts.
load common

DOC=$BATS_TEST_DIRNAME/../../doc

setup_file() {
	# The scripts say `spawnd`.
	mkdir "$BATS_FILE_TMPDIR/bin"
	ln -s "$SPAWND" "$BATS_FILE_TMPDIR/bin/spawnd"
}

# The example, its temporary directory within that of the test.
example() {
	env -u SPAWND_HOME TMPDIR="$TEST_DIR" PATH="$BATS_FILE_TMPDIR/bin:$PATH" sh "$DOC/example/start" "$@"
}

# The example in the background: it prints into out, and reads from the FIFO answer, open as $ANSWER.
start_aside() {
	mkfifo "$TEST_DIR/answer"
	touch "$TEST_DIR/out"
	exec {ANSWER}<>"$TEST_DIR/answer"
	example "" <"$TEST_DIR/answer" >"$TEST_DIR/out" 2>&1 3>&- &
	START=$!
	wait_until grep -q 'allow or deny' "$TEST_DIR/out"
	eval "$(sed -n '1s/^export //p' "$TEST_DIR/out")"
}

# answer WORD: as typed; waits until the example has ended, and has left nothing behind.
answer() {
	echo "$1" >&"$ANSWER"
	exec {ANSWER}>&-
	await_exit "$START"
	cat "$TEST_DIR/out"
	assert_equal "$CODE" 0
	SPAWND_HOME=$TEST_DIR/home
	assert_cleaned_up
}

assert_cleaned_up() {
	assert_equal "$(find "$TEST_DIR" -name 'tmp.*')" ''
	wait_until is_empty_of_processes
}

# page WORD [MARK]: the blocks of the page that begin with ```... WORD; before each the mark, if there is one.
page() {
	awk -v word="$1" -v mark="${2-}" '/^```/ { on = $2 == word; if (on && mark != "") print mark; next } on' \
		"$DOC/agents.md"
}

# What differs from run to run: numbers, times, and who came before whom.
plain() {
	sed -E 's/[0-9a-f]{32}/ID/; s/[0-9-]{10}T[0-9:.]+Z/TIME/; s/tmp\.[A-Za-z0-9]+/tmp/; s,/tmp/spawnd-test.[^/]*,/tmp,
		s/ +[0-9]+ (completed|timeout|running|suspended) +[0-9.s-]+/ N \1/; s/job [0-9]+/job N/; s/for [0-9.]+ s/for T/' | sort
}

# assert_within FILE: the lines of each of the page's blocks of FILE are in FILE, in their order.
assert_within() {
	run -0 awk '
		{ gsub(/^[ \t]+/, "") }
		$0 == "" { next }
		NR == FNR { line[++count] = $0; next }
		$0 == "BLOCK" { at = 0; next }
		{
			do at++; while (at <= count && line[at] != $0)
			if (at > count) { print; exit }
		}' "$DOC/example/$1" <(page "$1" BLOCK)
	assert_output ''
}

# Those lines of FILE that do something, but are not in the page.
untold() {
	grep -vxFf <(page "$1") "$DOC/example/$1" | grep -vE '^(#|set |$)'
}

@test "the page has the lines of the scripts" {
	local file

	for file in spawnd.ini start agents/lead agents/counter agents/cleaner agents/reader; do
		assert_not_equal "$(page "$file")" ''
		assert_within "$file"
	done
	# The settings, and what the agents do, as a whole.
	for file in spawnd.ini agents/lead agents/counter agents/cleaner agents/reader; do
		assert_equal "$(untold "$file")" ''
	done
	assert_equal "$(find "$DOC/example/agents" -type f -printf x)" xxxx
}

@test "what is allowed is done, and the screen shows what the page shows" {
	run -0 example allow
	assert_equal "$(plain <<<"$output")" "$(page allow | plain)"
	assert_cleaned_up
}

@test "what is denied is not done" {
	run -0 example deny
	assert_equal "${lines[-1]}" "$(page deny)"
	assert_equal "$(head -n -1 <<<"$output" | plain)" "$(page allow | head -n -1 | plain)"
	assert_cleaned_up
}

asked_again() {
	[[ $(grep -o 'allow or deny' "$TEST_DIR/out" | wc -l) == 2 ]]
}

@test "anything else is no answer: it is asked for again" {
	start_aside
	echo perhaps >&"$ANSWER"
	wait_until asked_again
	answer deny
	assert_equal "$(tail -n 1 "$TEST_DIR/out")" "$(page deny)"
}

@test "where nobody can be asked, nothing is left behind" {
	run -1 example perhaps </dev/null
	assert_cleaned_up
}

@test "while nobody answers, two places are enough for all the others" {
	start_aside
	await_record count
	assert_record .status completed
	await_record fetch
	assert_record .status timeout
	assert_equal "$(spawnd tree report | plain)" "$(page asked | plain)"
	answer allow
	assert_equal "$(tail -n 3 "$TEST_DIR/out" | plain)" "$(page allow | tail -n 3 | plain)"
}

@test "the server is killed while the question waits: the same comes out" {
	local server

	start_aside
	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until not is_alive "$server"
	answer deny
	assert_equal "$(tail -n 1 "$TEST_DIR/out")" "$(page deny)"
}
