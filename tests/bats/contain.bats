#!/usr/bin/env bats
# Nothing of a job outlives it, however it left its process group, and nobody else is signalled. Each test runs for
# every containment that can be had here, and as on an old kernel.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load common
load contain

setup_file() {
	setup_contain_file
}

setup() {
	setup_contain
}

teardown() {
	teardown_contain
}

check_leavers() {
	local job

	for job in 1 2 3 4 5 6; do
		assert_line --regexp "^ended $job ran=1 stage=none error=0 cause=none killed=0 exit=$job "
	done
}

@test "who left the group by setsid, nohup or a double fork is ended when the leader exits" {
	everywhere check_leavers <<-'EOT'
		spawn 1 grace=60000 : begin; setsid testjob pid $W.1 stall & want 1; exit 1
		spawn 2 grace=60000 : begin; nohup setsid testjob pid $W.2 stall >/dev/null 2>&1 & want 2; exit 2
		spawn 3 grace=60000 : begin; env -i setsid -f $(command -v testjob) pid $W.3 stall; want 3; exit 3
		spawn 4 grace=60000 : begin; (setsid sh -c '(setsid testjob pid $W.4 stall &)' &); want 4; exit 4
		spawn 5 grace=60000 : begin; perl -MPOSIX -e 'fork && exit; setsid; fork && exit; exec @ARGV' testjob pid $W.5 close-all stall; want 5; exit 5
		spawn 6 grace=60000 : begin; bash -mc 'testjob pid $W.6 stall & testjob pid $W.7 stall & disown -a'; want 6 7; exit 6
		ended 1
		ended 2
		ended 3
		ended 4
		ended 5
		ended 6
	EOT
}

check_daemons() {
	local job

	for job in 1 2 3 4; do
		assert_line --regexp "^ended $job ran=1 stage=none error=0 cause=none .* exit=$job "
	done
}

@test "daemons go with the job that started them: tmux, ssh-agent, dbus-daemon, start-stop-daemon" {
	everywhere check_daemons <<-'EOT'
		spawn 1 : begin; tmux -S $W.socket -f /dev/null new-session -d "exec testjob pid $W.1 stall"; want 1; exit 1
		spawn 2 : begin; ssh-agent -a $W.agent >$W.2; want 2; exit 2
		spawn 3 : begin; dbus-daemon --session --fork --print-pid=1 >$W.3; want 3; exit 3
		spawn 4 : begin; PATH=$PATH:/sbin:/usr/sbin start-stop-daemon --start --background --pidfile $W.none --exec $(command -v testjob) -- pid $W.4 stall; want 4; exit 4
		ended 1
		ended 2
		ended 3
		ended 4
	EOT
}

check_python() {
	assert_line --regexp "^ended 1 ran=1 .* cause=idle killed=0 "
	assert_line --regexp "^ended 2 ran=1 .* cause=none killed=0 exit=2 "
}

@test "a tree of python's subprocess module goes with the job" {
	cat >"$TEST_DIR/tree.py" <<-'EOT'
		import os, subprocess, sys
		def start(name, **how):
		    subprocess.Popen(["testjob", "pid", os.environ["W"] + "." + name, "stall"], **how)
		prefix = sys.argv[1]
		start(prefix + "a", start_new_session=True)
		start(prefix + "b", preexec_fn=os.setsid, close_fds=True)
		start(prefix + "c", preexec_fn=os.setpgrp)
		start(prefix + "d", start_new_session=True, env={"W": os.environ["W"], "PATH": os.environ["PATH"]})
		if len(sys.argv) > 2:
		    subprocess.Popen([sys.executable, sys.argv[0], sys.argv[2]], start_new_session=True).wait()
	EOT
	everywhere check_python <<-EOT
		spawn 1 idle=1000 grace=60000 : begin; python3 $TEST_DIR/tree.py x y; want xa xb xc xd ya yb yc yd; testjob stall
		ended 1
		spawn 2 grace=60000 : begin; python3 $TEST_DIR/tree.py z; want za zb zc zd; exit 2
		ended 2
	EOT
}

check_stubborn() {
	assert_line --regexp "^ended 1 ran=1 .* cause=total killed=1 signal=15 "
	assert_line --regexp "^ended 2 ran=1 .* cause=cancel killed=0 signal=15 "
	assert_line --regexp "^ended 3 ran=1 .* cause=none killed=1 exit=3 "
	assert_equal "$(<"$DIR/cleaned")" cleaned
}

@test "who left has the grace period like the others, and then SIGKILL" {
	everywhere check_stubborn <<-'EOT'
		spawn 1 total=1000 grace=300 : begin; setsid sh -c 'trap "" TERM; echo >$W.1; while :; do sleep 1; done' & want 1; exec testjob stall
		spawn 2 grace=60000 : begin; setsid sh -c 'trap "sleep 0.5; echo cleaned >$DIR/cleaned; exit" TERM; echo >$W.2; while :; do sleep 0.1; done' & want 2; echo >$DIR/two; exec testjob stall
		file @DIR@/two
		cancel 2
		spawn 3 grace=300 : begin; setsid testjob ignore TERM pid $W.3 stall & want 3; exit 3
		ended 1
		ended 2
		ended 3
	EOT
}

