# What a job may use: each limit is seen by a real child; what cannot be, or is nonsense, is refused by name.
load common

# Without the rights of root, if it is root who runs the tests: those to lower a nice value and to raise limits.
without_rights() {
	if ((EUID == 0)); then
		setpriv --bounding-set=-sys_nice,-sys_resource -- "$@"
	else
		"$@"
	fi
}

# The line of a limit in /proc/PID/limits, as the child printed it: "soft hard".
limit_in_output() {
	sed -nE "s/^$1 +([^ ]+) +([^ ]+).*/\1 \2/p" < <(spawnd logs "$2")
}

# Whether the field of the daemon's own /proc/PID/limits is what the child has.
assert_inherited() {
	assert_equal "$(limit_in_output "$1" "$2")" \
		"$(sed -nE "s/^$1 +([^ ]+) +([^ ]+).*/\1 \2/p" "/proc/$(daemon_field pid)/limits")"
}

@test "a child has the limits that it was given, soft and hard, and so have its children" {
	finish c --max-memory 64M --max-processes 4000 --max-open-files 64 --max-cpu 2.5s -- \
		sh -c 'cat /proc/self/limits; :'
	assert_record .status completed
	assert_equal "$(limit_in_output 'Max data size' c)" '67108864 67108864'
	assert_equal "$(limit_in_output 'Max processes' c)" '4000 4000'
	assert_equal "$(limit_in_output 'Max open files' c)" '64 64'
	assert_equal "$(limit_in_output 'Max cpu time' c)" '3 4'
}

@test "a child without limits has those of the daemon" {
	finish c -- cat /proc/self/limits
	assert_record .status completed
	assert_inherited 'Max data size' c
	assert_inherited 'Max processes' c
	assert_inherited 'Max cpu time' c
	finish n -- nice
	assert_equal "$(spawnd logs n)" "$(nice)"
}

@test "the configuration gives what no option does, and config show has it" {
	configure '[limits]' 'max_open_files = 99' 'max_cpu = 1m' '[spawnd]' 'leftovers = wait'
	finish c --max-cpu off -- cat /proc/self/limits
	assert_equal "$(limit_in_output 'Max open files' c)" '99 99'
	assert_inherited 'Max cpu time' c
	assert_equal "$(job_field c '.limits | "\(.max_open_files) \(.max_cpu) \(.leftovers)"')" '99 off wait'
	run -0 spawnd config show
	assert_line --regexp 'max_open_files +99 .*spawnd.ini:2'
}

@test "a nice value is the child's, and its session's where that counts" {
	local own

	own=$(nice)
	((own < 19)) || skip "nothing is nicer than 19"
	finish c --nice 19 -- sh -c 'nice; cat /proc/self/autogroup 2>/dev/null || :'
	assert_record .status completed
	assert_equal "$(spawnd logs c | head -n 1)" 19
	if ((EUID == 0)) && [[ -e /proc/self/autogroup ]]; then
		assert_regex "$(spawnd logs c)" 'nice 19'
	fi
}

@test "a nice value that is not permitted: never ran" {
	without_rights "$SPAWND" fifo P
	finish c --nice -20 -- true
	assert_record '[.status, .ran, .stage, .errno, .exit_code] | tojson' \
		'["error",false,"limits","EACCES",null]'
	assert_record .error "could not be started: cannot set the limits of 'true' (nice -20): Permission denied"
	run -125 --separate-stderr spawnd run --nice -20 -- true
	[[ $stderr == *"nice -20"* ]]
}

@test "a limit above what is permitted: never ran, and the file that it would have made is not there" {
	without_rights "$SPAWND" fifo P
	finish c --max-open-files 1073741824 --nice 19 -- touch "$TEST_DIR/made"
	assert_record '[.status, .ran, .stage, .errno] | tojson' '["error",false,"limits","EPERM"]'
	assert_record .error \
		"could not be started: cannot set the limits of 'touch' (max_open_files 1073741824): Operation not permitted"
	assert_not_exist "$TEST_DIR/made"
}

@test "a busy loop ends by XCPU when its processor time is used up" {
	finish c --max-cpu 1s -- sh -c 'while :; do :; done'
	assert_record '[.status, .ran, .signal] | tojson' '["error",true,"XCPU"]'
	assert_record_like .error '^killed by signal XCPU \(max_cpu 1s\)'
	assert_record '.cpu_ms > 100' true
}

@test "a busy loop that ignores XCPU is killed" {
	finish c --max-cpu 1s -- sh -c 'trap "" XCPU; while :; do :; done'
	assert_record '[.status, .ran, .signal] | tojson' '["error",true,"KILL"]'
	assert_record_like .error '^killed by signal KILL after [12]\.[0-9] s of processor time \(max_cpu 1s\)'
}

@test "max_cpu is each process's own: a job of several may use more in all" {
	finish c --max-cpu 1s -- sh -c 'for i in 1 2 3; do
		timeout -s KILL 0.6 sh -c "while :; do :; done"
	done; exit 0'
	assert_record .status completed
}

@test "an allocation beyond max_memory fails, and one within does not" {
	finish big --max-memory 32M -- dd if=/dev/zero of=/dev/null bs=256M count=1
	assert_record '[.status, .ran] | tojson' '["error",true]'
	assert_regex "$(spawnd logs big)" 'memory'
	finish small --max-memory 32M -- dd if=/dev/zero of=/dev/null bs=1M count=1
	assert_record .status completed
}

