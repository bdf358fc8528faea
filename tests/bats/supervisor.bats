#!/usr/bin/env bats
# The supervisor alone, driven by tests/harness/supervisor_harness.c: no server, store or client. Each test runs as
# on this kernel and as on one without the newer system calls.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common

setup() {
	TEST_DIR=$(mktemp -d /tmp/spawnd-test.XXXXXX)
	export TEST_DIR HOME=$TEST_DIR
	HARNESS=${TEST_HARNESS:-${TEST_HELPERS%/helper}/harness}/supervisor_harness
	[[ -x $HARNESS ]] || fail "no $HARNESS: make supervisor-only"
	cd "$TEST_DIR" || return
}

teardown() {
	wait_until is_empty_of_processes || {
		describe_processes "$(processes_left)" >&2
		return 1
	}
	cd / && rm -rf "$TEST_DIR"
}

# drive WAY: the script on standard input; what it printed is in $output. DIR is the directory of this run.
drive() {
	local option=

	[[ $1 == old ]] && option=-o
	DIR=$TEST_DIR/$1
	mkdir "$DIR"
	sed "s|@DIR@|$DIR|g" >"$DIR.script"
	# shellcheck disable=SC2086 # none, or one word
	run --separate-stderr timeout 120 "$HARNESS" $option "$DIR.script" "$DIR"
	assert_success
}

# both FUNCTION: reads the script once, runs it both ways, and lets the function check what came of it.
both() {
	local script way

	script=$(cat)
	for way in new old; do
		drive "$way" <<<"$script"
		"$1"
	done
}

# figure JOB NAME: from the line that `ended JOB` printed.
figure() {
	sed -nE "s/^ended $1 .*\<$2=([^ ]*).*/\1/p" <<<"$output"
}

check_outcomes() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=none killed=0 exit=3 "
	assert_line --partial "ended 2 ran=1 stage=none error=0 cause=none killed=0 signal=9 "
	assert_line --regexp "^ended 3 ran=1 .* exit=0 .* rss=1 last=two words$"
}

@test "exit codes, signals and the last line are told as they were" {
	both check_outcomes <<-'EOT'
		spawn 1 : exit 3
		ended 1
		spawn 2 : kill -KILL $$
		ended 2
		spawn 3 : echo one >&3; echo two words >&3
		ended 3
		quit
	EOT
}

check_never_ran() {
	assert_line --partial "ended 1 ran=0 stage=exec error=2 cause=none "
	assert_line --partial "ended 2 ran=0 stage=exec error=13 cause=none "
	assert_line --partial "ended 3 ran=0 stage=launch error=74 cause=none "
	assert_line --partial "ended 4 ran=0 stage=exec error=2 cause=none "
	assert_line --partial "ended 5 ran=0 stage=setup error=22 cause=none "
	assert_line --partial "ended 6 ran=0 stage=exec error=8 cause=none "
}

@test "what could not be executed never ran" {
	printf 'no program' >"$TEST_DIR/unknown"
	chmod 755 "$TEST_DIR/unknown"
	both check_never_ran <<-EOT
		exec 1 : no-such-program
		ended 1
		exec 2 : /etc/passwd
		ended 2
		broken 3
		ended 3
		exec 4 : ./no-such-program
		ended 4
		spawn 5 signal=1000 : true
		ended 5
		exec 6 : $TEST_DIR/unknown
		ended 6
		quit
	EOT
}

check_surroundings() {
	assert_equal "$(<"$DIR/1.out")" "0 1 2 3 "
	assert_equal "$(<"$DIR/2.out")" "$(printf '0027\n%s\n%s' "$DIR" "$(ulimit -n)")"
	assert_equal "$(<"$DIR/3.out")" "$(printf '0000000000000000\n0000000000000000')"
}

@test "a child has descriptors 0 to 3, its directory, umask and limit, and no signal is blocked or ignored" {
	both check_surroundings <<-'EOT'
		spawn 1 : for fd in /proc/$$/fd/*; do [ -e "$fd" ] && printf '%s ' "${fd##*/}"; done
		ended 1
		spawn 2 : umask; pwd; ulimit -n
		ended 2
		exec 3 : sed -nE s/^Sig(Blk|Ign):.//p /proc/self/status
		ended 3
		quit
	EOT
}

check_stubborn() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=idle killed=1 signal=9 "
	assert_line gone
	assert [ "$(figure 1 elapsed_ms)" -ge 500 ]
}

