# The watchdog: what stalls or runs too long is ended, and says why; what shows signs of life is not.
load common

@test "a child that stalls is ended for idleness, and the reason names limit and figure" {
	finish c --max-idle 0.3s -- testjob stall
	assert_record '[.status, .signal, .ran] | tojson' '["timeout","TERM",true]'
	assert_record_like .error '^idle timeout: no activity for [0-9.]+ s \(max_idle 0\.3 ?s\)'
	assert_record '.idle_ms >= 300' true
	assert_record '.elapsed_ms >= 300' true
}

@test "a child that runs too long in total is ended, however lively" {
	finish c --max-idle 30s --max-total 0.5s -- testjob beats 20 100000
	assert_record .status timeout
	assert_record_like .error '^total timeout'
	assert_record_like .error 'max_total 0\.5 ?s'
	assert_record '.elapsed_ms >= 500' true
}

@test "a child that beats is not idle" {
	finish c --max-idle 3s -- testjob beats 100 45
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
}

@test "a child that writes output is not idle" {
	finish c --max-idle 3s -- testjob outputs 100 45
	assert_record .status completed
}

@test "a grandchild without descriptors keeps the job alive by the heartbeat's path" {
	finish c --max-idle 3s -- testjob child close-all beats-path 100 45 parent wait-children
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
}

@test "spawnd beat is a sign of life, and its words are in the record" {
	finish c --max-idle 0.5s --max-total 60s -- sh -c \
		'"$1" beat --tool grep --phase begin --round 12 "looking for it" && testjob stall' sh "$SPAWND"
	assert_record .status timeout
	assert_record_like .error 'tool=grep phase=begin round=12'
	assert_record '.last_event | tojson' \
		'{"tool":"grep","phase":"begin","round":12,"message":"looking for it"}'
}

@test "spawnd beat --progress says how much is done, as a number or in percent" {
	finish c -- "$SPAWND" beat --progress 0.4 --tool grep
	assert_record '.last_event | tojson' '{"tool":"grep","progress":0.4}'
	finish c -- "$SPAWND" beat --progress 40% half of it
	assert_record '.last_event | tojson' '{"progress":0.4,"message":"half of it"}'
	local wrong

	for wrong in much -1 '' '1 tool=x' 1e9 "$(printf '9%.0s' {1..80})"; do
		run -64 --separate-stderr spawnd beat --progress "$wrong"
		assert_equal "$stderr" "spawnd beat: --progress '$wrong': not a number; write 0.4 or 40%"
	done
}

@test "spawnd beat works without descriptors, by path" {
	# shellcheck disable=SC2016
	finish c --max-idle 20s -- sh -c 'exec 3>&-; "$1" beat by path' sh "$SPAWND"
	assert_record '[.status, .last_event.message] | tojson' '["completed","by path"]'
}

@test "spawnd beat outside a job is refused" {
	run -64 --separate-stderr spawnd beat
	[[ -n $stderr ]]
}

@test "with --activity heartbeat output is no sign of life" {
	finish c --activity heartbeat --max-idle 0.5s -- testjob outputs 50 100000
	assert_record .status timeout
	assert_record_like .error '^idle timeout'
}

@test "with --activity output a beat is no sign of life" {
	finish c --activity output --max-idle 0.5s -- testjob beats 50 100000
	assert_record_like .error '^idle timeout'
}

@test "with --idle-from first-beat the idle limit begins with the first beat" {
	finish c --idle-from first-beat --max-idle 0.3s -- testjob sleep 1500 exit 0
	assert_record .status completed
	finish d --idle-from first-beat --max-idle 0.3s -- testjob beat go stall
	assert_record_like .error '^idle timeout'
}

@test "with --idle-from first-beat neither output nor a look at it starts the idle clock" {
	enqueue c --idle-from first-beat --max-idle 0.3s -- \
		testjob output text wait-for "$TEST_DIR/seen" sleep 1500 exit 0
	has_written() {
		[[ $(job_field c .output_bytes) -gt 0 ]]
	}
	wait_until has_written
	touch "$TEST_DIR/seen"
	await_record c
	assert_record .status completed
}

@test "a child that exits 0 when it is told to end is a timeout all the same" {
	finish c --max-idle 0.3s -- testjob on-term 0 stall
	assert_record '[.status, .exit_code] | tojson' '["timeout",0]'
}

@test "a child that ignores TERM is killed after its grace" {
	finish c --max-idle 0.2s --kill-grace 0.3s -- testjob ignore TERM stall
	assert_record '[.status, .signal] | tojson' '["timeout","KILL"]'
	assert_record '.elapsed_ms >= 500' true
}

@test "--kill-signal is what is sent" {
	finish c --max-idle 0.2s --kill-signal INT -- testjob stall
	assert_record .signal INT
}

@test "a child that has stopped itself is ended too" {
	finish c --max-idle 0.3s -- testjob stop
	assert_record '[.status, .signal] | tojson' '["timeout","TERM"]'
}

@test "total is examined before idle" {
	finish c --max-idle 0.3s --max-total 0.3s -- testjob stall
	assert_record_like .error '^total timeout'
}

@test "a check interval rounds deadlines up, and never down" {
	finish c --max-idle 0.1s --check-interval 1s -- testjob stall
	assert_record .status timeout
	assert_record '.idle_ms >= 100' true
}