@test "a file beyond max_open_files cannot be opened" {
	local program='for ((i = 4; i < 30; i++)); do eval "exec $i</dev/null" || exit "$i"; done'

	finish c --max-open-files 20 -- bash -c "$program"
	# The shell needs one or two for a moment.
	assert_record '.exit_code > 16 and .exit_code <= 20' true
	finish d --max-open-files 40 -- bash -c "$program"
	assert_record .status completed
}

@test "root is told where max_processes has no effect" {
	configure '[spawnd]' 'containment = subreaper'
	run -0 --separate-stderr enqueue c --json --max-processes 7 -- true
	if ((EUID == 0)); then
		assert_regex "$(jq -r '.warnings[0]' <<<"$output")" '^max_processes 7 has no effect: .*root'
		[[ $stderr == *"max_processes 7 has no effect"* ]]
	else
		assert_equal "$(jq '.warnings | length' <<<"$output")" 0
	fi
	run -0 enqueue d --json -- true
	assert_equal "$(jq '.warnings | length' <<<"$output")" 0
}

@test "a process beyond max_processes cannot be made" {
	local -a as=()

	# Nobody else has processes of this number; root itself has no such limit.
	((EUID != 0)) || as=(setpriv --reuid=61234 --regid=61234 --clear-groups --)
	finish c --max-processes 1 -- "${as[@]}" sh -c '/bin/true & wait; echo made'
	assert_record .ran true
	assert_record '.exit_code > 0' true
	refute_regex "$(spawnd logs c)" 'made'
}

@test "bad values are refused, with option, fault and mend" {
	local -A faults=(
		[nice]='20 off x' [max-memory]='0 1K 64m 1.5G 1025T' [max-processes]='0 -1 1K 4194305'
		[max-open-files]='15 none' [max-cpu]='0 0.5s 1x' [max-output]='1 4095 64MB'
		[on-output-limit]='trims' [leftovers]='killed' [max-extend]='off -1'
	)
	local option value

	for option in "${!faults[@]}"; do
		for value in ${faults[$option]}; do
			run -64 --separate-stderr spawnd enqueue "--$option" "$value" -- true
			# shellcheck disable=SC2154 # set by run
			assert_regex "$stderr" "--$option '$value': .+; .*write .+|--$option '$value': .+; use off"
		done
	done
	run -69 spawnd list --no-autostart
}

@test "config check names each bad value, and exits 78" {
	configure '[limits]' 'nice = -21' 'max_memory = 1K' 'max_processes = 0' 'max_open_files = 3' \
		'max_cpu = 0.1s' 'max_output = 5 bytes' 'on_output_limit = drop' 'max_idle = 1m' \
		'[spawnd]' 'containment = jail' 'leftovers = none' 'nice = 3' '[watchdog]' 'max_extend = off'
	run -78 --separate-stderr spawnd config check
	local -a keys=('' '' nice max_memory max_processes max_open_files max_cpu max_output
		on_output_limit max_idle '' containment leftovers nice '' max_extend)
	local line

	for line in "${!keys[@]}"; do
		[[ -n ${keys[line]} ]] || continue
		assert_regex "$stderr" "spawnd.ini:$line: \[[a-z]+\] ${keys[line]} = [^:]+: .+; "
	done
}

@test "whoever speaks Varlink can give every limit, and gets a wrong one named" {
	local keys description reply

	spawnd fifo P
	enqueue probe -- true
	keys=$(job_field probe '.limits | keys[]')
	assert_equal "$(wc -w <<<"$keys")" 16
	description=$(rawclient "$SPAWND_HOME/run/socket" send \
		'{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.spawnd"}}' \
		nul reply | jq -r .parameters.description | sed -n '/^method Enqueue/,/->/p')
	for key in $keys; do
		assert_regex "$description" "[ (]$key: \?string"
		reply=$(rawclient "$SPAWND_HOME/run/socket" send \
			"{\"method\":\"org.spawnd.Enqueue\",\"parameters\":{\"argv\":[\"true\"],\"$key\":\"?\"}}" nul reply)
		assert_equal "$(jq -r '.error + " " + .parameters.field' <<<"$reply")" \
			"org.spawnd.InvalidArgument $key"
	done
	reply=$(rawclient "$SPAWND_HOME/run/socket" send \
		'{"method":"org.spawnd.Enqueue","parameters":{"argv":["true"],"containment":"auto"}}' nul reply)
	assert_equal "$(jq -r .parameters.field <<<"$reply")" containment
}

@test "every limit reaches the job by its option, and stays with it over a restart" {
	configure '[spawnd]' 'max_running = 1'
	enqueue stall -- testjob stall
	enqueue c --max-extend 1m --leftovers leave --nice 7 --max-memory 3G --max-processes 5 \
		--max-open-files 20 --max-cpu 90 --max-output off --on-output-limit kill -- true
	wait_until is_status stall running
	spawnd stop --now
	assert_equal "$(job_field c '.limits | [.max_extend, .leftovers, .nice, .max_memory, .max_processes,
		.max_open_files, .max_cpu, .max_output, .on_output_limit] | join(" ")')" \
		'1m leave 7 3G 5 20 90s off kill'
}
