# Runners: what a job executes for which no command was given, or around the one that was.
load common

output_of() {
	cat "$(job_field "$1" .output)"
}

@test "without a command and without a runner there is no job" {
	run -64 --separate-stderr spawnd enqueue --parent P --child c
	assert_regex "$stderr" 'no runner matches child c, and no command was given: give a command behind --, or'
	configure '[runner small]' 'match_model = small' 'command = true' '[runner other]' 'match_child = x*' 'command = true'
	spawnd reload
	run -64 --separate-stderr spawnd enqueue --parent P --child c
	assert_regex "$stderr" 'no runner matches child c.* small \(match_model = small\), other \(match_child = x\*\)'
	run -0 spawnd list
	assert_output ''
	run -64 spawnd run --parent P --child c
}

@test "the first runner that matches gives the command, word by word" {
	configure '[profile p]' 'model = big/3' \
		'[runner a]' 'match_child = a*' 'match_profile = p' \
		"command = printf '[%%s]' %c %p --model=%m job%j 'two words' '\$HOME;*' %a \"\" 100%%" \
		'[runner b]' 'match_child = a*' 'command = echo second %m'
	finish a-1 --profile p
	assert_equal "$(output_of a-1)" "[a-1][P][--model=big/3][job1][two words][\$HOME;*][][100%]"
	assert_equal "$(job_field a-1 .command)" "printf [%s] a-1 P --model=big/3 job1 two words \$HOME;*  100%"
	finish a-2
	assert_equal "$(output_of a-2)" 'second '
	# The number is that of the job, whatever came before it.
	finish a-3 --profile p
	assert_regex "$(output_of a-3)" "\[job$(job_field a-3 .job)\]"
}

@test "a command that was given is run as it is, or within a runner that has a place for it" {
	local words=(a 'b c' '' '%c' $'x\ny' $'\xff')

	configure '[runner alone]' 'command = echo nobody gave one' \
		'[runner around]' 'match_child = w*' 'command = env WRAPPED=%c %a last'
	finish c -- printf '%s\0' "${words[@]}"
	printf '%s\0' "${words[@]}" | cmp - "$(job_field c .output)"
	finish w1 -- printf '%s\0' "${words[@]}"
	printf '%s\0' "${words[@]}" last | cmp - "$(job_field w1 .output)"
	finish w2 -- sh -c 'echo $WRAPPED'
	assert_equal "$(output_of w2)" w2
	finish w3
	assert_equal "$(output_of w3)" 'nobody gave one'
}

@test "what a queued job will run was settled when it was accepted" {
	configure '[spawnd]' 'max_running = 1' '[runner a]' 'command = echo before %j'
	spawnd enqueue --parent P --child first -- testjob stall
	spawnd enqueue --parent P --child c
	configure '[spawnd]' 'max_running = 1'
	spawnd reload
	spawnd cancel first
	await_record c
	assert_equal "$(output_of c)" 'before 2'
	run -64 spawnd enqueue --parent P --child d
}

@test "a call that waits for room in the queue gets its number when it has it" {
	configure '[spawnd]' 'max_running = 1' 'queue_limit = 1' '[runner a]' 'command = echo job %j'
	spawnd enqueue --parent P --child first -- testjob stall
	spawnd enqueue --parent P --child second -- true
	spawnd enqueue --parent P --child c >"$TEST_DIR/number" 3>&- &
	spawnd cancel first
	await_exit $!
	assert_equal "$CODE" 0
	await_record c
	assert_equal "$(output_of c)" "job $(<"$TEST_DIR/number")"
}

@test "config check finds runners that cannot be, and such as never match" {
	configure '[runner a]' "command = a 'b" '[runner b]' 'match_child = x' '[runner c]' 'command = c %x' \
		'[runner d]' 'match_model = m' 'command = d' '[runner e]' 'match_profile = none' 'command = e %a'
	run -78 --separate-stderr spawnd config check
	assert_regex "$stderr" ":2: \[runner a\] command = a 'b: a ' that is not closed"
	assert_regex "$stderr" ':3: \[runner b\]: no command; write command = '
	assert_regex "$stderr" ':6: \[runner c\] command = c %x: unknown %x; there are %c child'
	assert_regex "$stderr" ':7: \[runner d\]: it can never match: \[runner a\] in line 1 comes first'
	assert_regex "$stderr" ':11: \[runner e\] match_profile = none: no profile is called that'
}