@test "waiting for room does not count as running" {
	configure '[spawnd]' 'max_running = 1'
	enqueue first -- testjob sleep 1500
	enqueue c --max-total 1s --max-idle 1s -- true
	await_record c
	assert_record .status completed
}

@test "a limit that is off never ends a job" {
	configure '[watchdog]' 'max_total = 0.2s' 'max_idle = 0.2s'
	enqueue c -- testjob stall
	enqueue d --max-total off --max-idle off -- testjob sleep 1500
	await_record c
	assert_record .status timeout
	await_record d
	assert_record .status completed
}

@test "a child that floods its heartbeat slows down itself, and nobody else" {
	enqueue flood -- testjob flood 4000000
	finish c -- true
	assert_record .status completed
	await_record flood
	assert_record .status completed
}

# A pipe that is muted as soon as much comes makes it wait 50 ms for each 64 KiB; a busy machine has several tries.
@test "a single large write to the pipe does not make the child wait" {
	local try ms

	for try in {1..20}; do
		finish "c$try" -- sh -c 'from=$(date +%s%3N); head -c 1048576 /dev/zero >&3; echo $(($(date +%s%3N) - from))'
		ms=$(spawnd logs "c$try")
		((ms > 100)) || return 0
	done
	fail "it took $ms ms"
}

@test "a line that is too long is cut, and nonsense on the pipe does no harm" {
	finish c -- sh -c 'head -c 100000 /dev/urandom >&3; echo >&3; head -c 5000 /dev/zero | tr "\0" y >&3; echo >&3'
	assert_record .status completed
	assert_record_like '.last_event | tojson' 'yyyy'
	finish d -- testjob beat 'after that'
	assert_record .last_event.message 'after that'
}

@test "NULs are left out of a line, and what is not UTF-8 is shown as such" {
	finish c -- sh -c 'printf "a\0b \377\0\n" >&3'
	assert_record .last_event.message 'ab ?'
	finish d -- sh -c 'printf "whole\n\0\0\n\n\0" >&3'
	assert_record .last_event.message whole
}

@test "a line without an end is a sign of life as long as it grows, and takes no room" {
	enqueue c --max-idle 3s --max-total off -- sh -c \
		'head -c 100000000 /dev/zero | tr "\0" y >&3'
	finish before -- true
	supervisor=$(daemon_field pid)
	peak() {
		sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$supervisor/status"
	}
	before=$(peak)
	finish d --max-idle 0.3s -- testjob stall
	assert_record_like .error '^idle timeout: no activity for 0\.'
	finish e --max-idle 3s -- testjob beats 100 45
	assert_record .status completed
	assert_equal "$(job_field c .status)" running
	(($(peak) < before + 2000))
	spawnd cancel c
	await_record c
	assert_record .status cancelled
}

@test "a line of three megabytes is cut, and the next is whole" {
	finish c --max-idle 5s -- sh -c \
		'head -c 3000000 /dev/zero | tr "\0" y >&3; echo >&3; testjob beat "whole again"'
	assert_record '[.status, .last_event] | tojson' '["completed",{"message":"whole again"}]'
	finish d --max-idle 5s -- sh -c 'head -c 3000000 /dev/zero | tr "\0" y >&3; echo >&3'
	assert_record .last_event.cut true
}

@test "two hundred write to one pipe at once, and no line is torn" {
	finish c --max-idle 20s -- sh -c 'for i in $(seq 200); do
			(for j in 1 2 3 4 5; do echo "tool=w round=$i message=of two hundred"; done >&3) &
		done; wait'
	assert_record .status completed
	assert_record '[.last_event.tool, .last_event.message] | tojson' '["w","of two hundred"]'
}

@test "a JSON object on the pipe is read by its names" {
	finish c -- testjob beat '{"tool":"grep","phase":"begin","round":12,"progress":0.5,"message":"m"}'
	assert_record '.last_event | tojson' \
		'{"tool":"grep","phase":"begin","round":12,"progress":0.5,"message":"m"}'
}

@test "progress is shown as it was given, a percentage as a fraction" {
	finish c -- testjob beat 'progress=40'
	assert_record '.last_event.progress == 40' true
	finish d -- testjob beat 'progress=40%'
	assert_record '.last_event.progress == 0.4' true
}

@test "spawnd beat --extend asks for more time, which --max-extend bounds" {
	finish c --max-total 1s --max-extend 1h -- sh -c \
		'"$1" beat --extend 1m "takes longer"; testjob sleep 2500' sh "$SPAWND"
	assert_record '[.status, .last_event.message] | tojson' '["completed","takes longer"]'
	finish d --max-total 0.5s --max-extend 0.7s -- sh -c \
		'"$1" beat --extend 100d; testjob stall' sh "$SPAWND"
	assert_record_like .error '^total timeout: .*max_total 1\.2 ?s with its extension'
}

@test "without --max-extend spawnd beat --extend is a beat, and no more" {
	finish c --max-total 0.7s -- sh -c '"$1" beat --extend 1m; testjob stall' sh "$SPAWND"
	assert_record_like .error '^total timeout: .*max_total 0\.7 ?s\)'
}

@test "spawnd beat --extend wants a length of time" {
	for wrong in '' off -1 1x 1.5.5 never; do
		run -64 --separate-stderr spawnd beat --extend "$wrong"
		assert_regex "$stderr" "--extend '$wrong'"
	done
}
