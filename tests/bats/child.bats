# What the child finds: argv, environment, directory, umask, standard input, signals and descriptors reach it
# exactly, and nothing else does.
load common

# The child's output, as a file.
output_of() {
	job_field "$1" .output
}

@test "argv arrives byte for byte" {
	local words=(a 'b c' '' '*' "quote's" '"' $'new\nline' $'tab\t' '\n' '$HOME' $'\xff\x80' -- --max-idle)

	finish c -- printf '%s\0' "${words[@]}"
	printf '%s\0' "${words[@]}" >"$TEST_DIR/expected"
	cmp "$TEST_DIR/expected" "$(output_of c)"
}

@test "an argv of 1.5 MB arrives whole" {
	local words=() piece

	# One word may have 128 KiB.
	piece=$(head -c 100000 /dev/zero | tr '\0' x)
	for _ in {1..15}; do
		words+=("$piece")
	done
	finish c -- printf '%s\0' "${words[@]}"
	assert_record .status completed
	assert_record .output_bytes 1500015
	printf '%s\0' "${words[@]}" | cmp - "$(output_of c)"
}

@test "argv beyond the system's limit is refused clearly" {
	local words=() piece code=0

	piece=$(head -c 100000 /dev/zero | tr '\0' x)
	for _ in {1..80}; do
		words+=("$piece")
	done
	# The stack's limit is what the kernel measures argv against: the command may have more than the daemon.
	spawnd fifo P
	(
		ulimit -s unlimited 2>/dev/null || ulimit -s "$(ulimit -Hs)"
		exec "$SPAWND" enqueue --parent P --child c -- printf '%s\0' "${words[@]}"
	) >"$TEST_DIR/out" 2>"$TEST_DIR/err" || code=$?
	if ((code == 0)); then
		await_record c
		assert_record .status error
		assert_record '"\(.ran) \(.stage) \(.errno)"' 'false exec E2BIG'
	else
		assert [ -s "$TEST_DIR/err" ]
	fi
}

@test "an environment of 500 KB arrives whole" {
	local i

	for i in 1 2 3 4 5; do
		export "BIG$i=$(head -c 100000 /dev/zero | tr '\0' "$i")"
	done
	finish c -- sh -c 'printf %s "$BIG1$BIG2$BIG3$BIG4$BIG5"'
	assert_record .status completed
	printf %s "$BIG1$BIG2$BIG3$BIG4$BIG5" | cmp - "$(output_of c)"
}

@test "the environment is the caller's, byte for byte, and spawnd's own variables" {
	export ODD=$' a=b\n\xff' EMPTY=
	finish c -- env -0
	grep -zv '^\(SPAWND_\|_=\|NOTIFY_SOCKET=\|WATCHDOG_USEC=\)' "$(output_of c)" | sort -z >"$TEST_DIR/child"
	env -0 | grep -zv '^\(SPAWND_\|_=\|NOTIFY_SOCKET=\|WATCHDOG_USEC=\)' | sort -z >"$TEST_DIR/mine"
	cmp "$TEST_DIR/mine" "$TEST_DIR/child"
}

@test "spawnd's own variables tell the child who it is" {
	finish c -- env -0
	variable() {
		grep -z "^$1=" "$(output_of c)" | tr -d '\0' | cut -d= -f2-
	}
	assert_equal "$(variable SPAWND_PARENT)" P
	assert_equal "$(variable SPAWND_CHILD)" c
	assert_equal "$(variable SPAWND_JOB)" 1
	assert_equal "$(variable SPAWND_RUN)" 1
	assert_equal "$(variable SPAWND_DEPTH)" 0
	assert_equal "$(variable SPAWND_HEARTBEAT_FD)" 3
	assert_equal "$(variable SPAWND_SOCKET)" "$SPAWND_HOME/run/socket"
	assert_regex "$(variable SPAWND_HEARTBEAT)" "^$SPAWND_HOME/run/beats/"
	assert_regex "$(variable SPAWND_RESULT)" "^$SPAWND_HOME/state/output/"
}