@test "a group that ignores TERM is killed to the last process" {
	both check_stubborn <<-'EOT'
		spawn 1 idle=200 grace=300 : trap '' TERM; (sleep 1000 & echo $! >$DIR/pid); while :; do sleep 1; done
		ended 1
		gone @DIR@/pid
		quit
	EOT
}

check_leftovers() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=none killed=0 exit=4 "
	assert_line --partial "ended 2 ran=1 stage=none error=0 cause=none killed=1 exit=5 "
	assert [ "$(grep -c '^gone' <<<"$output")" -eq 2 ]
	assert [ "$(figure 2 elapsed_ms)" -ge 300 ]
}

@test "what the leader leaves running is ended before the end is told" {
	both check_leftovers <<-'EOT'
		spawn 1 : sleep 1000 & echo $! >$DIR/one; exit 4
		ended 1
		gone @DIR@/one
		spawn 2 grace=300 : trap '' TERM; sleep 1000 & echo $! >$DIR/two; exit 5
		ended 2
		gone @DIR@/two
		quit
	EOT
}

check_limits() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=idle killed=0 signal=15 "
	assert_line --partial "ended 2 ran=1 stage=none error=0 cause=total killed=0 exit=0 "
	assert_line --partial "ended 3 ran=1 stage=none error=0 cause=idle killed=0 signal=15 "
	assert_line --partial "ended 4 ran=1 stage=none error=0 cause=idle killed=0 signal=2 "
	assert_line --partial "ended 5 ran=1 stage=none error=0 cause=total killed=1 signal=9 "
	assert [ "$(figure 1 idle_ms)" -ge 300 ]
	assert [ "$(figure 1 elapsed_ms)" -lt 60000 ]
	assert [ "$(figure 2 elapsed_ms)" -ge 400 ]
	# Its clock begins when the exec is noticed, which may be a little later than its first sleep.
	assert [ "$(figure 3 elapsed_ms)" -ge 400 ]
}

@test "limits are kept, and a timeout stays one though the program exits with 0" {
	both check_limits <<-'EOT'
		spawn 1 idle=300 : sleep 1000
		ended 1
		spawn 2 total=400 idle=-1 : trap 'exit 0' TERM; while :; do sleep 0.05; done
		ended 2
		spawn 3 idle=200 first=1 : sleep 0.5; echo now >&3; sleep 1000
		ended 3
		spawn 4 idle=200 signal=2 : exec sleep 1000
		ended 4
		spawn 5 total=200 grace=0 : trap '' TERM; while :; do sleep 1; done
		ended 5
		quit
	EOT
}

check_signs() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=0 .* last=beat 12$"
	assert_line --partial "ended 2 ran=1 stage=none error=0 cause=none killed=0 exit=0 "
	assert_line --partial "ended 3 ran=1 stage=none error=0 cause=idle killed=0 signal=15 "
}

@test "beats and growing output keep a job alive, as far as they count" {
	both check_signs <<-'EOT'
		spawn 1 idle=2000 : for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo beat $i >&3; sleep 0.25; done
		spawn 2 idle=2000 : for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; sleep 0.25; done
		spawn 3 idle=2000 activity=1 : while :; do echo line; sleep 0.25; done
		ended 1
		ended 2
		ended 3
		quit
	EOT
}

check_extended() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none .* exit=0 "
	assert [ "$(figure 1 elapsed_ms)" -ge 1500 ] # its clock begins when its exec is noticed
	assert_line --regexp "^ended 2 ran=1 .* cause=total "
	assert [ "$(figure 2 elapsed_ms)" -ge 900 ]
	assert_line --regexp "^ended 3 ran=1 .* cause=total "
	assert_line --regexp "^ended 4 ran=1 .* cause=total "
}

@test "more time is granted on the pipe, as far as the job may have it, and only by whole lines" {
	both check_extended <<-'EOT'
		spawn 1 total=500 extend=60000 : echo extend_usec=60000000 >&3; sleep 3
		spawn 2 total=300 extend=600 : echo extend_usec=60000000 >&3; sleep 60
		spawn 3 total=300 : echo extend_usec=60000000 >&3; sleep 60
		spawn 4 total=300 extend=60000 : printf extend_usec=60000000 >&3; sleep 60
		ended 1
		ended 2
		ended 3
		ended 4
		quit
	EOT
}