check_comets() {
	assert_line --regexp "^ended 1 ran=1 .* cause=total killed=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=none killed=1 exit=2 "
	assert_line --regexp "^ended 3 ran=1 .* cause=cancel killed=1 "
}

# A thousand generations a second at the most: as fast as they can, they would fill the process table of a loaded
# machine before the supervisor has its turn, for everybody.
@test "who never stands still is caught: trees whose every generation forks, leaves and exits" {
	everywhere check_comets <<-'EOT'
		spawn 1 total=500 grace=100 : begin; exec escape comets 1 1 $DIR/one
		ended 1
		spawn 2 grace=100 : begin; escape comets 1 1 $W.2 & want 2; exit 2
		ended 2
		spawn 3 grace=100 : begin; exec escape comets 100 20 $DIR/three
		file @DIR@/three
		cancel 3
		ended 3
	EOT
}

check_stopped() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=total killed=1 "
}

@test "who left and is stopped, by himself or by a tracer, is ended" {
	everywhere check_stopped <<-'EOT'
		spawn 1 grace=60000 : begin; setsid testjob pid $W.1 stop & want 1; exit 1
		ended 1
		spawn 2 total=1500 grace=200 : begin; setsid testjob pid $W.2 stall & want 2; setsid escape hold $(cat $W.2) $W.3 & want 3; exec testjob stall
		ended 2
	EOT
}

check_reaper() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=none killed=0 exit=2 "
}

@test "orphans that somebody in the job takes in are ended, also when that one goes first" {
	everywhere check_reaper <<-'EOT'
		spawn 1 grace=60000 : begin; setsid escape reaper $W.1 & want 1; exit 1
		spawn 2 grace=60000 : begin; setsid escape reaper $W.2 & taker=$!; want 2; kill -KILL $taker; exit 2
		ended 1
		ended 2
	EOT
}

check_leftovers() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
	assert_equal "$(<"$DIR/finished")" finished
	assert_line --regexp "^ended 2 ran=1 .* cause=total killed=0 exit=2 "
	assert_line --regexp "^ended 3 ran=1 .* cause=cancel killed=0 exit=3 "
}

@test "leftovers = wait: those that left may finish, under the limits of the job" {
	everywhere check_leftovers <<-'EOT'
		spawn 1 leftovers=1 : begin; setsid sh -c 'echo >$W.1; testjob wait-for $DIR/go; echo finished >$DIR/finished' & want 1; echo $$ >$DIR/first; exit 1
		file @DIR@/first
		gone @DIR@/first
		spawn 4 : echo >$DIR/go
		ended 4
		ended 1
		spawn 2 leftovers=1 total=1000 : begin; setsid testjob pid $W.2 stall & want 2; exit 2
		ended 2
		spawn 3 leftovers=1 : begin; setsid testjob pid $W.3 stall & want 3; echo $$ >$DIR/three; exit 3
		file @DIR@/three
		gone @DIR@/three
		cancel 3
		ended 3
	EOT
}

check_left() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=total killed=0 signal=15 "
	assert [ "$(grep -c '^gone' <<<"$output")" -eq 2 ]
}

# Those of job 1 have no $W: they are to live on, until job 3 ends them.
@test "leftovers = leave: they live on when the leader exits, and are ended where a limit ends the job" {
	everywhere check_left <<-'EOT'
		spawn 1 leftovers=2 : setsid testjob pid $DIR/one stall & testjob pid $DIR/two stall & testjob wait-for $DIR/one wait-for $DIR/two; exit 1
		ended 1
		spawn 2 leftovers=2 total=500 : begin; setsid testjob pid $W.2 stall & want 2; exec testjob stall
		ended 2
		spawn 3 : kill $(cat $DIR/one) && kill $(cat $DIR/two)
		ended 3
		gone @DIR@/one
		gone @DIR@/two
	EOT
}

check_left_paused() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none .* signal=9 "
	assert_line --regexp "^ended 3 ran=1 .* exit=0 "
}

# As in the test before, job 1's has no $W and lives on; it is to run, which job 3 finds out before it ends it.
@test "leftovers = leave: who left goes on when the leader of a job that is paused dies" {
	everywhere check_left_paused <<-'EOT'
		spawn 1 leftovers=2 : setsid testjob pid $DIR/one stall & testjob wait-for $DIR/one; exec testjob pid $DIR/leader stall
		file @DIR@/leader
		stop 1
		spawn 2 : begin; escape stopped $DIR/one; kill -KILL $(cat $DIR/leader)
		ended 2
		ended 1
		spawn 3 : escape going $DIR/one; code=$?; kill -KILL $(cat $DIR/one); exit $code
		ended 3
		gone @DIR@/one
	EOT
}

check_nested() {
	assert_line --regexp "^ended 1 ran=1 .* cause=cancel killed=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=none .* exit=2 "
}