@test "a job of a job is one deeper, and hears nothing of the outer job's variables" {
	# shellcheck disable=SC2016 # the child's shell is to expand it
	finish outer -- "$SPAWND" enqueue --child inner -- sh -c \
		'echo "$SPAWND_PARENT $SPAWND_CHILD $SPAWND_JOB $SPAWND_DEPTH"'
	await_record inner
	assert_equal "$(cat "$(output_of inner)")" 'outer inner 2 1'
}

@test "--env sets, --clean-env leaves only what was set" {
	export FROM_CALLER=1
	finish c --env 'A=b=c d' --env FROM_CALLER=2 -- env
	run -0 grep -x 'A=b=c d' "$(output_of c)"
	run -0 grep -c '^FROM_CALLER=' "$(output_of c)"
	assert_output 1
	run -0 grep -x 'FROM_CALLER=2' "$(output_of c)"

	finish d --clean-env --env A=b -- /usr/bin/env
	run -0 grep -v '^\(SPAWND_\|NOTIFY_SOCKET\|WATCHDOG_\)' "$(output_of d)"
	assert_output A=b
}

@test "directory and umask are the caller's" {
	mkdir "$TEST_DIR/here"
	cd "$TEST_DIR/here"
	umask 027
	finish c -- testjob state
	umask 022
	run -0 grep -x "directory $TEST_DIR/here" "$(output_of c)"
	run -0 grep -x 'umask 027' "$(output_of c)"
}

@test "standard input is empty, or the file that --stdin names" {
	echo from the terminal | finish c -- testjob copy-input output end
	assert_equal "$(cat "$(output_of c)")" end

	printf 'line\n\xff' >"$TEST_DIR/input"
	cd "$TEST_DIR"
	finish d --stdin input -- cat
	cmp "$TEST_DIR/input" "$(output_of d)"
}

@test "signals are as a fresh process has them" {
	(
		trap '' HUP INT USR1 PIPE
		# The address sanitizer, where testjob is built with it, would catch some for itself.
		export ASAN_OPTIONS=${ASAN_OPTIONS-}:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0
		exec "$SPAWND" enqueue --parent P --child c -- testjob state
	)
	await_record c
	run -1 grep -E '^(blocked|not-default)' "$(output_of c)"
	run -0 grep -x 'leads-session yes' "$(output_of c)"
}

@test "no descriptor leaks in but 0, 1, 2 and the heartbeat" {
	local extra

	exec {extra}<"$BATS_TEST_FILENAME"
	finish c -- testjob state
	finish d -- testjob state
	exec {extra}<&-
	assert_equal "$(sed -n 's/^descriptor \([0-9]*\) .*/\1/p' "$(output_of d)" | sort -n | tr '\n' ' ')" \
		'0 1 2 3 '
	run -0 grep -x 'descriptor 0 /dev/null' "$(output_of d)"
	run -0 grep -x "descriptor 1 $(output_of d)" "$(output_of d)"
	run -0 grep -x "descriptor 2 $(output_of d)" "$(output_of d)"
	run -0 grep -x "descriptor 3 $SPAWND_HOME/run/beats/.*" "$(output_of d)"
}

@test "what the child writes into its result file is counted in the record" {
	finish c -- testjob result 'the answer is 42'
	assert_record .result_bytes 17
	assert_equal "$(cat "$(jq -r .result <<<"$RECORD")")" 'the answer is 42'
}

@test "the program is looked up in the PATH of the child's own environment" {
	mkdir "$TEST_DIR/bin"
	printf '#!/bin/sh\necho mine\n' >"$TEST_DIR/bin/only-here"
	chmod 755 "$TEST_DIR/bin/only-here"
	PATH=$TEST_DIR/bin:$PATH finish c -- only-here
	assert_record .status completed
	finish d -- only-here
	assert_record '"\(.ran) \(.stage) \(.errno)"' 'false exec ENOENT'
	finish e --env "PATH=$TEST_DIR/bin:/bin" -- only-here
	assert_record .status completed
}