check_cancel() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=cancel killed=0 signal=15 "
	# Before or after its exec, whichever it came to.
	assert_line --regexp "^ended 2 .* cause=cancel "
	assert_line --partial "ended 3 ran=1 stage=none error=0 cause=total killed=0 exit=0 "
	assert_line --partial "ended 4 ran=1 stage=none error=0 cause=cancel killed=0 signal=15 "
}

@test "a cancel ends a job in any state, and the first cause stands" {
	both check_cancel <<-'EOT'
		spawn 1 : exec sleep 1000
		started 1
		cancel 1
		cancel 1
		ended 1
		spawn 2 : exec sleep 1000
		cancel 2
		ended 2
		spawn 3 total=200 grace=60000 : trap 'echo >$DIR/told; sleep 0.5; exit 0' TERM; while :; do sleep 0.05; done
		file @DIR@/told
		cancel 3
		ended 3
		spawn 4 : kill -STOP $$
		started 4
		pause 100
		cancel 4
		ended 4
		quit
	EOT
}

check_crash() {
	assert_line "hello first"
	assert_equal "$(grep -c '^hello same' <<<"$output")" 3
	assert_line "synced started=2 ended=0"
	assert_line "synced started=2 ended=2"
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=none killed=0 exit=7 "
	assert_line --partial "ended 2 ran=1 stage=none error=0 cause=idle killed=0 signal=15 "
	assert_line --partial "ended 3 ran=1 stage=none error=0 cause=none killed=0 exit=0 "
}

@test "a server that is killed loses nothing: limits hold, ends are kept, SPAWNs were heard" {
	both check_crash <<-'EOT'
		spawn 1 : while ! [ -e $DIR/go ]; do sleep 0.05; done; exit 7
		spawn 2 idle=1500 : sleep 1000
		started 1
		started 2
		crash
		spawn 8 : echo >$DIR/go
		ended 8
		pause 2000
		crash
		ended 1
		ended 2
		spawn 3 : echo once >>$DIR/ran
		crash
		ended 3
		quit
	EOT
}

check_slots() {
	assert_line "many 10 good=3 refused=7"
	assert_line "many 3 good=3 refused=0"
}

@test "more jobs than slots are refused, each with an answer" {
	ulimit -n 80
	both check_slots <<-'EOT'
		many 10 10 : sleep 3
		many 3 3 : true
		quit
	EOT
}

check_many() {
	assert_line --regexp "^many [0-9]+ good=1500 refused=0$"
	assert_line "zombies 0"
	# The first and the last count.
	assert_equal "$(grep '^fds' <<<"$output" | uniq | wc -l)" 1
}

@test "1,500 quick jobs leave no descriptor and no zombie" {
	both check_many <<-'EOT'
		fds
		many 1500 8 : true
		fds
		zombies
		quit
	EOT
}

check_flood() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=total killed=0 signal=15 "
	assert_line --regexp "^ended 2 .* cause=none killed=0 exit=0 .* last=quiet$"
}

@test "a job that floods its pipe harms nobody" {
	both check_flood <<-'EOT'
		spawn 1 total=1500 : exec yes >&3
		spawn 2 : echo quiet >&3; sleep 1
		ended 2
		ended 1
		quit
	EOT
}

check_orphans() {
	assert_line --partial "ended 1 ran=1 stage=none error=0 cause=none killed=0 exit=0 "
	assert_line gone
	assert_line "zombies 0"
}

@test "orphans that left their group are reaped" {
	both check_orphans <<-'EOT'
		spawn 1 : setsid sh -c 'echo $$ >$DIR/pid; exec sleep 0.5' & while ! [ -s $DIR/pid ]; do sleep 0.05; done
		ended 1
		file @DIR@/pid
		gone @DIR@/pid
		pause 200
		zombies
		quit
	EOT
}

check_orders() {
	assert_line "reload"
	assert_equal "$(grep -c '^stopping' <<<"$output")" 1
	assert_line --partial "looked 1 idle_ms="
	assert_line --regexp "^ended 1 .* cause=cancel .*"
	assert_equal "$(grep -c 'ignored' <<<"$stderr")" 4
}

@test "signals are passed on once, and orders that make no sense are ignored" {
	both check_orders <<-'EOT'
		spawn 1 : echo here >&3; exec sleep 1000
		started 1
		spawn 1 : echo twice
		forget 1
		cancel 77
		quit
		look 1
		signal 1
		pause 100
		signal 15
		pause 100
		signal 15
		pause 100
		cancel 1
		ended 1
		quit
	EOT
}