@test "a job's own daemon goes with it, and the jobs of that one" {
	everywhere check_nested <<-EOT
		spawn 1 grace=0 : begin; export SPAWND_HOME=\$DIR/h1; $SPAWND enqueue -- sh -c 'setsid testjob pid \$W.1 stall & wait'; want 1; echo >\$DIR/one; exec testjob ignore TERM stall
		file @DIR@/one
		cancel 1
		ended 1
		spawn 2 : begin; export SPAWND_HOME=\$DIR/h2; $SPAWND enqueue -- sh -c 'setsid testjob ignore TERM pid \$W.2 stall & wait'; want 2; exit 2
		ended 2
	EOT
}

check_marks() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
}

@test "a job that lowers its limit of locks is found all the same" {
	everywhere check_marks <<-'EOT'
		spawn 1 grace=60000 : begin; setsid escape limit 5 $(cat $DIR/marks) testjob pid $W.1 stall & want 1; exit 1
		ended 1
	EOT
}

check_namespaces() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=[01] exit=1 "
}

@test "who went into a namespace of users and processes of its own is ended" {
	unshare --user --pid --fork true || skip "there are no namespaces of users here"
	everywhere check_namespaces <<-'EOT'
		spawn 1 grace=300 : begin; setsid unshare --user --pid --fork sh -c 'echo >$W.1; testjob stall & testjob stall' & want 1; exit 1
		ended 1
	EOT
}

check_paused() {
	assert_line --regexp "^ended 1 ran=1 .* cause=cancel killed=0 signal=15 "
}

@test "who left is stopped with the others, and goes on with them" {
	everywhere check_paused <<-'EOT'
		spawn 1 grace=60000 : begin; setsid testjob pid $W.1 stall & want 1; cp $W.1 $DIR/one; exec testjob stall
		file @DIR@/one
		stop 1
		spawn 2 : escape stopped $DIR/one
		ended 2
		go 1
		spawn 3 : escape going $DIR/one
		ended 3
		cancel 1
		ended 1
	EOT
}

# What a tracer holds at its exit outlives SIGKILL: the one way to that which everybody has. It takes the 30
# seconds that are promised, for all the containments at once.
@test "what SIGKILL does not end holds nobody up: the end is told after 30 s, and the rest when it is gone" {
	local way pids=()

	for way in $WAYS; do
		(
			drive "$way" <<-'EOT'
				spawn 1 grace=0 : begin; testjob pid $W.1 stall & want 1; cp $W.1 $DIR/one; exec testjob stall
				spawn 2 grace=0 : begin; setsid testjob pid $W.2 stall & want 2; cp $W.2 $DIR/two; exec testjob stall
				file @DIR@/one
				file @DIR@/two
				spawn 5 grace=0 : begin; setsid testjob pid $W.5 stall & want 5; cp $W.5 $DIR/five; testjob wait-for $DIR/go; exit 5
				contain group
				spawn 6 grace=0 : . $DIR/prelude; W=$DIR/w; export W; testjob pid $W.6 stall & want 6; cp $W.6 $DIR/six; testjob wait-for $DIR/go; exit 6
				contain @KIND@
				file @DIR@/five
				file @DIR@/six
				spawn 3 grace=0 : cd $DIR; for i in one two six; do setsid escape embalm $(cat $i) $DIR/held.$i & done; setsid escape hold $(cat five) $DIR/held.five & wait
				file @DIR@/held.one
				file @DIR@/held.two
				file @DIR@/held.five
				file @DIR@/held.six
				spawn 7 : echo >$DIR/go
				ended 7
				cancel 1
				cancel 2
				spawn 4 : true
				ended 4
				stuck 1
				stuck 2
				stuck 5
				stuck 6
				cancel 3
				ended 1
				ended 2
				ended 3
				ended 5
				ended 6
			EOT
			assert_line --regexp "^ended 1 ran=1 .* cause=cancel killed=1 signal=15 "
			assert_line --regexp "^ended 2 ran=1 .* cause=cancel killed=1 signal=15 "
			assert_line "stuck 1 $(<"$DIR/one")"
			assert_line "stuck 2 $(<"$DIR/two")"
			# Not their leaders, which have gone; a zombie, whose tracer does not wait for it, and one of a group.
			assert_line "stuck 5 $(<"$DIR/five")"
			assert_line "stuck 6 $(<"$DIR/six")"
			touch "$TEST_DIR/$way.good"
		) >"$TEST_DIR/$way.report" 2>&1 3>&- &
		pids+=($!)
	done
	# Those only: bats has a process of its own to wait for.
	wait "${pids[@]}" || :
	for way in $WAYS; do
		[[ -e $TEST_DIR/$way.good ]] || fail "$way: $(<"$TEST_DIR/$way.report")"
	done
}

@test "the record says which containment applied, and nothing of the job is left when it comes" {
	local best=subreaper

	[[ $WAYS != *cgroup* ]] || best=cgroup
	finish c -- sh -c 'setsid testjob pid "$1" stall & testjob wait-for "$1" exit 4' sh "$TEST_DIR/a"
	assert_record '[.status, .exit_code, .containment, .unkillable] | tojson' "[\"error\",4,\"$best\",null]"
	run ! is_alive "$(cat "$TEST_DIR/a")"
	spawnd stop
}
