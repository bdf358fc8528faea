# spawnd.ini: every fault is told at once; a new file is taken over whole or not at all.
load common

@test "config check names every fault of every kind, with line and mend, and exits 78" {
	configure 'stray = 1' '[spawnd]' 'max_running = 0' 'max_running = 4' 'queue_limit = many' \
		'unknown = 1' 'durability = maybe' 'autostart' '[watchdog]' 'max_idle = 1x' \
		'max_total = 5m ; five minutes' 'kill_signal = NONE' 'activity =' \
		'  check_interval = 1s' '[nonsense]' 'a = b' "[watchdog] text" \
		"kill_grace = $(printf '9%.0s' {1..5000})"
	run -78 --separate-stderr spawnd config check
	local line

	for line in 1 3 4 5 6 7 8 10 11 12 13 14 15 17 18; do
		grep -q "^[^ ]*spawnd.ini:$line: \|^spawnd[a-z ]*: [^ ]*spawnd.ini:$line: " <<<"$stderr" || {
			echo "line $line is not in:" "$stderr" >&2
			return 1
		}
	done
	[[ $stderr == *max_idle*1x* ]]
	[[ $stderr == *nonsense* ]]
}

@test "config check --json is one document, with every fault in parts" {
	configure '[spawnd]' 'max_running = 0' '[watchdog]' 'max_idle = 1x' 'stray'
	run -78 --separate-stderr spawnd config check --json
	assert_equal "$stderr" ''
	assert_equal "${#lines[@]}" 1
	assert_equal "$(jq -c '[.file, .is_there]' <<<"$output")" "[\"$SPAWND_HOME/spawnd.ini\",true]"
	run -0 jq -c '.faults[] | [.file == $f, .line, .section, .key, .value]' --arg f "$SPAWND_HOME/spawnd.ini" \
		<<<"$output"
	assert_output '[true,2,"spawnd","max_running","0"]
[true,4,"watchdog","max_idle","1x"]
[true,5,"watchdog","stray",null]'
	run -0 jq -r '.faults[1].message' <("$SPAWND" config check --json)
	assert_output --partial 'not a duration'
}

@test "config check --json of a file without fault, or of none, has no faults" {
	run -0 spawnd config check --json
	assert_equal "$(jq -c '[.is_there, .faults]' <<<"$output")" '[false,[]]'
	configure '[spawnd]' 'max_running = 4'
	run -0 spawnd config check --json
	assert_equal "$(jq -c '[.is_there, .faults]' <<<"$output")" '[true,[]]'
	# A directory is a fault of the whole file.
	run -78 spawnd config check --json "$TEST_DIR"
	assert_equal "$(jq -c '.faults[] | [.line, .section]' <<<"$output")" '[null,null]'
}

@test "config check FILE looks at that file, and a good one is ok" {
	printf '# comment\n[spawnd]\nmax_running = 4\n' >"$TEST_DIR/other.ini"
	run -0 spawnd config check "$TEST_DIR/other.ini"
	assert_output --partial "$TEST_DIR/other.ini"
	printf '[spawnd]\nmax_running = -4\n' >"$TEST_DIR/other.ini"
	run -78 spawnd config check "$TEST_DIR/other.ini"
}

@test "config show prints what is in force and where it came from" {
	configure '[watchdog]' 'max_idle = 90'
	run -0 spawnd config show
	assert_line --regexp 'max_idle.*(90s|1.5m).*spawnd.ini:2'
	assert_line --regexp 'max_total.*1h.*default'
	run -0 jq -e . <(spawnd config show --json)
}

@test "the daemon does not start with a faulty configuration" {
	configure '[spawnd]' 'max_running = 0'
	run -78 --separate-stderr spawnd daemon
	[[ $stderr == *max_running* ]]
	run --separate-stderr enqueue c -- true
	assert_not_equal "$status" 0
	[[ $stderr == *max_running* ]]
}

@test "reload takes a new file over" {
	configure '[spawnd]' 'max_running = 1'
	enqueue a -- testjob stall
	enqueue b -- testjob stall
	wait_until is_status a running
	assert_equal "$(job_field b .status)" queued
	configure '[spawnd]' 'max_running = 2'
	run -0 spawnd reload
	wait_until is_status b running
}

@test "reload refuses a faulty file whole, and says why" {
	configure '[spawnd]' 'max_running = 3'
	spawnd fifo P
	configure '[spawnd]' 'max_running = 5' 'queue_limit = x'
	run --separate-stderr spawnd reload
	assert_not_equal "$status" 0
	[[ $stderr == *queue_limit* ]]
	assert_equal "$(daemon_field max_running)" 3
}

@test "SIGHUP reloads" {
	configure '[spawnd]' 'max_running = 3'
	spawnd fifo P
	configure '[spawnd]' 'max_running = 5'
	kill -HUP "$(daemon_field pid)"
	has_five() {
		[[ $(daemon_field max_running) == 5 ]]
	}
	wait_until has_five
}

@test "running jobs keep what they started with" {
	configure '[watchdog]' 'max_idle = 1h'
	enqueue a -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status a running
	configure '[watchdog]' 'max_idle = 0.001s'
	spawnd reload
	enqueue b -- testjob stall
	await_record b
	assert_record .status timeout
	touch "$TEST_DIR/go"
	await_record a
	assert_record .status completed
}

@test "settings are defaults: an option wins" {
	configure '[watchdog]' 'max_idle = 0.1s'
	enqueue b --max-idle 1h -- testjob touch "$TEST_DIR/began" wait-for "$TEST_DIR/go"
	wait_until test -e "$TEST_DIR/began"
	# Whoever goes by the configuration, and begins later, does not live so long.
	finish a -- testjob stall
	assert_record .status timeout
	touch "$TEST_DIR/go"
	await_record b
	assert_record .status completed
}
