# Notices of sd_notify(3): which are signs of life, whose they are, what they say; and what comes that is none.
load common

# log_has REGEX: the log of the daemon that the first command has started.
log_has() {
	grep -q "$1" "$SPAWND_HOME/state/spawnd.log"
}

descriptors_of() {
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

@test "a job finds NOTIFY_SOCKET and WATCHDOG_USEC of its own, whatever its caller had" {
	export NOTIFY_SOCKET=/caller WATCHDOG_USEC=1 WATCHDOG_PID=1
	finish c --max-idle 90s -- sh -c 'env | grep "^NOTIFY_\|^WATCHDOG_" | sort'
	run -0 spawnd logs c
	assert_output "NOTIFY_SOCKET=$SPAWND_HOME/run/notify"$'\n'WATCHDOG_USEC=90000000
	finish d --max-idle off -- sh -c 'env | grep "^NOTIFY_\|^WATCHDOG_"'
	run -0 spawnd logs d
	assert_output "NOTIFY_SOCKET=$SPAWND_HOME/run/notify"
}

@test "the socket is the user's alone, and goes with the daemon" {
	finish c -- true
	assert_equal "$(stat -c '%F %a' "$SPAWND_HOME/run/notify")" 'socket 600'
	spawnd stop
	wait_until test ! -e "$SPAWND_HOME/run/notify"
}

@test "a socket that a killed daemon left is replaced" {
	finish c -- true
	kill -KILL "$(daemon_field pid)" "$(daemon_field server_pid)"
	finish d -- notifier -b STATUS=here
	assert_record .last_event.message here
}

@test "WATCHDOG=1 is a sign of life" {
	finish c --max-idle 3s -- notifier -n 45 -i 100 WATCHDOG=1
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
}

@test "what means nothing is no sign of life" {
	finish c --max-idle 0.5s -- notifier -n 100000 -i 50 WATCHDOG=0
	assert_record_like .error '^idle timeout'
}

@test "with --activity output a notice is no sign of life" {
	finish c --activity output --max-idle 0.5s -- notifier -n 100000 -i 50 WATCHDOG=1
	assert_record_like .error '^idle timeout'
}

@test "with --idle-from first-beat the idle limit begins with the first notice" {
	finish c --idle-from first-beat --max-idle 0.3s -- sh -c 'notifier -b READY=1; testjob stall'
	assert_record_like .error '^idle timeout'
}

@test "a grandchild keeps the job alive, without any descriptor of it" {
	finish c --max-idle 3s -- sh -c '(exec notifier -n 45 -i 100 WATCHDOG=1 3>&-) & wait'
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
}

@test "one that has left the session keeps its job alive, and speaks for it" {
	finish c --max-idle 3s -- sh -c 'setsid -f sh -c \
		"notifier -n 45 -i 100 WATCHDOG=1; notifier -b STATUS=outside; : >$1"
		testjob wait-for "$1"' sh "$TEST_DIR/over"
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
	assert_record .last_event.message outside
}

@test "an orphan by double fork keeps its job alive" {
	finish c --max-idle 3s -- sh -c 'setsid sh -c "setsid sh -c \"
		notifier -n 45 -i 100 WATCHDOG=1; : >$1\" &" &
		testjob wait-for "$1"' sh "$TEST_DIR/over"
	assert_record .status completed
	assert_record '.elapsed_ms >= 4000' true
}

@test "READY=1, STOPPING=1 and STATUS= are the last event" {
	finish c -- notifier -b $'READY=1\nSTATUS=Serving \xff 3 clients\n'
	assert_record '.last_event | tojson' '{"phase":"ready","message":"Serving ? 3 clients"}'
	finish d -- sh -c 'notifier -b READY=1; notifier -b STOPPING=1'
	assert_record '.last_event | tojson' '{"phase":"stopping"}'
}

@test "a status stands between the lines of the pipe, and disturbs none" {
	finish c -- sh -c 'printf half >&3; notifier -b STATUS=between; echo " and half" >&3'
	assert_record .last_event.message 'half and half'
}

@test "status shows what a notice said while the job runs" {
	enqueue c -- sh -c 'notifier -b STATUS=working; testjob wait-for "$1"' sh "$TEST_DIR/go"
	said() {
		[[ $(job_field c .last_event.message) == working ]]
	}
	wait_until said
	touch "$TEST_DIR/go"
	await_record c
}

@test "WATCHDOG=trigger ends the job at once, as its watchdog would" {
	finish c -- sh -c 'notifier -b STATUS=lost; notifier -b WATCHDOG=trigger; testjob stall'
	assert_record '[.status, .signal] | tojson' '["timeout","TERM"]'
	assert_record_like .error '^watchdog triggered: .*; last: message=lost'
}

@test "one that exits 0 after WATCHDOG=trigger is a timeout all the same" {
	finish c -- sh -c 'trap "exit 0" TERM; notifier -b WATCHDOG=trigger; testjob stall & wait'
	assert_record '[.status, .exit_code] | tojson' '["timeout",0]'
}

@test "a stranger's notices are dropped, and it is said" {
	enqueue c -- testjob touch "$TEST_DIR/there" wait-for "$TEST_DIR/go"
	wait_until test -e "$TEST_DIR/there"
	NOTIFY_SOCKET=$SPAWND_HOME/run/notify notifier WATCHDOG=trigger
	NOTIFY_SOCKET=$SPAWND_HOME/run/notify notifier -b STATUS=stranger
	touch "$TEST_DIR/go"
	await_record c
	assert_record '[.status, .last_event] | tojson' '["completed",null]'
	run -0 log_has 'dropped .* of no job'
}

@test "a stranger's notices keep no job alive" {
	enqueue c --max-idle 0.5s -- testjob touch "$TEST_DIR/there" stall
	wait_until test -e "$TEST_DIR/there"
	NOTIFY_SOCKET=$SPAWND_HOME/run/notify notifier -n 100000 -i 50 WATCHDOG=1 3>&- &
	await_record c
	assert_record_like .error '^idle timeout'
	kill "$!"
}

@test "one job's notices are not another's" {
	enqueue c --max-idle 0.5s -- testjob stall
	enqueue d --max-idle off -- notifier -n 100000 -i 50 $'WATCHDOG=1\nSTATUS=mine'
	await_record c
	spawnd cancel d
	assert_record_like .error '^idle timeout'
	assert_record .last_event null
}

@test "descriptors that come along are closed, and the rest is read" {
	enqueue c -- sh -c 'testjob wait-for "$1"; notifier -b -f 200 -n 50 STATUS=read
		testjob touch "$2" wait-for "$3"' sh "$TEST_DIR/a" "$TEST_DIR/b" "$TEST_DIR/c"
	is_status c running || wait_until is_status c running
	supervisor=$(daemon_field pid)
	before=$(descriptors_of "$supervisor")
	touch "$TEST_DIR/a"
	wait_until test -e "$TEST_DIR/b"
	NOTIFY_SOCKET=$SPAWND_HOME/run/notify notifier -b -f 253 -n 20 STATUS=stranger
	assert_equal "$(descriptors_of "$supervisor")" "$before"
	touch "$TEST_DIR/c"
	await_record c
	assert_record .last_event.message read
}

@test "a datagram that is too long, empty, or has a NUL in it says nothing" {
	finish c -- sh -c 'notifier -b STATUS=first; notifier -b -z 4097 STATUS=
		notifier -b -z 60000 READY=1; notifier -b -0 STATUS=nul; notifier -b ""'
	assert_record '[.status, .last_event] | tojson' '["completed",{"message":"first"}]'
	wait_until log_has 'dropped .*too long'
}

@test "the longest datagram is read, and its status cut" {
	finish c -- notifier -b -z 4096 STATUS=
	assert_record '.last_event.cut' true
	assert_record_like .last_event.message '^x{256}$'
}

@test "a job that floods the socket waits, and keeps nobody from beating" {
	enqueue flood --max-idle off -- notifier -n 100000000 STATUS=flood
	enqueue pipe --max-idle 3s -- testjob beats 100 45
	finish socket --max-idle 3s -- notifier -n 45 -i 100 WATCHDOG=1
	assert_record .status completed
	await_record pipe
	assert_record .status completed
	finish quick -- true
	assert_record .status completed
	spawnd cancel flood
	await_record flood
	assert_record '[.status, .last_event.message] | tojson' '["cancelled","flood"]'
}

@test "more time is granted by EXTEND_TIMEOUT_USEC as far as --max-extend allows" {
	finish c --max-total 1s --max-extend 1h -- sh -c \
		'notifier -b EXTEND_TIMEOUT_USEC=60000000; testjob sleep 2500'
	assert_record .status completed
	assert_record '.elapsed_ms >= 2000' true
	finish d --max-total 0.5s --max-extend 0.7s -- sh -c \
		'notifier -b EXTEND_TIMEOUT_USEC=99999999999999999999999; testjob stall'
	assert_record_like .error '^total timeout: .*max_total 1\.2 ?s with its extension'
	assert_record '.elapsed_ms >= 1200' true
}

@test "without --max-extend no time is granted" {
	finish c --max-total 0.5s -- sh -c 'notifier -b EXTEND_TIMEOUT_USEC=60000000; testjob stall'
	assert_record_like .error '^total timeout: .*max_total 0\.5 ?s\)'
}