# The examples. $1 becomes spawnd.ini, with its scripts where they are in the source.
use_example() {
	mkdir -p -m 700 "$SPAWND_HOME"
	sed "s,/usr/local/share/spawnd,$BATS_TEST_DIRNAME/../../contrib," \
		"$BATS_TEST_DIRNAME/../../contrib/runners/$1" >"$SPAWND_HOME/spawnd.ini"
}

# stand_in NAME: a program of that name, which the test's PATH has first; its text is the standard input.
stand_in() {
	mkdir -p "$TEST_DIR/bin"
	cat >"$TEST_DIR/bin/$1"
	chmod 755 "$TEST_DIR/bin/$1"
	[[ $PATH == "$TEST_DIR/bin:"* ]] || PATH=$TEST_DIR/bin:$PATH
}

# As sshd does, it gives one line to a shell that is in nobody's group here; the connection ends with it.
stand_in_ssh() {
	stand_in ssh <<-'END'
		#!/bin/bash
		printf '%s\0' "$@" >"$TEST_DIR/ssh.argv"
		exec {connection}> >(exec setsid sh -c "${!#}" <&0)
		wait $!
	END
}

@test "all examples are configurations without a fault" {
	local example count=0

	for example in "$BATS_TEST_DIRNAME"/../../contrib/runners/*.ini; do
		run -0 spawnd config check "$example"
		((++count))
	done
	assert [ "$count" -ge 3 ]
}

@test "example far: a command arrives byte for byte behind a shell, its exit comes back" {
	local words=(a 'b c' '' '*' "quote's" '"' $'new\nline\n' '\n' '$HOME' '`x`' $'\xff' -- '%c')

	stand_in_ssh
	use_example far.ini
	finish build.example.org:one -- sh -c 'printf "%s\0" "$@"; exit 7' sh "${words[@]}"
	assert_record .exit_code 7
	printf '%s\0' "${words[@]}" | cmp - "$(job_field build.example.org:one .output)"
	run -0 tr '\0' ' ' <"$TEST_DIR/ssh.argv"
	assert_regex "$output" ' -o BatchMode=yes .* -- build.example.org exec sh -c '
	# Other children are no such host's.
	finish local:one -- sh -c 'echo here'
	assert_equal "$(output_of local:one)" here
}

@test "example far: what runs over there is ended when the connection is" {
	local far

	stand_in_ssh
	"$BATS_TEST_DIRNAME/../../contrib/runners/far" host:x testjob pid "$TEST_DIR/there" stall 3>&- &
	far=$!
	pid_in "$TEST_DIR/there"
	kill -KILL "$far"
	wait_until not is_alive "$(<"$TEST_DIR/there")"
	await_exit "$far"
}

@test "example agent: the model says which program, and the prompt is an argument" {
	stand_in ollama <<-'END'
		#!/bin/sh
		printf '[%s]' ollama "$@"
	END
	stand_in llm <<-'END'
		#!/bin/sh
		printf '[%s]' llm "$@"
	END
	use_example agent.ini
	finish c --profile local -- "What's \$HOME; and why?"
	assert_equal "$(output_of c)" "[ollama][run][qwen2.5:7b][What's \$HOME; and why?]"
	finish d --profile local --model other -- hello
	assert_equal "$(output_of d)" '[llm][--model][other][hello]'
	finish e -- echo plain
	assert_equal "$(output_of e)" plain
}

@test "example sandbox: a job in a container beats, answers, is held there, and is ended with it" {
	bwrap --unshare-pid --ro-bind / / --proc /proc true || skip "there are no namespaces of users here"
	use_example sandbox.ini
	mkdir "$TEST_DIR/work"
	cd "$TEST_DIR/work"
	finish c --profile sandbox -- sh -c 'echo mine >file; echo no >"$SPAWND_HOME/x"; echo beat >&3
		echo answer >"$SPAWND_RESULT"; echo "by path" >"$SPAWND_HEARTBEAT"; ls /proc | grep -c "^[0-9]"'
	assert_record .status completed
	assert_record .last_event.message 'by path'
	assert_equal "$(cat file)" mine
	assert_not_exists "$SPAWND_HOME/x"
	assert_equal "$(cat "$(job_field c .result)")" answer
	assert [ "$(tail -n 1 "$(job_field c .output)")" -lt 10 ]
	spawnd enqueue --parent P --child d --profile sandbox -- sh -c 'echo inside; trap "" TERM; setsid sleep 1000 & sleep 1000'
	wait_until grep -q inside "$(job_field d .output)"
	spawnd cancel d
	await_record d
	assert_record .status cancelled
}
