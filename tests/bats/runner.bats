# Runners: what a job executes for which no command was given, or around the one that was.
load common

output_of() {
	cat "$(job_field "$1" .output)"
}

@test "without a command and without a runner there is no job" {
	run -64 --separate-stderr spawnd enqueue --parent P --child c
	assert_regex "$stderr" 'no runner matches child c'
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
