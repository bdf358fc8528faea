# Time: jobs that are not started before a delay has passed, or before a time has come.
load common

# The job of child $1 waits for its time.
waits_for_time() {
	[[ $(job_field "$1" .waits_for) == 'its time: delayed until '* ]]
}

# seconds_between A B: of two times in RFC 3339.
seconds_between() {
	echo $(($(date -d "$2" +%s) - $(date -d "$1" +%s)))
}

@test "a delayed job waits, counts as queued, and is started when the delay has passed" {
	enqueue c --delay 10s -- true
	assert_equal "$(job_field c .status)" queued
	waits_for_time c
	await_record c
	assert_record .status completed
	assert_equal "$(jq -n --argjson r "$RECORD" '
		def ms: sub("\\.(?<f>...)Z"; "Z") as $s | ($s | fromdate) * 1000 + (capture("\\.(?<f>...)Z").f | tonumber);
		($r.started_at | ms) - ($r.queued_at | ms) >= 9990')" true
}

@test "a job waits for its time while others run, and in a list it says so" {
	configure '[spawnd]' 'max_running = 1'
	enqueue late --delay 1h -- true
	finish now -- true
	waits_for_time late
	run -0 spawnd list
	assert_line --regexp ' late .* true  \(waits for its time: delayed until 20.*Z\)$'
	run -0 spawnd status late
	assert_line --regexp '^due_at +20[0-9-]+T[0-9:.]+Z$'
}

@test "--at waits for that time, in the caller's zone where none is given" {
	local at

	at=$(date -u -d '+15 seconds' +%Y-%m-%dT%H:%M:%SZ)
	enqueue soon --at "$at" -- true
	assert_equal "$(job_field soon .due_at)" "${at%Z}.000Z"
	TZ=XYZ-5:30 enqueue local --at '2100-01-01 05:30' -- true
	assert_equal "$(job_field local .due_at)" 2100-01-01T00:00:00.000Z
	TZ=XYZ-5:30 enqueue zoned --at 2100-01-01T01:00:00+01:00 -- true
	assert_equal "$(job_field zoned .due_at)" 2100-01-01T00:00:00.000Z
	await_record soon
	assert [ "$(seconds_between "$at" "$(jq -r .started_at <<<"$RECORD")")" -ge 0 ]
	waits_for_time local
}

@test "a time of day is the next one" {
	enqueue c --at "$(date -d '-1 hour' +%H:%M)" -- true
	assert [ "$(seconds_between now "$(job_field c .due_at)")" -gt $((21 * 3600)) ]
}

@test "a wait goes on over a crash and a restart of the daemon" {
	local due

	enqueue c --delay 1h -- true
	enqueue d --delay 1.5s -- true
	enqueue e --at 2100-01-01T00:00:00Z -- true
	due=$(job_field c .due_at)
	kill -KILL "$(daemon_field server_pid)"
	wait_until waits_for_time c
	spawnd stop
	wait_until waits_for_time c
	wait_until waits_for_time e
	await_record d
	# The clock that counts is not the one that is shown: they may differ by what is rounded.
	assert [ "$(seconds_between "$due" "$(job_field c .due_at)")" -ge -1 ]
	assert [ "$(seconds_between "$due" "$(job_field c .due_at)")" -le 1 ]
}

# in_store SQL: while no daemon has it.
in_store() {
	spawnd stop
	sqlite3 "$SPAWND_HOME/state/spawnd.db" "$1"
}

@test "after a restart of the machine the wall clock says how much of the wait has passed" {
	enqueue over --delay 1h -- true
	enqueue half --delay 1h -- true
	enqueue back --delay 1h -- true
	in_store "UPDATE job SET due_boot_id = 'another', due_boottime_ns = 1;
		UPDATE job SET due_ms = due_ms - 3600000 WHERE child = 'over';
		UPDATE job SET due_ms = due_ms - 1800000 WHERE child = 'half';
		UPDATE job SET due_ms = due_ms + 1000 * 3600000 WHERE child = 'back'"
	await_record over
	waits_for_time half
	assert [ "$(seconds_between now "$(job_field half .due_at)")" -le 1800 ]
	assert [ "$(seconds_between now "$(job_field half .due_at)")" -gt 1000 ]
	assert [ "$(seconds_between now "$(job_field back .due_at)")" -le 3600 ]
	# It is on this machine's clock now, in the store as well.
	in_store "SELECT count(*) FROM job WHERE due_boot_id = 'another' AND ended_ms IS NULL" >"$TEST_DIR/count"
	assert_equal "$(cat "$TEST_DIR/count")" 0
}

@test "a delayed job can be cancelled, and its parent's FIFO waits for it" {
	enqueue c --delay 1h -- true
	read_fifo P "$TEST_DIR/read"
	spawnd cancel c
	await_exit "$READER"
	assert_equal "$(jq -r .status "$TEST_DIR/read")" cancelled
}

@test "a full queue counts those that wait for their time" {
	configure '[spawnd]' 'queue_limit = 2'
	enqueue a --delay 1h -- true
	enqueue b --delay 1h -- true
	run -75 enqueue c --no-wait -- true
}

@test "what is no time, or has passed, is refused with what would be right" {
	run -64 --separate-stderr enqueue c --at yesterday -- true
	[[ $stderr == *"--at 'yesterday': not a time; write "*'date -Is'* ]]
	run -64 --separate-stderr enqueue c --at 2001-01-01T00:00:00Z -- true
	[[ $stderr == *'in the past (2001-01-01T00:00:00.000Z); give a later time'* ]]
	run -64 --separate-stderr enqueue c --delay soon -- true
	[[ $stderr == *"--delay 'soon': not a duration; write 90"* ]]
	run -64 --separate-stderr enqueue c --delay 1s --at 2100-01-01T00:00:00Z -- true
	[[ $stderr == *'--delay and --at cannot go together; give one of them'* ]]
	spawnd daemon --detach
	run -0 ask '{"argv":["true"],"at":"2001-01-01T00:00:00Z"}'
	[[ $output == *InvalidArgument*'"at"'*'is in the past: it is 20'*'; give a later time'* ]]
	run -0 ask '{"argv":["true"],"at":"12:00"}'
	[[ $output == *InvalidArgument*'"at"'*'RFC 3339'* ]]
	run -0 ask '{"argv":["true"],"delay":"-1s"}'
	[[ $output == *InvalidArgument*'"delay"'*'duration'* ]]
	run -0 ask '{"argv":["true"],"delay":"1s","at":"2100-01-01T00:00:00Z"}'
	[[ $output == *InvalidArgument*'give one of them'* ]]
}

# ask PARAMETERS: calls Enqueue with these, as no command would.
ask() {
	rawclient "$(daemon_field socket)" send "{\"method\":\"org.spawnd.Enqueue\",\"parameters\":$1}" nul reply
}

@test "--delay 0 and off are none" {
	finish a --delay 0 -- true
	finish b --delay off -- true
	assert_equal "$(job_field a .due_at)" null
}
